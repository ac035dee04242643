import { expect, it } from 'vitest'
import { code, writeElf } from '../../test/support/elf-writer.js'
import { fixture } from '../../test/support/fixtures.js'
import { BpfError } from '../bits/index.js'
import { btfBuilder } from '../btf/index.js'
import { parseObject } from './object.js'

it.each(['clang14', 'clang16', 'clang19'])('reads every attribute of a map definition: %s', (clang) => {
  const { maps, btf } = parseObject(fixture(`maps.${clang}`))
  expect(Object.keys(maps).sort()).toEqual(['beats', 'bloom', 'first', 'jumps', 'outer', 'plain', 'second'])
  expect(maps.beats).toMatchObject({
    ...{ type: 'hash', keySize: 4, valueSize: 24, maxEntries: 64, flags: 1, pinning: 'by_name', contents: undefined },
  })
  expect(btf?.resolve(maps.beats?.valueTypeId ?? 0)).toMatchObject({ kind: 'struct', name: 'value', size: 24 })
  expect(maps.plain).toMatchObject({
    type: 'array',
    valueSize: 24,
    maxEntries: 3,
    numaNode: 1,
    keyTypeId: 0,
    valueTypeId: 0,
  })
  expect(maps.bloom).toMatchObject({ type: 'bloom_filter', keySize: 0, valueSize: 8, mapExtra: 5n })
})

it.each(['clang14', 'clang16', 'clang19'])('reads maps of maps, program arrays and what is in them: %s', (clang) => {
  const { maps } = parseObject(fixture(`maps.${clang}`))
  expect(maps.outer).toMatchObject({ type: 'array_of_maps', valueSize: 4, maxEntries: 4 })
  expect(maps.outer?.innerMap).toMatchObject({
    name: 'outer.inner',
    type: 'array',
    keySize: 4,
    valueSize: 8,
    maxEntries: 1,
  })
  expect(maps.outer?.initialValues).toEqual(
    new Map([
      [1, 'second'],
      [3, 'first'],
    ]),
  )
  expect(maps.jumps).toMatchObject({ type: 'prog_array', keySize: 4, valueSize: 4 })
  expect(maps.jumps?.initialValues).toEqual(new Map([[1, 'tail']]))
})

it('reads 64-bit attributes made by __ulong, and struct_ops as maps of their own', () => {
  const { maps, programs } = parseObject(fixture('odd.clang19'))
  expect(maps.arena).toMatchObject({ type: 'arena', mapExtra: 0x100000000000n, maxEntries: 2, flags: 1 << 10 })
  expect(maps.odd).toMatchObject({ type: 'struct_ops', valueSize: 40, flags: 1 << 13, section: '.struct_ops.link' })
  expect(maps.odd?.initialValues).toEqual(
    new Map([
      [0, 'start'],
      [1, 'threshold'],
    ]),
  )
  expect(programs.start).toMatchObject({ type: 'struct_ops', sleepable: false })
  expect(programs.threshold).toMatchObject({ type: 'struct_ops', sleepable: true, attachTo: 'ssthresh' })
})

/** An object with one map `m`, its definition made by `define` from (name, type id) pairs. */
function objectWith(
  define: (b: ReturnType<typeof btfBuilder>) => [string, number][],
  linkage: 'global' | 'static' = 'global',
) {
  const b = btfBuilder()
  const members = define(b).map(([name, type], index): [string, number, number] => [name, type, index * 8])
  const size = members.length * 8
  const type = b.struct('', size, members)
  const variable = b.add({ kind: 'var', name: 'm', type, linkage })
  b.add({ kind: 'datasec', name: '.maps', size: 0, vars: [{ type: variable, offset: 0, size }] })
  return writeElf(
    [
      { name: '.maps', flags: 3, data: new Uint8Array(size) },
      { name: '.BTF', data: b.finish() },
    ],
    [{ name: 'm', section: 1, type: 1, size }],
  )
}

const uint = (b: ReturnType<typeof btfBuilder>, value: number) =>
  b.pointer(b.array(b.int('int', 4, { signed: true }), value))

it.each<[string, string, (b: ReturnType<typeof btfBuilder>) => [string, number][]]>([
  ['bad-map-definition', 'map m: it has no type', (b) => [['max_entries', uint(b, 1)]]],
  ['unknown-map-type', 'map m: map type 99 does not exist', (b) => [['type', uint(b, 99)]]],
  ['unknown-map-attribute', "map m: 'colour' is no attribute", (b) => [['colour', uint(b, 1)]]],
  ['bad-map-definition', "map m: 'type' is not made by __uint", (b) => [['type', b.int('int', 4)]]],
  [
    'bad-map-definition',
    'map m: it says twice how large a key is: 8 and 4 bytes',
    (b) => [
      ['type', uint(b, 1)],
      ['key_size', uint(b, 8)],
      ['key', b.pointer(b.int('int', 4))],
    ],
  ],
  [
    'bad-map-definition',
    "map m: only maps of maps and program arrays have 'values'",
    (b) => [
      ['type', uint(b, 1)],
      ['values', uint(b, 8)],
    ],
  ],
  [
    'bad-map-definition',
    'pinning 2 is neither',
    (b) => [
      ['type', uint(b, 1)],
      ['pinning', uint(b, 2)],
    ],
  ],
])('refuses a definition with %s: %s', (code, sentence, define) => {
  expect(() => parseObject(objectWith(define))).toThrow(expect.objectContaining({ code }))
  expect(() => parseObject(objectWith(define))).toThrow(sentence)
})

it('refuses static maps, maps without BTF, and the map definitions of before libbpf 1.0', () => {
  expect(() => parseObject(objectWith((b) => [['type', uint(b, 1)]], 'static'))).toThrow(
    'map m: a map cannot be static',
  )
  const noBtf = writeElf([{ name: '.maps', data: new Uint8Array(32) }])
  expect(() => parseObject(noBtf)).toThrow(expect.objectContaining({ code: 'missing-btf' }))
  const old = writeElf([{ name: 'maps', data: new Uint8Array(20) }, code('xdp', [])])
  expect(() => parseObject(old)).toThrow(expect.objectContaining({ code: 'legacy-maps' }))
})

it('refuses initial values that are no maps', () => {
  const object = objectWith((b) => [['type', uint(b, 1)]])
  expect(Object.keys(parseObject(object).maps)).toEqual(['m'])
  const bad = writeElf(
    [{ name: '.maps', data: new Uint8Array(32) }],
    [{ name: 'm', section: 1, type: 1 }],
    [{ section: 1, offset: 0, type: 2, symbol: 1 }],
  )
  expect(() => parseObject(bad)).toThrow(BpfError)
})

it('lets the sizes of maps be edited before they are loaded', () => {
  const { maps } = parseObject(fixture('maps.clang19'))
  if (maps.beats) maps.beats.maxEntries = 5
  expect(maps.beats?.maxEntries).toBe(5)
})
