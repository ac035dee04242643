import fc from 'fast-check'
import { expect, it } from 'vitest'
import { btfBuilder, encodeValue, type NewBtfType, parseBtf, readValue, valueCodec, writeValue } from './index.js'
import { readBits, writeBits } from './scalars.js'

const builder = btfBuilder()
const char = builder.int('char', 1, { signed: true })
const u8 = builder.int('unsigned char', 1)
const int = builder.int('int', 4, { signed: true })
const u32 = builder.int('unsigned int', 4)
const u64 = builder.int('unsigned long long', 8)
const bool = builder.int('_Bool', 1, { bool: true })
const i128 = builder.int('__int128', 16, { signed: true })
const double = builder.add({ kind: 'float', name: 'double', size: 8 })
const half = builder.add({ kind: 'float', name: '_Float16', size: 2 })
const pointer = builder.pointer(0)
const color = builder.add({
  kind: 'enum',
  name: 'color',
  size: 4,
  signed: true,
  values: [
    { name: 'RED', value: 0n },
    { name: 'GREEN', value: 5n },
  ],
})
const huge = builder.add({
  kind: 'enum64',
  name: 'huge',
  size: 8,
  signed: false,
  values: [{ name: 'TOP', value: 1n << 63n }],
})
const name = builder.array(char, 8)
const mac = builder.array(u8, 6)
const matrix = builder.array(builder.array(int, 3), 2)
const wq = builder.struct('bpf_wq', 16, [['__opaque', builder.array(u64, 2), 0]])
const lock = builder.struct('bpf_spin_lock', 4, [['val', u32, 0]])
const value = builder.struct('value', 40, [
  ['count', u64, 0],
  ['work', wq, 8],
  ['name', name, 24],
  ['lock', lock, 32],
  ['after', u32, 36],
])
const values = builder.array(value, 2)
const address = builder.add(union('address', 8, ['v4', u32], ['v8', u64], ['bytes', builder.array(u8, 4)]))
const anonymous = builder.add(union('', 8, ['low', u32], ['all', u64]))
const packet = builder.struct('packet', 16, [
  ['kind', u32, 0],
  ['', anonymous, 8],
])
const flags = builder.add({
  kind: 'struct',
  name: 'flags',
  size: 8,
  members: [
    { name: 'a', type: u32, bitOffset: 0, bitSize: 3 },
    { name: 'b', type: int, bitOffset: 3, bitSize: 7 },
    { name: 'c', type: color, bitOffset: 10, bitSize: 5 },
    { name: 'd', type: bool, bitOffset: 15, bitSize: 1 },
    { name: 'e', type: u64, bitOffset: 16, bitSize: 40 },
  ],
})
const alias = builder.add({
  kind: 'typedef',
  name: 'value_t',
  type: builder.add({ kind: 'const', name: '', type: value }),
})
const counter = builder.add({ kind: 'var', name: 'counter', type: u64, linkage: 'global' })
const limit = builder.add({ kind: 'var', name: 'limit', type: int, linkage: 'global' })
const section = builder.add({
  kind: 'datasec',
  name: '.bss',
  size: 16,
  vars: [
    { type: counter, offset: 0, size: 8 },
    { type: limit, offset: 8, size: 4 },
  ],
})
const nothing = builder.array(builder.add({ kind: 'struct', name: 'empty', size: 0, members: [] }), 0xffffffff)
const btf = parseBtf(builder.finish())

function union(name: string, size: number, ...members: [string, number][]): NewBtfType {
  return {
    kind: 'union',
    name,
    size,
    members: members.map(([name, type]) => ({ name, type, bitOffset: 0, bitSize: 0 })),
  }
}
const bytes = (id: number, value: unknown): number[] => [...encodeValue(btf, id, value)]
const through = (id: number, value: unknown): unknown => readValue(btf, id, encodeValue(btf, id, value))
const error = (id: number, value: unknown): string => {
  try {
    return `accepted: ${bytes(id, value)}`
  } catch (error) {
    expect(error).toMatchObject({ name: 'BpfError', code: 'bad-value' })
    return (error as Error).message
  }
}

