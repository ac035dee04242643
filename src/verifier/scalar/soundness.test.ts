// No concrete number may escape: whatever a program can compute, the scalar of the result contains it. Enumerated over
// all ranges in windows around the points where numbers wrap or change sign, over all tnums of a few bits, and by random
// scalars of 64 bits. Equality with the kernel's own answers is tested in recorded.test.ts.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type AluOp, alu, forkScalar } from './alu.js'
import { branchTaken, type JumpOp, refine } from './branch.js'
import {
  constant,
  contains,
  intersect,
  type Scalar,
  signExtend,
  signedRange,
  subsumes,
  sync,
  truncate,
  unknownScalar,
  unsignedRange,
  zeroExtend32,
} from './scalar.js'

const u = (v: bigint): bigint => BigInt.asUintN(64, v)
const s = (v: bigint): bigint => BigInt.asIntN(64, v)

const binary: Record<Exclude<AluOp, 'neg'>, (a: bigint, b: bigint, width: 32 | 64) => bigint> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => (b === 0n ? 0n : a / b),
  mod: (a, b) => (b === 0n ? a : a % b),
  sdiv: (a, b, w) => (b === 0n ? 0n : BigInt.asIntN(w, a) / BigInt.asIntN(w, b)),
  smod: (a, b, w) => (b === 0n ? a : BigInt.asIntN(w, a) % BigInt.asIntN(w, b)),
  or: (a, b) => a | b,
  and: (a, b) => a & b,
  xor: (a, b) => a ^ b,
  lsh: (a, b, w) => a << (b & BigInt(w - 1)),
  rsh: (a, b, w) => a >> (b & BigInt(w - 1)),
  arsh: (a, b, w) => BigInt.asIntN(w, a) >> (b & BigInt(w - 1)),
}
const ops = Object.keys(binary) as (keyof typeof binary)[]

function execute(op: keyof typeof binary, width: 32 | 64, a: bigint, b: bigint): bigint {
  return BigInt.asUintN(width, binary[op](BigInt.asUintN(width, a), BigInt.asUintN(width, b), width))
}

const jumps: Record<JumpOp, (a: bigint, b: bigint, width: 32 | 64) => boolean> = {
  jeq: (a, b) => a === b,
  jne: (a, b) => a !== b,
  jgt: (a, b) => a > b,
  jge: (a, b) => a >= b,
  jlt: (a, b) => a < b,
  jle: (a, b) => a <= b,
  jsgt: (a, b, w) => BigInt.asIntN(w, a) > BigInt.asIntN(w, b),
  jsge: (a, b, w) => BigInt.asIntN(w, a) >= BigInt.asIntN(w, b),
  jslt: (a, b, w) => BigInt.asIntN(w, a) < BigInt.asIntN(w, b),
  jsle: (a, b, w) => BigInt.asIntN(w, a) <= BigInt.asIntN(w, b),
  jset: (a, b) => (a & b) !== 0n,
}
const jumpOps = Object.keys(jumps) as JumpOp[]

/** A scalar with some of its members (all of them in the enumerations). */
interface Sample {
  readonly scalar: Scalar
  readonly members: readonly bigint[]
}

function checkAlu(op: keyof typeof binary, width: 32 | 64, a: Sample, b: Sample): void {
  const result = alu(op, width, a.scalar, b.scalar)
  for (const x of a.members) {
    for (const y of b.members) {
      if (!contains(result, execute(op, width, x, y))) expect({ op, width, x, y, a, b }).toBe(result)
    }
  }
}

function checkJump(op: JumpOp, width: 32 | 64, a: Sample, b: Sample): void {
  const known = branchTaken(op, width, a.scalar, b.scalar)
  const { taken, fallthrough } = refine(op, width, a.scalar, b.scalar)
  for (const x of a.members) {
    for (const y of b.members) {
      const jumped = jumps[op](BigInt.asUintN(width, x), BigInt.asUintN(width, y), width)
      const [left, right] = jumped ? taken : fallthrough
      const sound = (known === undefined || known === jumped) && contains(left, x) && contains(right, y)
      if (!sound) expect({ op, width, x, y, known, a, b }).toBe({ left, right })
    }
  }
}

/** Every range of neighbours around a point, read as signed and as unsigned. */
function rangesAround(point: bigint): Sample[] {
  const samples: Sample[] = []
  for (let from = -1n; from <= 1n; from++) {
    for (let to = from; to <= 1n; to++) {
      const members = Array.from({ length: Number(to - from) + 1 }, (_, i) => u(point + from + BigInt(i)))
      const [first, last] = [members[0] ?? 0n, members.at(-1) ?? 0n]
      if (first <= last) samples.push({ scalar: unsignedRange(first, last), members })
      if (s(first) <= s(last)) samples.push({ scalar: signedRange(s(first), s(last)), members })
    }
  }
  return samples
}

/** Every tnum over three bits on both sides of where halves and signs end. */
function tnumSamples(): Sample[] {
  const bits = [31n, 32n, 63n]
  const samples: Sample[] = []
  for (let code = 0; code < 27; code++) {
    let value = 0n
    let members = [0n]
    let mask = 0n
    for (const [i, bit] of bits.entries()) {
      const trit = Math.floor(code / 3 ** i) % 3
      if (trit === 1) value |= 1n << bit
      if (trit === 2) mask |= 1n << bit
      members = members.flatMap((m) => (trit === 2 ? [m, m | (1n << bit)] : [trit ? m | (1n << bit) : m]))
    }
    samples.push({ scalar: sync({ ...unknownScalar, tnum: { value, mask } }), members })
  }
  return samples
}

