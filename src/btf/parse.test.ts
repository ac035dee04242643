import { existsSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { skipped } from '../../test/support/reference.js'
import { ByteWriter } from '../bits/index.js'
import { type BtfType, btfBuilder, encodeBtf, type NewBtfType, parseBtf } from './index.js'

const INT: BtfType = {
  kind: 'int',
  id: 1,
  name: 'int',
  size: 4,
  bits: 32,
  bitOffset: 0,
  signed: true,
  char: false,
  bool: false,
}

/** The error code of parsing these types, written without any check. */
function codeOf(...types: BtfType[]): string {
  try {
    parseBtf(encodeBtf([{ kind: 'void', id: 0, name: '' }, INT, ...types]))
    return 'accepted'
  } catch (error) {
    return String((error as { code?: string }).code)
  }
}

const ptr = (id: number, type: number): BtfType => ({ kind: 'ptr', id, name: '', type })
const array = (id: number, type: number, length: number): BtfType => ({
  kind: 'array',
  id,
  name: '',
  type,
  indexType: 1,
  length,
})
const struct = (id: number, size: number, type: number, bitOffset = 0, bitSize = 0): BtfType => ({
  kind: 'struct',
  id,
  name: 's',
  size,
  members: [{ name: 'm', type, bitOffset, bitSize }],
})
const alias = (id: number, type: number): BtfType => ({ kind: 'typedef', id, name: `t${id}`, type })

it('finds types by name and kind, follows typedefs and qualifiers, knows sizes', () => {
  const builder = btfBuilder()
  const int = builder.int('int', 4, { signed: true })
  const node = builder.reserve()
  const next = builder.pointer(node)
  builder.define(node, {
    kind: 'struct',
    name: 'node',
    size: 16,
    members: [{ name: 'next', type: next, bitOffset: 0, bitSize: 0 }],
  })
  const constant = builder.add({
    kind: 'const',
    name: '',
    type: builder.add({ kind: 'typedef', name: 'node', type: node }),
  })
  const table = builder.array(constant, 3)
  const btf = parseBtf(builder.finish())
  expect(btf.find('node')).toEqual([node, node + 2])
  expect(btf.find('node', 'struct')).toEqual([node])
  expect(btf.find('absent')).toEqual([])
  expect(btf.resolve(constant)).toMatchObject({ kind: 'struct', id: node })
  expect([int, next, table].map((id) => btf.sizeOf(id))).toEqual([4, 8, 48])
  expect(() => btf.sizeOf(0)).toThrow(/void {1,2}has no size/)
  expect(() => btf.type(99)).toThrow(expect.objectContaining({ code: 'btf-bad-id' }))
})

it('makes each type and each string once', () => {
  const builder = btfBuilder()
  expect(builder.int('long', 8)).toBe(builder.int('long', 8))
  expect(builder.int('long', 8)).not.toBe(builder.int('long', 8, { signed: true }))
  const text = new TextDecoder('latin1').decode(builder.finish())
  expect(text.split('long').length - 1).toBe(1)
})

it('refuses to write what the format cannot hold', () => {
  const cut = (value: bigint): NewBtfType => ({
    kind: 'enum',
    name: 'e',
    size: 4,
    signed: true,
    values: [{ name: 'A', value }],
  })
  const finish = (type: NewBtfType) => {
    const builder = btfBuilder()
    builder.add(type)
    return () => builder.finish()
  }
  expect(finish(cut(1n << 31n))).toThrow(expect.objectContaining({ code: 'btf-bad-value' }))
  expect(finish(cut(-1n << 31n))).not.toThrow()
  expect(
    finish({
      kind: 'struct',
      name: 's',
      size: 1 << 22,
      members: [{ name: 'm', type: 0, bitOffset: 1 << 24, bitSize: 1 }],
    }),
  ).toThrow(expect.objectContaining({ code: 'btf-bad-member' }))
})

it.each([
  ['an id that is not there', 'btf-bad-id', [ptr(2, 9)]],
  [
    'a data section as a type',
    'btf-bad-kind',
    [ptr(2, 3), { kind: 'datasec', id: 3, name: '.data', size: 0, vars: [] }],
  ],
  [
    'a function whose type is no prototype',
    'btf-bad-kind',
    [{ kind: 'func', id: 2, name: 'f', type: 1, linkage: 'static' }],
  ],
  ['a struct that contains itself', 'btf-loop', [struct(2, 8, 2)]],
  ['an array that contains itself', 'btf-loop', [array(2, 2, 1)]],
  ['two typedefs of each other', 'btf-loop', [alias(2, 3), alias(3, 2)]],
  ['a pointer to itself', 'btf-loop', [ptr(2, 2)]],
  ['a prototype that takes itself', 'btf-loop', [{ kind: 'func_proto', id: 2, name: '', returnType: 2, params: [] }]],
  ['an array of nothing', 'btf-bad-size', [array(2, 0, 3)]],
  ['an array beyond 4 GiB', 'btf-bad-size', [array(2, 1, 0x7fffffff)]],
  ['arrays whose product overflows', 'btf-bad-size', [array(2, 1, 0x10000), array(3, 2, 0x10000)]],
  ['a member behind the end', 'btf-bad-member', [struct(2, 4, 1, 8)]],
  ['a member of no size', 'btf-bad-member', [struct(2, 4, 0)]],
  ['a member inside a byte', 'btf-bad-member', [struct(2, 8, 1, 4)]],
  ['a bit field wider than its type', 'btf-bad-member', [struct(2, 8, 1, 0, 33)]],
  ['a bit field of a pointer', 'btf-bad-member', [struct(2, 8, 3, 0, 3), ptr(3, 1)]],
  ['an int of 3 bytes', 'btf-bad-size', [{ ...INT, id: 2, size: 3, bits: 24 }]],
  ['an int of more bits than bytes', 'btf-bad-size', [{ ...INT, id: 2, bits: 40 }]],
  ['a float of 5 bytes', 'btf-bad-size', [{ kind: 'float', id: 2, name: 'f', size: 5 }]],
  [
    'a tag on a member that is not there',
    'btf-bad-member',
    [struct(2, 4, 1), { kind: 'decl_tag', id: 3, name: 'x', type: 2, component: 1 }],
  ],
  [
    'a variable behind its section',
    'btf-bad-member',
    [
      { kind: 'var', id: 2, name: 'v', type: 1, linkage: 'global' },
      { kind: 'datasec', id: 3, name: '.data', size: 4, vars: [{ type: 2, offset: 4, size: 4 }] },
    ],
  ],
] satisfies [string, string, BtfType[]][])('refuses %s: %s', (_, code, types) => {
  expect(codeOf(...types)).toBe(code)
})

it('takes what clang leaves open: a section without size, a function in .ksyms, an extern of no type', () => {
  const types: BtfType[] = [
    { kind: 'func_proto', id: 2, name: '', returnType: 1, params: [] },
    { kind: 'func', id: 3, name: 'bpf_wq_init', type: 2, linkage: 'extern' },
    { kind: 'var', id: 4, name: 'v', type: 0, linkage: 'extern' },
    {
      kind: 'datasec',
      id: 5,
      name: '.ksyms',
      size: 0,
      vars: [
        { type: 3, offset: 0, size: 0 },
        { type: 4, offset: 0, size: 8 },
      ],
    },
  ]
  expect(codeOf(...types)).toBe('accepted')
})

it('bounds nesting, so that whoever walks types needs no stack of its own', () => {
  const chain = (length: number): BtfType[] => Array.from({ length }, (_, i) => array(i + 2, i + 1, 1))
  expect(codeOf(...chain(60))).toBe('accepted')
  expect(codeOf(...chain(70))).toBe('btf-too-deep')
  const pointers = Array.from({ length: 70 }, (_, i) => ptr(i + 2, i + 3))
  expect(codeOf(...pointers, { ...INT, id: 72 })).toBe('btf-too-deep')
})

it('reads split BTF on its base: ids and strings go on where the base ends', () => {
  const builder = btfBuilder()
  const int = builder.int('int', 4)
  const base = parseBtf(builder.finish())
  const own: BtfType[] = [
    {
      kind: 'struct',
      id: 2,
      name: 'module_state',
      size: 4,
      members: [{ name: 'n', type: int, bitOffset: 0, bitSize: 0 }],
    },
  ]
  const split = parseBtf(encodeBtf(own, { base }), { base })
  expect(split.firstId).toBe(2)
  expect(split.type(2)).toEqual(own[0])
  expect(split.type(int).name).toBe('int')
  expect([split.sizeOf(1), split.sizeOf(2)]).toEqual([4, 4])
  expect(split.string(1)).toBe('int')
  expect(() => parseBtf(encodeBtf(own, { base }))).toThrow(expect.objectContaining({ code: 'btf-bad-string' }))
})

it('says what is wrong with a header and where', () => {
  const good = btfBuilder().finish()
  const edited = (at: number, value: number): Uint8Array => good.map((byte, i) => (i === at ? value : byte))
  const codes = [
    edited(0, 0),
    edited(2, 9),
    edited(4, 8),
    edited(8, 2),
    edited(12, 200),
    edited(24, 65),
    good.subarray(0, 7),
  ]
  expect(
    codes.map((bytes) => {
      try {
        return parseBtf(bytes)
      } catch (error) {
        return (error as { code?: string }).code
      }
    }),
  ).toEqual([
    'btf-bad-magic',
    'btf-unknown-version',
    'btf-bad-header',
    'btf-bad-header',
    'btf-truncated',
    'btf-bad-string',
    'btf-truncated',
  ])
  const bigEndian = new Uint8Array(24)
  bigEndian.set([0xeb, 0x9f, 1])
  expect(() => parseBtf(bigEndian)).toThrow(/big-endian; only little-endian/)
})

it('takes a longer header, as newer kernels write, and refuses kinds that it does not know', () => {
  const longer = new ByteWriter().u16(0xeb9f).u8(1).u8(0).u32(32).u32(0).u32(12).u32(12).u32(1).u64(0n)
  const types = (kind: number): Uint8Array =>
    new ByteWriter()
      .raw(longer.finish())
      .u32(0)
      .u32(kind << 24)
      .u32(0)
      .u8(0)
      .finish()
  expect(parseBtf(types(2)).type(1)).toEqual(ptr(1, 0))
  expect(() => parseBtf(types(25))).toThrow(/type \[1\] is of kind 25/)
})

const vmlinux = '/sys/kernel/btf/vmlinux'
const skip = skipped(`reading ${vmlinux}`, existsSync(vmlinux) ? undefined : 'there is none')
it.skipIf(skip)("reads a running kernel's BTF and writes it back", { timeout: 60_000 }, () => {
  const btf = parseBtf(readFileSync(vmlinux))
  expect(btf.types.length).toBeGreaterThan(50_000)
  expect(btf.find('task_struct', 'struct')).toHaveLength(1)
  const again = parseBtf(encodeBtf(btf.types))
  const differing = btf.types.filter(
    (type, i) => again.types[i]?.name !== type.name || again.types[i]?.kind !== type.kind,
  )
  expect(differing).toEqual([])
})

it.each(['a', 'é'])('bounds the text of overlapping names (%s), whatever the size of the blob', (letter) => {
  const strings = new TextEncoder().encode(`\0${letter.repeat(100_000)}\0`)
  const blob = new ByteWriter().u16(0xeb9f).u8(1).u8(0).u32(24).u32(0)
  const types = new ByteWriter()
  for (let i = 0; i < 2_000; i++)
    types
      .u32(1)
      .u32(7 << 24)
      .u32(0)
  blob.u32(types.length).u32(types.length).u32(strings.length).raw(types.finish()).raw(strings)
  expect(() => parseBtf(blob.finish())).toThrow(/more than 67108864 characters/)
})