it('has numbers up to 32 bits, bigints beyond, and takes either', () => {
  expect([through(int, -1), through(u32, 4294967295n), through(u64, 7), through(i128, -5n)]).toEqual([
    -1,
    4294967295,
    7n,
    -5n,
  ])
  expect([through(u64, '18446744073709551615'), through(u64, '0xff'), through(int, '-3')]).toEqual([
    2n ** 64n - 1n,
    255n,
    -3,
  ])
  expect([through(bool, true), through(bool, 0)]).toEqual([true, false])
  expect([through(pointer, 0xffff), through(double, 0.1)]).toEqual([65535n, 0.1])
  expect(through(half, Uint8Array.of(0, 60))).toEqual(Uint8Array.of(0, 60))
})

it('refuses numbers that do not fit instead of cutting them', () => {
  expect(error(int, 2 ** 31)).toBe('value: 2147483648 does not fit signed 32 bits (-2147483648 to 2147483647)')
  expect(error(u32, -1)).toMatch(/does not fit unsigned 32 bits/)
  for (const wrong of [1.5, Number.NaN, 2 ** 60, '', 'seven', '0x', null, undefined, {}, []]) {
    expect(error(u64, wrong)).toMatch(/is not a whole number/)
  }
  expect(error(bool, 2)).toMatch(/not true or false/)
  expect(error(double, '1')).toMatch(/not a number/)
  expect(error(half, 1)).toMatch(/_Float16 takes a Uint8Array of 2 bytes/)
})

it('has enums by name; numbers without a name stay numbers', () => {
  expect([
    through(color, 'GREEN'),
    through(color, 0),
    through(color, 7),
    through(huge, 'TOP'),
    through(huge, 3),
  ]).toEqual(['GREEN', 'RED', 7, 'TOP', 3n])
  expect(error(color, 'BLUE')).toBe("value: 'BLUE' is not a name of enum color")
})

it('reads char[] as text where it is text, as numbers where it is not', () => {
  const read = (...given: number[]): unknown =>
    readValue(
      btf,
      name,
      Uint8Array.from({ length: 8 }, (_, i) => given[i] ?? 0),
    )
  expect(read(104, 105)).toBe('hi')
  expect(read(104, 105, 0, 200, 201)).toBe('hi')
  expect(read()).toBe('')
  expect(read(65, 66, 67, 68, 69, 70, 71, 72)).toBe('ABCDEFGH')
  expect(read(0xc3, 0xa9)).toBe('é')
  expect(read(1, 2)).toEqual([1, 2, 0, 0, 0, 0, 0, 0])
  expect(read(0, 65)).toEqual([0, 65, 0, 0, 0, 0, 0, 0])
  expect(read(0xff)).toEqual([-1, 0, 0, 0, 0, 0, 0, 0])
  expect([bytes(name, 'hi'), bytes(name, [104, 105]), bytes(name, Uint8Array.of(104, 105))]).toEqual(
    new Array(3).fill([104, 105, 0, 0, 0, 0, 0, 0]),
  )
  expect(error(name, 'ninebytes')).toBe('value: 9 bytes of text do not fit into 8')
})

it('has arrays as arrays; what is left out is zero', () => {
  expect(through(mac, [1, 2])).toEqual([1, 2, 0, 0, 0, 0])
  expect(through(matrix, [[1], [4, 5, 6]])).toEqual([
    [1, 0, 0],
    [4, 5, 6],
  ])
  expect(through(matrix, new Uint8Array(24).fill(1))).toEqual(new Array(2).fill(new Array(3).fill(0x01010101)))
  expect(through(builder.array(int, 3), Int32Array.of(-1, 2))).toEqual([-1, 2, 0])
  expect(error(matrix, [[1, 2, 3, 4]])).toBe('[0]: 4 elements are given, the array has 3')
  expect(error(matrix, [[], ['x']])).toBe("[1][0]: 'x' is not a whole number")
  expect(error(mac, 'text')).toMatch(/is not an array of 6/)
  expect(through(nothing, [])).toEqual([])
})

