/**
 * Global variables as one object with an accessor for each: reading decodes the bytes that the program works on, writing puts
 * them back at once. A struct that was read is a frozen copy, so that `globals.state.count = 1` is an error instead of a
 * write that is lost; assign the whole variable.
 */
import { BpfError } from '../bits/index.js'
import type { Codec, RawSection } from './raw-map.js'

/** One variable of a data section. Offset in bytes within the section. */
export interface GlobalVariable {
  readonly name: string
  readonly offset: number
  readonly codec: Codec
}

/** A data section and its variables. */
export interface GlobalSection {
  /** `.data`, `.bss`, `.rodata`, ... */
  readonly name: string
  readonly raw: RawSection
  readonly variables: readonly GlobalVariable[]
}

function frozen(value: unknown): unknown {
  // Bytes cannot be frozen; they are a copy all the same.
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value
  for (const inner of Object.values(value)) frozen(inner)
  return Object.freeze(value)
}

/**
 * The accessor object over data sections. Writing a name that does not exist throws `BpfError`
 * (`unknown-variable`), reading one gives `undefined`. Where two sections have a variable of the same name, the first one is meant.
 */
export function globalsOf(sections: readonly GlobalSection[]): Record<string, unknown> {
  const globals: Record<string, unknown> = Object.create(null)
  for (const { name: section, raw, variables } of sections) {
    for (const { name, offset, codec } of variables) {
      if (name in globals) continue
      Object.defineProperty(globals, name, {
        enumerable: true,
        get: () => frozen(codec.read(raw.read(offset, codec.size))),
        set(value: unknown) {
          let bytes: Uint8Array
          try {
            bytes = codec.write(value)
          } catch (error) {
            if (!(error instanceof BpfError) || error.code !== 'bad-value') throw error
            throw new BpfError('bad-value', error.message, { place: `variable ${name} (${section})`, cause: error })
          }
          raw.write(offset, bytes)
        },
      })
    }
  }
  return new Proxy(Object.preventExtensions(globals), {
    set(target, name, value) {
      if (name in target) return Reflect.set(target, name, value)
      throw new BpfError('unknown-variable', `no global variable has the name ${String(name)}`, { place: 'globals' })
    },
  })
}
