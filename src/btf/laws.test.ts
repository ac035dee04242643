import fc from 'fast-check'
import { expect, it } from 'vitest'
import { BpfError, ParseError } from '../bits/index.js'
import {
  type Btf,
  type BtfType,
  btfBuilder,
  cDeclarations,
  encodeBtf,
  type NewBtfType,
  parseBtf,
  readValue,
  specialFields,
  valueCodec,
} from './index.js'

/** Four numbers make one type out of the ones before it; whatever they are, the result is valid BTF. */
type Seed = readonly [kind: number, a: number, b: number, name: number]

const seeds: fc.Arbitrary<Seed[]> = fc.array(fc.tuple(fc.nat(17), fc.nat(1000), fc.nat(1000), fc.nat(30)), {
  maxLength: 30,
})

function typesOf(seeds: readonly Seed[]): BtfType[] {
  const builder = btfBuilder()
  builder.int('int', 4, { signed: true })
  builder.int('char', 1, { signed: true })
  for (const [kind, a, b, n] of seeds) {
    const before = parseBtf(builder.finish())
    builder.add(typeOf(before, kind, a, b, n === 0 ? '' : `n${n}`))
  }
  return builder.types()
}

function typeOf(before: Btf, kind: number, a: number, b: number, name: string): NewBtfType {
  const of = (kinds?: readonly string[]) => before.types.filter((type) => !kinds || kinds.includes(type.kind))
  const pick = (list: readonly BtfType[], n: number): number => list[n % list.length]?.id ?? 1
  const anyType = pick(
    of().filter((type) => !['func', 'var', 'datasec', 'decl_tag'].includes(type.kind)),
    a,
  )
  const sized = pick(
    of(['int', 'ptr', 'array', 'struct', 'union', 'enum', 'enum64', 'float']).filter(
      (type) => before.sizeOf(type.id) < 1000,
    ),
    b,
  )
  const size = before.sizeOf(sized)
  const members = [
    { name: 'first', type: sized, bitOffset: 0, bitSize: 0 },
    { name: name && `${name}_m`, type: 1, bitOffset: 0, bitSize: 0 },
  ]
  const after = { name: 'bits', type: 1, bitOffset: size * 8 + (a % 8), bitSize: 1 + (b % 20) }
  const values = [
    { name: `${name}_A`, value: BigInt(a) },
    { name: `${name}_B`, value: BigInt(b) << 20n },
  ]
  const modifier = (['typedef', 'volatile', 'const', 'restrict', 'type_tag'] as const)[b % 5] ?? 'const'
  const made: NewBtfType[] = [
    { kind: 'int', name, size: 8, bits: 64, bitOffset: 0, signed: a % 2 === 0, char: false, bool: false },
    { kind: 'int', name, size: 1, bits: 8, bitOffset: 0, signed: false, char: a % 2 === 0, bool: b % 2 === 0 },
    { kind: 'ptr', name: '', type: anyType },
    { kind: 'array', name: '', type: sized, indexType: 1, length: a % 9 },
    { kind: 'struct', name, size: size + 4, members: [...members.slice(0, 1), after] },
    { kind: 'union', name, size: Math.max(size, 4), members },
    { kind: 'enum', name, size: 4, signed: false, values },
    { kind: 'enum64', name, size: 8, signed: true, values: values.map(({ name, value }) => ({ name, value: -value })) },
    { kind: 'fwd', name, union: a % 2 === 0 },
    { kind: modifier, name: modifier === 'typedef' || modifier === 'type_tag' ? name : '', type: anyType },
    {
      kind: 'func_proto',
      name: '',
      returnType: anyType,
      params: [
        { name, type: sized },
        { name: '', type: 0 },
      ],
    },
    { kind: 'float', name, size: b % 2 ? 4 : 8 },
    { kind: 'var', name, type: sized, linkage: a % 2 ? 'global' : 'static' },
  ]
  const [proto] = of(['func_proto'])
  const [variable] = of(['var'])
  const [struct] = of(['struct'])
  if (proto) made.push({ kind: 'func', name, type: proto.id, linkage: 'extern' })
  if (variable) made.push({ kind: 'datasec', name, size: 4000, vars: [{ type: variable.id, offset: a, size: b }] })
  if (struct) made.push({ kind: 'decl_tag', name, type: struct.id, component: (a % 3) - 1 })
  return made[kind % made.length] ?? { kind: 'fwd', name, union: false }
}