it('has structs as objects: omitted members are zero, unknown ones an error at their path', () => {
  expect(through(value, { count: 3n, name: 'a' })).toEqual({
    count: 3n,
    work: { opaque: 'bpf_wq' },
    name: 'a',
    lock: { opaque: 'bpf_spin_lock' },
    after: 0,
  })
  expect(through(alias, { after: 9 })).toMatchObject({ after: 9 })
  expect(error(values, [{}, { conut: 1 }])).toBe("[1].conut: struct value has no member 'conut'")
  expect(error(values, [{ name: [1, 2, 3, 'x'] }])).toBe("[0].name[3]: 'x' is not a whole number")
  expect(error(value, 5)).toMatch(/5 is not an object/)
  expect(error(value, new Uint8Array(3))).toMatch(/takes 40 bytes, 3 are given/)
})

it('never touches what the kernel manages (2.7): a workqueue and a lock survive any write', () => {
  const cell = (at: number): boolean => (at % 40 >= 8 && at % 40 < 24) || (at % 40 >= 32 && at % 40 < 36)
  for (const wrote of [[{ count: 1, work: { anything: 1 }, after: 2 }], [{}, { count: 1 }], new Uint8Array(80)]) {
    const memory = new Uint8Array(80).fill(0xee)
    writeValue(btf, values, wrote, memory)
    expect([...memory.keys()].filter((at) => (memory[at] === 0xee) !== cell(at))).toEqual([])
  }
})

it('reads all members of a union and writes the one that is meant', () => {
  expect(through(address, { v4: 0x01020304 })).toEqual({ v4: 0x01020304, v8: 0x01020304n, bytes: [4, 3, 2, 1] })
  expect(through(address, { bytes: [1] })).toMatchObject({ v8: 1n })
  expect(through(address, {})).toMatchObject({ v8: 0n })
  expect(bytes(address, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8))).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
  expect(through(address, { v4: 1, bytes: [1, 0, 0, 0] })).toMatchObject({ v8: 1n })
  expect(error(address, { v4: 1, v8: 2 })).toBe(
    'value: union address holds one member at a time, and v4 and v8 say different things',
  )
})

it('takes members of anonymous unions as members of the struct around, as C does', () => {
  expect(through(packet, { kind: 1, low: 7 })).toEqual({ kind: 1, low: 7, all: 7n })
  expect(error(packet, { low: 1, all: 2 })).toMatch(/low and all say different things/)
  expect(error(packet, { high: 1 })).toMatch(/no member 'high'/)
})

it('reads and writes bit fields without touching their neighbours', () => {
  const all = { a: 5, b: -64, c: 'GREEN', d: true, e: 2n ** 40n - 1n }
  expect(through(flags, all)).toEqual(all)
  expect(bytes(flags, { b: -1 })).toEqual([0xf8, 0x03, 0, 0, 0, 0, 0, 0])
  expect(error(flags, { a: 8 })).toBe('.a: 8 does not fit unsigned 3 bits (0 to 7)')
  fc.assert(
    fc.property(
      fc.nat(100),
      fc.integer({ min: 1, max: 128 }),
      fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }),
      (shift, bits, number) => {
        const memory = (fill: number) => {
          const bytes = new Uint8Array(32).fill(fill)
          return { bytes, view: new DataView(bytes.buffer) }
        }
        for (const [fill, around] of [
          [0, 0n],
          [255, 2n ** 256n - 1n],
        ] as const) {
          const at = memory(fill)
          writeBits(at, 1, shift, bits, number)
          expect(readBits(at, 1, shift, bits)).toBe(BigInt.asUintN(bits, number))
          writeBits(at, 1, shift, bits, around)
          expect(at.bytes.every((byte) => byte === fill)).toBe(true)
        }
      },
    ),
  )
})

it('has data sections as objects of variables, and a variable as its value', () => {
  expect(through(section, { counter: 3, limit: -1 })).toEqual({ counter: 3n, limit: -1 })
  expect(through(counter, 5)).toBe(5n)
  expect(() => readValue(btf, u64, new Uint8Array(4))).toThrow(/has 8 bytes, 4 are given/)
  expect(() => valueCodec(btf, 0)).toThrow(expect.objectContaining({ code: 'btf-no-size' }))
})