const points = [0n, 1n << 31n, 1n << 32n, 1n << 63n, 5n << 32n]
const ranges = points.flatMap(rangesAround)
const widths = [32, 64] as const

it.each(ops)('%s: every pair of ranges around 0, 2^31, 2^32 and 2^63', (op) => {
  for (const width of widths) for (const a of ranges) for (const b of ranges) checkAlu(op, width, a, b)
})

it.each(jumpOps)('%s: every pair of ranges around 0, 2^31, 2^32 and 2^63', (op) => {
  for (const width of widths) for (const a of ranges) for (const b of ranges) checkJump(op, width, a, b)
})

it('ALU and jumps: every pair of tnums over bits 31, 32 and 63', () => {
  const samples = tnumSamples()
  const shiftOps = ['lsh', 'rsh', 'arsh']
  for (const width of widths) {
    for (const a of samples) {
      for (const b of samples) {
        for (const op of ops) if (!shiftOps.includes(op)) checkAlu(op, width, a, b)
        for (const op of jumpOps) checkJump(op, width, a, b)
      }
    }
  }
})

it('shifts by every amount', () => {
  const operands = [...ranges, ...tnumSamples()]
  for (const op of ['lsh', 'rsh', 'arsh'] as const) {
    for (const width of widths) {
      for (let by = 0n; by < BigInt(width); by++) {
        for (const a of operands) checkAlu(op, width, a, { scalar: constant(by), members: [by] })
      }
    }
  }
})

it('conversions and the split of -1 and 0', () => {
  for (const { scalar, members } of [...ranges, ...tnumSamples()]) {
    const fork = forkScalar('and', scalar, constant(7n))
    for (const v of members) {
      for (const bytes of [1, 2, 4, 8])
        expect(contains(truncate(scalar, bytes), BigInt.asUintN(bytes * 8, v))).toBe(true)
      expect(contains(zeroExtend32(scalar), BigInt.asUintN(32, v))).toBe(true)
      for (const bits of [8, 16, 32] as const) {
        expect(contains(signExtend(scalar, bits), BigInt.asIntN(bits, v))).toBe(true)
        expect(contains(signExtend(scalar, bits, 32), BigInt.asUintN(32, BigInt.asIntN(bits, v)))).toBe(true)
      }
      expect(contains(alu('neg', 64, scalar, scalar), -v)).toBe(true)
      expect(contains(alu('neg', 32, scalar, scalar), BigInt.asUintN(32, -v))).toBe(true)
      if (fork) expect(contains(fork.now, v) || contains(fork.pushed, v)).toBe(true)
    }
  }
})

/** A random scalar that holds a random number: random bits forgotten, random ranges around it in each view. */
const sample: fc.Arbitrary<Sample> = fc
  .tuple(
    fc.oneof(
      fc.bigInt(0n, 2n ** 64n - 1n),
      fc.integer().map(BigInt),
      fc.constantFrom(0n, 1n, -1n, 1n << 31n, 1n << 63n),
    ),
    fc.bigInt(0n, 2n ** 64n - 1n),
    fc.array(fc.bigInt(0n, 2n ** 64n), { minLength: 4, maxLength: 4 }),
    fc.array(fc.nat(0xffffffff), { minLength: 4, maxLength: 4 }),
    fc.nat(63),
  )
  .map(([number, mask, [a = 0n, b = 0n, c = 0n, d = 0n], [e = 0, f = 0, g = 0, h = 0], by]) => {
    const v = u(number)
    const half = Number(v & 0xffffffffn)
    const shift = BigInt(by)
    const clamp = (x: bigint, low: bigint, high: bigint): bigint => (x < low ? low : x > high ? high : x)
    const scalar = sync({
      tnum: { value: v & ~mask, mask },
      smin: clamp(s(v) - (a >> shift), -(1n << 63n), s(v)),
      smax: clamp(s(v) + (b >> shift), s(v), (1n << 63n) - 1n),
      umin: clamp(v - (c >> shift), 0n, v),
      umax: clamp(v + (d >> shift), v, (1n << 64n) - 1n),
      s32min: Math.max((half | 0) - e, -(2 ** 31)),
      s32max: Math.min((half | 0) + f, 2 ** 31 - 1),
      u32min: Math.max(half - g, 0),
      u32max: Math.min(half + h, 2 ** 32 - 1),
    })
    return { scalar, members: [v] }
  })

it('random scalars: bringing the views together loses no member, and every operation keeps them', () => {
  fc.assert(
    fc.property(
      sample,
      sample,
      fc.constantFrom(...ops),
      fc.constantFrom(...jumpOps),
      fc.constantFrom(...widths),
      (a, b, op, jump, width) => {
        expect(a.members.every((v) => contains(a.scalar, v))).toBe(true)
        expect(subsumes(unknownScalar, a.scalar)).toBe(true)
        checkAlu(op, width, a, b)
        checkJump(jump, width, a, b)
      },
    ),
    { numRuns: 5000 },
  )
})

it('random scalars: intersect keeps what both hold, subsumes agrees with it', () => {
  fc.assert(
    fc.property(sample, sample, (a, b) => {
      for (const v of [...a.members, ...b.members]) {
        if (contains(a.scalar, v) && contains(b.scalar, v))
          expect(contains(intersect(a.scalar, b.scalar), v)).toBe(true)
        if (subsumes(a.scalar, b.scalar) && contains(b.scalar, v)) expect(contains(a.scalar, v)).toBe(true)
      }
    }),
    { numRuns: 2000 },
  )
})
