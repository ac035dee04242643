/**
 * One row a kind of BTF (`BTF_KIND_*`, Documentation/bpf/btf.rst): its number, how its body is read and how it is
 * written. The parser and the encoder share the rows, so what one knows the other knows too. Kinds came over the years:
 * func 5.0, datasec and var 5.2, float 5.13, decl_tag 5.16, type_tag 5.17, enum64 6.0.
 */
import { BpfError, type ByteReader, type ByteWriter, ParseError } from '../bits/index.js'
import type { BtfKind, BtfMember, BtfParam, BtfSectionVar, BtfType } from './types.js'

/** The variant of {@link BtfType} that a kind has. */
export type BtfTypeOf<K extends BtfKind> = BtfType extends infer T
  ? T extends { readonly kind: infer Q }
    ? K extends Q
      ? T
      : never
    : never
  : never

/** The twelve bytes that open every type, decoded. `word` is a size or a type id, `at` its file offset. */
export interface TypeHead {
  readonly id: number
  readonly name: string
  readonly vlen: number
  readonly flag: boolean
  readonly word: number
  readonly at: number
}

/** What the opening bytes of a type say besides kind and name; the body has been written. */
export interface TypeTail {
  readonly word: number
  readonly vlen?: number
  readonly flag?: boolean
}

/** Where a body goes: bytes, and the offset of a name in the string section. */
export interface TypeSink {
  readonly body: ByteWriter
  string(text: string): number
}

interface Row<T extends BtfType> {
  readonly number: number
  read(head: TypeHead, body: ByteReader, string: (offset: number) => string): T
  write(type: T, sink: TypeSink): TypeTail
}

const SIGNED = 1
const CHAR = 2
const BOOL = 4
const LINKAGES = ['static', 'global', 'extern'] as const

function linkage(number: number, at: number): (typeof LINKAGES)[number] {
  const found = LINKAGES[number]
  if (!found) throw new ParseError('btf-bad-linkage', `linkage ${number} is not static, global or extern`, at)
  return found
}

/** `count` entries of `width` bytes; a count that the bytes cannot hold fails before anything is made. */
function list<T>(head: TypeHead, body: ByteReader, width: number, entry: () => T): T[] {
  if (head.vlen * width > body.left) {
    throw new ParseError('btf-truncated', `type [${head.id}] has ${head.vlen} entries, more than the blob`, head.at)
  }
  const out: T[] = new Array(head.vlen)
  for (let i = 0; i < head.vlen; i++) out[i] = entry()
  return out
}

function composite(kind: 'struct' | 'union', number: number): Row<BtfTypeOf<'struct'>> {
  return {
    number,
    read(head, body, string) {
      const members = list<BtfMember>(head, body, 12, () => {
        const name = string(body.u32())
        const type = body.u32()
        const offset = body.u32()
        return head.flag
          ? { name, type, bitOffset: offset & 0xffffff, bitSize: offset >>> 24 }
          : { name, type, bitOffset: offset, bitSize: 0 }
      })
      return { kind, id: head.id, name: head.name, size: head.word, members }
    },
    write(type, { body, string }) {
      const flag = type.members.some((member) => member.bitSize > 0)
      for (const { name, type: of, bitOffset, bitSize } of type.members) {
        if (flag && bitOffset > 0xffffff) {
          throw new BpfError('btf-bad-member', `member '${name}' begins beyond what a struct with bit fields can say`)
        }
        body.u32(string(name)).u32(of)
        body.u32(flag ? ((bitSize << 24) | bitOffset) >>> 0 : bitOffset)
      }
      return { word: type.size, vlen: type.members.length, flag }
    },
  }
}

function enumeration(kind: 'enum' | 'enum64', number: number): Row<BtfTypeOf<'enum'>> {
  const wide = kind === 'enum64'
  return {
    number,
    read(head, body, string) {
      const values = list(head, body, wide ? 12 : 8, () => {
        const name = string(body.u32())
        const low = BigInt(body.u32())
        const bits = wide ? low | (BigInt(body.u32()) << 32n) : low
        return { name, value: head.flag ? BigInt.asIntN(wide ? 64 : 32, bits) : bits }
      })
      return { kind, id: head.id, name: head.name, size: head.word, signed: head.flag, values }
    },
    write(type, { body, string }) {
      for (const { name, value } of type.values) {
        const bits = wide ? 64 : 32
        if ((type.signed ? BigInt.asIntN : BigInt.asUintN)(bits, value) !== value) {
          throw new BpfError('btf-bad-value', `enumerator '${name}' = ${value} does not fit ${bits} bits`)
        }
        body.u32(string(name))
        if (wide) body.u64(value)
        else body.u32(Number(BigInt.asUintN(32, value)))
      }
      return { word: type.size, vlen: type.values.length, flag: type.signed }
    },
  }
}

function reference(kind: BtfTypeOf<'typedef'>['kind'], number: number): Row<BtfTypeOf<'typedef'>> {
  return {
    number,
    read: (head) => ({ kind, id: head.id, name: head.name, type: head.word }),
    write: (type) => ({ word: type.type }),
  }
}

