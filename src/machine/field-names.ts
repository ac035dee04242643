/** The names that C gives to the special fields of a map value: `work`, `state.timer`. */
import type { Btf } from '../btf/index.js'
import { specialFields } from '../btf/special.js'

/** A workqueue or timer in a value, by name. */
export interface NamedField {
  readonly name: string
  readonly kind: 'bpf_wq' | 'bpf_timer'
}

/** Deepest nesting that is looked through. */
const maxDepth = 32

/** The workqueue and timer of a value type, at most one of each; none where the kernel would find none. */
export function asyncFields(btf: Btf, valueTypeId: number): NamedField[] {
  return specialFields(btf, valueTypeId).fields.flatMap(({ kind, offset }) =>
    kind === 'bpf_wq' || kind === 'bpf_timer'
      ? [{ kind, name: path(btf, valueTypeId, offset, kind, 0).join('.') || kind }]
      : [],
  )
}

function path(btf: Btf, typeId: number, offset: number, kind: string, depth: number): string[] {
  const type = btf.resolve(typeId)
  if (type.name === kind || depth > maxDepth) return []
  if (type.kind === 'array') return path(btf, type.type, offset % btf.sizeOf(type.type), kind, depth + 1)
  const parts =
    type.kind === 'struct'
      ? type.members.map((member) => ({ ...member, at: member.bitOffset / 8 }))
      : type.kind === 'datasec'
        ? type.vars.map((place) => {
            const variable = btf.type(place.type)
            const inner = variable.kind === 'var' ? variable.type : place.type
            return { name: variable.name, type: inner, at: place.offset }
          })
        : []
  const part = parts.find(({ at, type: inner }) => at <= offset && offset < at + btf.sizeOf(inner))
  return part ? [...(part.name ? [part.name] : []), ...path(btf, part.type, offset - part.at, kind, depth + 1)] : []
}
