/** `dump btf`: one type after the other, in the shape of `bpftool btf dump`. */
import type { Btf, BtfKind, BtfType } from '../btf/index.js'

/** The listing of one type: a line, then one for each of its parts. */
export function listType(btf: Btf, type: BtfType): string[] {
  const head = `[${type.id}] ${type.kind.toUpperCase()} '${type.name || '(anon)'}'`
  const { rest, parts } = details(btf, type)
  return [`${head} ${rest}`.trimEnd(), ...parts.map((part) => `\t${part}`)]
}

interface Details {
  readonly rest: string
  readonly parts: readonly string[]
}

const flat = (rest: string): Details => ({ rest, parts: [] })
const named = (name: string): string => `'${name || '(anon)'}'`

function details(btf: Btf, type: BtfType): Details {
  switch (type.kind) {
    case 'void':
      return flat('')
    case 'int': {
      const encoding = type.bool ? 'BOOL' : type.char ? 'CHAR' : type.signed ? 'SIGNED' : '(none)'
      return flat(`size=${type.size} bits_offset=${type.bitOffset} nr_bits=${type.bits} encoding=${encoding}`)
    }
    case 'array':
      return flat(`type_id=${type.type} index_type_id=${type.indexType} nr_elems=${type.length}`)
    case 'struct':
    case 'union':
      return {
        rest: `size=${type.size} vlen=${type.members.length}`,
        parts: type.members.map(({ name, type: of, bitOffset, bitSize }) => {
          const field = bitSize ? ` bitfield_size=${bitSize}` : ''
          return `${named(name)} type_id=${of} bits_offset=${bitOffset}${field}`
        }),
      }
    case 'enum':
    case 'enum64':
      return {
        rest: `encoding=${type.signed ? 'SIGNED' : 'UNSIGNED'} size=${type.size} vlen=${type.values.length}`,
        parts: type.values.map(({ name, value }) => `${named(name)} val=${value}`),
      }
    case 'fwd':
      return flat(`fwd_kind=${type.union ? 'union' : 'struct'}`)
    case 'func':
      return flat(`type_id=${type.type} linkage=${type.linkage}`)
    case 'func_proto':
      return {
        rest: `ret_type_id=${type.returnType} vlen=${type.params.length}`,
        parts: type.params.map(({ name, type: of }) => `${named(name)} type_id=${of}`),
      }
    case 'var':
      return flat(`type_id=${type.type}, linkage=${type.linkage}`)
    case 'datasec':
      return {
        rest: `size=${type.size} vlen=${type.vars.length}`,
        parts: type.vars.map(({ type: of, offset, size }) => {
          const target = btf.type(of)
          return `type_id=${of} offset=${offset} size=${size} (${(target.kind satisfies BtfKind).toUpperCase()} '${target.name}')`
        }),
      }
    case 'float':
      return flat(`size=${type.size}`)
    case 'decl_tag':
      return flat(`type_id=${type.type} component_idx=${type.component}`)
    default:
      return flat(`type_id=${type.type}`)
  }
}
