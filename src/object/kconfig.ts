/**
 * `__kconfig` externs: variables that a loader fills from the kernel's configuration and places, by falling alignment,
 * then rising size, then name, in the map `.kconfig`. Reading an object must give the same on every machine, so the
 * values are those of the reference kernel unless the caller says otherwise: the version, two facts about it that libbpf
 * calls `LINUX_HAS_*`, and nothing else. A weak option without a value is zero, a strong one is an error.
 */
import { BpfError } from '../bits/index.js'
import type { Btf, BtfType } from '../btf/index.js'
import type { Externs } from './externs.js'
import { objectLimits } from './limits.js'
import type { ExternSpec } from './spec.js'

/** Values of `__kconfig` externs by name: `y`, `n`, `m` for switches, text for strings. */
export type KconfigValues = Readonly<Record<string, string | number | bigint | boolean>>

/** Where each kconfig variable lies (by BTF id of its VAR), and their values. Bytes. */
export interface KconfigLayout {
  readonly size: number
  readonly places: ReadonlyMap<number, { readonly offset: number; readonly size: number }>
  readonly contents: Uint8Array
}

type Shape =
  | { readonly kind: 'bool' | 'char' | 'tristate'; readonly size: number; readonly signed: boolean }
  | { readonly kind: 'int'; readonly size: number; readonly signed: boolean }
  | { readonly kind: 'text'; readonly size: number; readonly signed: boolean }

const answers: ReadonlyMap<unknown, bigint> = new Map<unknown, bigint>([
  ['n', 0n],
  ['y', 1n],
  ['m', 2n],
  [false, 0n],
  [true, 1n],
])

/** `KERNEL_VERSION` of `6.18` or `6.18.44`. Throws `BpfError` (`bad-kernel-version`). */
export function kernelVersionCode(version: string): number {
  const match = /^(\d{1,3})\.(\d{1,3})(?:\.(\d{1,5}))?(?:[-+].*)?$/.exec(version)
  if (!match) throw new BpfError('bad-kernel-version', `'${version}' is no kernel version such as 6.18`)
  const [major, minor, patch] = [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)]
  return major * 65536 + minor * 256 + Math.min(patch, 255)
}

/** Places all kconfig externs and writes their values. Throws `BpfError`: `missing-kconfig`, `bad-kconfig`,
 * `global-data-too-large`. */
export function layoutKconfig(btf: Btf | undefined, externs: Externs, values: KconfigValues): KconfigLayout {
  const wanted = new Map<number, ExternSpec>()
  for (const extern of externs.values()) if (extern.kind === 'kconfig') wanted.set(extern.typeId, extern)
  const places = new Map<number, { offset: number; size: number }>()
  if (!btf || wanted.size === 0) return { size: 0, places, contents: new Uint8Array() }
  const shaped = [...wanted.values()].map((extern) => {
    const shape = shapeOf(btf, extern)
    return { extern, shape, align: shape.kind === 'text' ? 1 : shape.size }
  })
  shaped.sort((a, b) => b.align - a.align || a.shape.size - b.shape.size || (a.extern.name < b.extern.name ? -1 : 1))
  let size = 0
  for (const { extern, shape, align } of shaped) {
    const offset = Math.ceil(size / align) * align
    places.set(extern.typeId, { offset, size: shape.size })
    size = offset + shape.size
    if (size > objectLimits.globalData) {
      throw new BpfError('global-data-too-large', `its variables exceed ${objectLimits.globalData} bytes`, {
        place: 'section .kconfig',
      })
    }
  }
  const contents = new Uint8Array(size)
  for (const { extern, shape } of shaped) {
    const value = Object.hasOwn(values, extern.name) ? values[extern.name] : undefined
    const place = places.get(extern.typeId)
    if (!place) continue
    if (value !== undefined)
      write(contents.subarray(place.offset, place.offset + place.size), shape, value, extern.name)
    else if (!extern.weak) {
      const sentence = `it has no value; give one: parseObject(bytes, { kconfig: { ${extern.name}: ... } })`
      throw new BpfError('missing-kconfig', sentence, { place: `extern ${extern.name}` })
    }
  }
  return { size, places, contents }
}

function shapeOf(btf: Btf, extern: ExternSpec): Shape {
  const variable = btf.type(extern.typeId)
  const type = variable.kind === 'var' ? btf.resolve(variable.type) : variable
  const shape = shapeOfType(btf, type)
  if (!shape) {
    const sentence = `__kconfig has switches, integers and text, not ${type.kind}`
    throw new BpfError('bad-kconfig', sentence, { place: `extern ${extern.name}` })
  }
  return shape
}

function shapeOfType(btf: Btf, type: BtfType): Shape | undefined {
  if (type.kind === 'int') {
    const { size, signed } = type
    if (type.bool) return size === 1 ? { kind: 'bool', size, signed } : undefined
    if (size === 1) return { kind: 'char', size, signed }
    return size <= 8 ? { kind: 'int', size, signed } : undefined
  }
  if (type.kind === 'enum') {
    return type.name === 'libbpf_tristate' && type.size === 4 ? { kind: 'tristate', size: 4, signed: false } : undefined
  }
  if (type.kind !== 'array' || type.length === 0 || type.length > objectLimits.kconfigString) return undefined
  const element = btf.resolve(type.type)
  return element.kind === 'int' && element.size === 1 && !element.bool
    ? { kind: 'text', size: type.length, signed: false }
    : undefined
}

function write(bytes: Uint8Array, shape: Shape, value: string | number | bigint | boolean, name: string): void {
  const refused = (sentence: string): BpfError => new BpfError('bad-kconfig', sentence, { place: `extern ${name}` })
  if (shape.kind === 'text') {
    if (typeof value !== 'string') throw refused(`${String(value)} is no text`)
    const text = new TextEncoder().encode(String(value))
    // Longer text is cut, as libbpf does; the last byte stays NUL.
    bytes.set(text.subarray(0, shape.size - 1))
    return
  }
  const answer = answers.get(value)
  if (shape.kind === 'char' && typeof value === 'string' && answer !== undefined) {
    bytes[0] = value.charCodeAt(0)
    return
  }
  let number = answer
  if (number === undefined && typeof value !== 'boolean') {
    try {
      number = BigInt(value)
    } catch {
      number = undefined
    }
  }
  if (number === undefined) throw refused(`'${String(value)}' is neither y, n, m nor a number`)
  const most = { bool: 1n, tristate: 2n, char: undefined, int: undefined }[shape.kind]
  const bits = shape.size * 8
  const fits = shape.signed ? BigInt.asIntN(bits, number) === number : BigInt.asUintN(bits, number) === number
  if (!fits || (most !== undefined && number > most)) throw refused(`${String(value)} does not fit in its type`)
  let rest = BigInt.asUintN(bits, number)
  for (let i = 0; i < shape.size; i++, rest >>= 8n) bytes[i] = Number(rest & 0xffn)
}
