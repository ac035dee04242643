/**
 * Global variables of an object as one editable record: reading decodes the bytes of the map that will hold the variable,
 * writing encodes into them. A struct that was read is a frozen copy, so that `variables.state.count = 1` is an error
 * instead of a change that is lost; assign the whole variable.
 */
import { BpfError } from '../bits/index.js'
import { type Btf, readValue, writeValue } from '../btf/index.js'
import type { MapSpec } from './spec.js'

/** A variable's place. */
interface Variable {
  readonly typeId: number
  readonly offset: number
  readonly map: MapSpec
  readonly isStatic: boolean
}

/**
 * Accessors for every variable that BTF lists in the data sections of `maps`. Where a static variable has the name of a
 * global one, the global one is meant; among static ones the first. Writing throws `BpfError`: `unknown-variable`, or
 * `bad-value` where the value does not fit the type.
 */
export function variablesOf(btf: Btf | undefined, maps: readonly MapSpec[]): Record<string, unknown> {
  const variables: Record<string, unknown> = Object.create(null)
  if (!btf) return guarded(variables)
  for (const [name, variable] of places(btf, maps)) {
    const { typeId, offset, map } = variable
    const bytes = map.contents ?? new Uint8Array()
    Object.defineProperty(variables, name, {
      enumerable: true,
      get: () => frozen(readValue(btf, typeId, bytes, offset)),
      set(value: unknown) {
        try {
          writeValue(btf, typeId, value, bytes, offset)
        } catch (cause) {
          if (!(cause instanceof BpfError)) throw cause
          throw new BpfError(cause.code, cause.message, { place: `variable ${name}`, cause })
        }
      },
    })
  }
  return guarded(variables)
}

function places(btf: Btf, maps: readonly MapSpec[]): Map<string, Variable> {
  const found = new Map<string, Variable>()
  for (const map of maps) {
    const datasec = btf.type(map.valueTypeId)
    if (datasec.kind !== 'datasec') continue
    for (const { type, offset } of datasec.vars) {
      const variable = btf.type(type)
      if (variable.kind !== 'var') continue
      const isStatic = variable.linkage === 'static'
      const before = found.get(variable.name)
      if (!before || (before.isStatic && !isStatic)) found.set(variable.name, { typeId: type, offset, map, isStatic })
    }
  }
  return found
}

/** The record, refusing names that do not exist instead of ignoring them. */
function guarded(variables: Record<string, unknown>): Record<string, unknown> {
  return new Proxy(Object.preventExtensions(variables), {
    set(target, name, value) {
      if (!Object.hasOwn(target, name)) {
        const known = Object.keys(target)
        const hint = known.length ? `; there are ${known.slice(0, 8).join(', ')}${known.length > 8 ? ', ...' : ''}` : ''
        throw new BpfError('unknown-variable', `no such global variable${hint}`, { place: `variable ${String(name)}` })
      }
      return Reflect.set(target, name, value)
    },
  })
}

/** Makes what was read unchangeable, all the way down; bytes cannot be frozen, they are a copy anyhow. */
function frozen(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value
  for (const inner of Object.values(value)) frozen(inner)
  return Object.freeze(value)
}
