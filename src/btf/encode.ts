/**
 * Writes BTF: a blob from types as plain data, and a builder that hands out ids and makes each type once. Used for the
 * pruned BTF of a kernel, for what a host hands to Linux, and by tests. Law: parsing what was encoded gives the types back.
 */
import { BpfError, ByteWriter } from '../bits/index.js'
import { rowOf } from './kinds.js'
import { BTF_MAGIC } from './parse.js'
import type { Btf, BtfType } from './types.js'

const HEADER_SIZE = 24
const NAMED_BY_MEMBERS_ONLY = 0

/** Options of {@link encodeBtf}. */
export interface EncodeBtfOptions {
  /** Encode what follows this base: `types` then holds only the new ones, their ids counting on from the base. */
  base?: Btf
}

/**
 * The blob of these types, in order; a leading void is skipped, ids must be consecutive. Strings are written once each.
 * Throws `BpfError`: `btf-bad-id` where an id is not its index, `btf-bad-member`, `btf-bad-value` and
 * `btf-too-many-members` for what the format cannot hold.
 */
export function encodeBtf(types: readonly BtfType[], options: EncodeBtfOptions = {}): Uint8Array<ArrayBuffer> {
  const firstId = options.base?.types.length ?? 1
  const own = types[0]?.kind === 'void' ? types.slice(1) : types
  const stringsStart = options.base?.stringsEnd ?? 0
  const strings = new ByteWriter()
  const offsets = new Map<string, number>([['', NAMED_BY_MEMBERS_ONLY]])
  if (!options.base) strings.u8(0)
  const string = (text: string): number => {
    const known = offsets.get(text)
    if (known !== undefined) return known
    const offset = stringsStart + strings.length
    strings.text(text).u8(0)
    offsets.set(text, offset)
    return offset
  }

  const out = new ByteWriter()
  own.forEach((type, index) => {
    if (type.id !== firstId + index || type.kind === 'void') {
      throw new BpfError(
        'btf-bad-id',
        `type ${type.kind} ${type.name} has id ${type.id}, its place is ${firstId + index}`,
      )
    }
    const row = rowOf(type.kind)
    const body = new ByteWriter()
    const name = string(type.name)
    const { word, vlen = 0, flag = false } = row.write(type, { body, string })
    if (vlen > 0xffff) throw new BpfError('btf-too-many-members', `${type.kind} ${type.name} has ${vlen} entries`)
    out
      .u32(name)
      .u32(((flag ? 0x80000000 : 0) | (row.number << 24) | vlen) >>> 0)
      .u32(word)
    out.raw(body.finish())
  })

  const header = new ByteWriter().u16(BTF_MAGIC).u8(1).u8(0).u32(HEADER_SIZE)
  header.u32(0).u32(out.length).u32(out.length).u32(strings.length)
  return header.raw(out.finish()).raw(strings.finish()).finish()
}

type WithoutId<T> = T extends { readonly id: number } ? Omit<T, 'id'> : never

/** A type that has no id yet. */
export type NewBtfType = WithoutId<Exclude<BtfType, { readonly kind: 'void' }>>

/** Collects types; see {@link btfBuilder}. */
export interface BtfBuilder {
  /** The id of a type with this content: an earlier one, or a new one. */
  add(type: NewBtfType): number
  /** An id for a type that needs its own id (a list node). Give its content with {@link BtfBuilder.define}. */
  reserve(): number
  define(id: number, type: NewBtfType): void
  /** The id of an int; `size` in bytes. */
  int(name: string, size: number, options?: { signed?: boolean; char?: boolean; bool?: boolean }): number
  pointer(type: number): number
  /** An array, with an index type made as clang makes it. */
  array(type: number, length: number): number
  /** A struct from names, types and byte offsets. */
  struct(
    name: string,
    size: number,
    members: readonly (readonly [name: string, type: number, offset: number])[],
  ): number
  /** The types so far, void first. Throws `BpfError` (`btf-undefined`) where a reserved id was never defined. */
  types(): BtfType[]
  /** The blob. */
  finish(): Uint8Array<ArrayBuffer>
}

/** A builder whose ids start at 1. */
export function btfBuilder(): BtfBuilder {
  const types: (BtfType | undefined)[] = [{ kind: 'void', id: 0, name: '' }]
  const known = new Map<string, number>()
  const place = (id: number, type: NewBtfType): void => {
    types[id] = { ...type, id } as BtfType
  }
  const builder: BtfBuilder = {
    add(type) {
      const key = JSON.stringify(type, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value))
      const before = known.get(key)
      if (before !== undefined) return before
      const id = builder.reserve()
      place(id, type)
      known.set(key, id)
      return id
    },
    reserve: () => types.push(undefined) - 1,
    define(id, type) {
      if (types[id] || id >= types.length) throw new BpfError('btf-bad-id', `[${id}] is not a reserved id`)
      place(id, type)
    },
    int(name, size, { signed = false, char = false, bool = false } = {}) {
      return builder.add({ kind: 'int', name, size, bits: size * 8, bitOffset: 0, signed, char, bool })
    },
    pointer: (type) => builder.add({ kind: 'ptr', name: '', type }),
    array(type, length) {
      const indexType = builder.int('__ARRAY_SIZE_TYPE__', 4)
      return builder.add({ kind: 'array', name: '', type, indexType, length })
    },
    struct(name, size, members) {
      return builder.add({
        kind: 'struct',
        name,
        size,
        members: members.map(([name, type, offset]) => ({ name, type, bitOffset: offset * 8, bitSize: 0 })),
      })
    },
    types() {
      return types.map((type, id) => {
        if (!type) throw new BpfError('btf-undefined', `reserved id [${id}] was never defined`)
        return type
      })
    },
    finish: () => encodeBtf(builder.types()),
  }
  return builder
}
