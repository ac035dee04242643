/**
 * Makes C lay a struct out as BTF says it lies: where alignment and gaps are not what a compiler would choose by itself,
 * a `packed` attribute and unnamed bit fields as padding (`long: 64;`), as bpftool writes them.
 */
import type { BtfTypeOf } from './kinds.js'
import type { Btf, BtfMember } from './types.js'

type Struct = BtfTypeOf<'struct'>

/** Alignments of a blob's types, remembered: nested structs would be walked again and again. */
export type Alignment = (id: number) => number

/** Alignment in bytes that C gives a type, as far as BTF tells (an `aligned` attribute shows only in offsets). */
export function alignments(btf: Btf): Alignment {
  const known = new Map<number, number>()
  const alignOf: Alignment = (id) => {
    const before = known.get(id)
    if (before !== undefined) return before
    const type = btf.resolve(id)
    const made = compute(type.id)
    known.set(id, made)
    return made
  }
  const compute = (id: number): number => {
    const type = btf.type(id)
    switch (type.kind) {
      case 'int':
      case 'float':
      case 'enum':
      case 'enum64':
        return type.size === 12 ? 4 : type.size
      case 'ptr':
        return 8
      case 'array':
        return alignOf(type.type)
      case 'struct':
      case 'union':
        return isPacked(btf, type, alignOf) ? 1 : natural(type, alignOf)
      default:
        return 1
    }
  }
  return alignOf
}

function natural(type: Struct, alignOf: Alignment): number {
  return type.members.reduce((most, member) => Math.max(most, alignOf(member.type)), 1)
}

/** Whether a compiler needs `packed` to put the members where they are. */
export function isPacked(btf: Btf, type: Struct, alignOf: Alignment): boolean {
  if (type.size % natural(type, alignOf)) return true
  return type.members.some(({ type: of, bitOffset, bitSize }) => {
    if (bitSize === 0) return bitOffset % (alignOf(of) * 8) !== 0
    const unit = btf.sizeOf(of) * 8
    return (bitOffset % unit) + bitSize > unit
  })
}

/** Where a compiler would put this member if the one before ended at bit `end`. */
export function naturalOffset(btf: Btf, member: BtfMember, end: number, packed: boolean, alignOf: Alignment): number {
  if (member.bitSize === 0) return roundUp(end, packed ? 8 : alignOf(member.type) * 8)
  const unit = btf.sizeOf(member.type) * 8
  return !packed && (end % unit) + member.bitSize > unit ? roundUp(end, unit) : end
}

const PAD_WORDS = [
  [64, 'long'],
  [32, 'int'],
  [16, 'short'],
  [8, 'char'],
] as const
const LONGEST_GAP_IN_WORDS = 4096

/** Declarations that fill bits `from` to `to`. */
export function padding(from: number, to: number): string[] {
  const out: string[] = []
  let at = from
  if (to - from > LONGEST_GAP_IN_WORDS) {
    at = roundUp(from, 8)
    if (at > from) out.push(`char: ${at - from};`)
    const bytes = Math.floor((to - at) / 8)
    out.push(`unsigned char __gap_${at / 8}[${bytes}];`)
    at += bytes * 8
  }
  while (at < to) {
    const [unit, word] = PAD_WORDS.find(([unit]) => at % unit === 0 && unit <= to - at) ?? [8, 'char']
    const bits = Math.min(unit - (at % unit), to - at)
    out.push(`${word}: ${bits};`)
    at += bits
  }
  return out
}

/** The next multiple. */
export function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple
}