it('parses what was encoded to the same types, byte for byte the second time', () => {
  fc.assert(
    fc.property(seeds, (seeds) => {
      const types = typesOf(seeds)
      const bytes = encodeBtf(types)
      const btf = parseBtf(bytes)
      expect(btf.types).toEqual(types)
      expect(encodeBtf(btf.types)).toEqual(bytes)
    }),
    { numRuns: 100 },
  )
})

it('gives a value back that was read from any bytes, and the same bytes for it ever after', () => {
  fc.assert(
    fc.property(seeds, fc.uint8Array({ minLength: 1, maxLength: 64 }), (seeds, noise) => {
      const btf = parseBtf(encodeBtf(typesOf(seeds)))
      for (const type of btf.types) {
        const codec = codecOrNot(btf, type.id)
        if (!codec || codec.size > 4096 || type.kind === 'datasec' || isLossyUnion(btf, type.id)) continue
        const bytes = Uint8Array.from({ length: codec.size }, (_, i) => noise[i % noise.length] ?? 0)
        const value = codec.read(bytes)
        const again = codec.write(value)
        expect(codec.read(again)).toEqual(value)
        expect(codec.write(codec.read(again))).toEqual(again)
      }
    }),
    { numRuns: 100 },
  )
})

/** A union whose every view drops something (a bool is not 2, text ends at its NUL) cannot be put together again. */
function isLossyUnion(btf: Btf, id: number): boolean {
  const kinds = new Set<string>()
  const visit = (id: number): void => {
    const type = btf.resolve(id)
    kinds.add(
      type.kind === 'int' && (type.bool || type.name === 'char')
        ? 'lossy'
        : type.kind === 'float'
          ? 'lossy'
          : type.kind,
    )
    if (type.kind === 'array') visit(type.type)
    if (type.kind === 'struct' || type.kind === 'union') for (const member of type.members) visit(member.type)
    if (type.kind === 'var') visit(type.type)
  }
  visit(id)
  return kinds.has('union') && kinds.has('lossy')
}

function codecOrNot(btf: Btf, id: number): ReturnType<typeof valueCodec> | undefined {
  try {
    return valueCodec(btf, id)
  } catch (error) {
    expect(error).toMatchObject({ code: 'btf-no-size' })
    return undefined
  }
}

it('takes damaged BTF apart or refuses it with a ParseError, and whatever it takes can be used', () => {
  const edits = fc.array(fc.tuple(fc.nat(4000), fc.nat(255)), { minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(seeds, edits, fc.nat(100), (seeds, edits, cut) => {
      const bytes = encodeBtf(typesOf(seeds))
      for (const [at, value] of edits) bytes[at % bytes.length] = value
      const btf = parseOrNot(cut === 0 ? bytes.subarray(0, bytes.length >> 1) : bytes)
      if (!btf) return
      orBpfError(() => cDeclarations(btf))
      for (const { id } of btf.types) {
        btf.resolve(id)
        specialFields(btf, id)
        orBpfError(() => {
          if (btf.sizeOf(id) < 10_000) readValue(btf, id, new Uint8Array(btf.sizeOf(id)))
        })
      }
    }),
    { numRuns: 300 },
  )
})

function parseOrNot(bytes: Uint8Array): Btf | undefined {
  try {
    return parseBtf(bytes)
  } catch (error) {
    expect(error).toBeInstanceOf(ParseError)
    return undefined
  }
}

function orBpfError(act: () => void): void {
  try {
    act()
  } catch (error) {
    expect(error).toBeInstanceOf(BpfError)
  }
}