/** Every kind that a blob can hold, by its word. */
export const kindRows: { readonly [K in Exclude<BtfKind, 'void'>]: Row<BtfTypeOf<K>> } = {
  int: {
    number: 1,
    read(head, body) {
      const code = body.u32()
      const encoding = (code >>> 24) & 15
      return {
        kind: 'int',
        id: head.id,
        name: head.name,
        size: head.word,
        bits: code & 255,
        bitOffset: (code >>> 16) & 255,
        signed: (encoding & SIGNED) !== 0,
        char: (encoding & CHAR) !== 0,
        bool: (encoding & BOOL) !== 0,
      }
    },
    write(type, { body }) {
      const encoding = (type.signed ? SIGNED : 0) | (type.char ? CHAR : 0) | (type.bool ? BOOL : 0)
      body.u32((encoding << 24) | (type.bitOffset << 16) | type.bits)
      return { word: type.size }
    },
  },
  ptr: {
    number: 2,
    read: (head) => ({ kind: 'ptr', id: head.id, name: '', type: head.word }),
    write: (type) => ({ word: type.type }),
  },
  array: {
    number: 3,
    read: (head, body) => ({
      kind: 'array',
      id: head.id,
      name: '',
      type: body.u32(),
      indexType: body.u32(),
      length: body.u32(),
    }),
    write(type, { body }) {
      body.u32(type.type).u32(type.indexType).u32(type.length)
      return { word: 0 }
    },
  },
  struct: composite('struct', 4),
  union: composite('union', 5),
  enum: enumeration('enum', 6),
  fwd: {
    number: 7,
    read: (head) => ({ kind: 'fwd', id: head.id, name: head.name, union: head.flag }),
    write: (type) => ({ word: 0, flag: type.union }),
  },
  typedef: reference('typedef', 8),
  volatile: reference('volatile', 9),
  const: reference('const', 10),
  restrict: reference('restrict', 11),
  func: {
    number: 12,
    read: (head) => ({
      kind: 'func',
      id: head.id,
      name: head.name,
      type: head.word,
      linkage: linkage(head.vlen, head.at),
    }),
    write: (type) => ({ word: type.type, vlen: LINKAGES.indexOf(type.linkage) }),
  },
  func_proto: {
    number: 13,
    read(head, body, string) {
      const params = list<BtfParam>(head, body, 8, () => ({ name: string(body.u32()), type: body.u32() }))
      return { kind: 'func_proto', id: head.id, name: '', returnType: head.word, params }
    },
    write(type, { body, string }) {
      for (const param of type.params) body.u32(string(param.name)).u32(param.type)
      return { word: type.returnType, vlen: type.params.length }
    },
  },
  var: {
    number: 14,
    read(head, body) {
      return {
        kind: 'var',
        id: head.id,
        name: head.name,
        type: head.word,
        linkage: linkage(body.u32(), head.at),
      }
    },
    write(type, { body }) {
      body.u32(LINKAGES.indexOf(type.linkage))
      return { word: type.type }
    },
  },
  datasec: {
    number: 15,
    read(head, body) {
      const vars = list<BtfSectionVar>(head, body, 12, () => ({
        type: body.u32(),
        offset: body.u32(),
        size: body.u32(),
      }))
      return { kind: 'datasec', id: head.id, name: head.name, size: head.word, vars }
    },
    write(type, { body }) {
      for (const { type: of, offset, size } of type.vars) body.u32(of).u32(offset).u32(size)
      return { word: type.size, vlen: type.vars.length }
    },
  },
  float: {
    number: 16,
    read: (head) => ({ kind: 'float', id: head.id, name: head.name, size: head.word }),
    write: (type) => ({ word: type.size }),
  },
  decl_tag: {
    number: 17,
    read: (head, body) => ({
      kind: 'decl_tag',
      id: head.id,
      name: head.name,
      type: head.word,
      component: body.i32(),
    }),
    write(type, { body }) {
      body.u32(type.component >>> 0)
      return { word: type.type }
    },
  },
  type_tag: reference('type_tag', 18),
  enum64: enumeration('enum64', 19),
}

/** What every row can do, once its kind has been looked up. */
export type AnyRow = Row<BtfType>

/** Rows by kind number; `undefined` for numbers that Linux 6.18 does not know. */
export const rowByNumber: readonly (AnyRow | undefined)[] = (() => {
  const rows: (AnyRow | undefined)[] = []
  for (const row of Object.values<AnyRow>(kindRows)) rows[row.number] = row
  return rows
})()

/** The row of a kind; void has none. */
export function rowOf(kind: Exclude<BtfKind, 'void'>): AnyRow {
  return kindRows[kind]
}

/** The types that merely stand for another. */
export type BtfModifier = BtfTypeOf<'typedef'>

const MODIFIERS: ReadonlySet<BtfKind> = new Set<BtfKind>(['typedef', 'volatile', 'const', 'restrict', 'type_tag'])

/** Whether a type merely stands for another: typedef, const, volatile, restrict, type_tag. */
export function isModifier(type: BtfType): type is BtfModifier {
  return MODIFIERS.has(type.kind)
}
