import fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  formatTnum,
  type Tnum,
  tnumAdd,
  tnumAnd,
  tnumArsh,
  tnumCast,
  tnumConst,
  tnumContains,
  tnumIntersect,
  tnumLsh,
  tnumMul,
  tnumNeg,
  tnumNext,
  tnumOr,
  tnumOverlap,
  tnumRange,
  tnumRsh,
  tnumSub,
  tnumSubreg,
  tnumUnion,
  tnumWithSubreg,
  tnumXor,
} from './tnum.js'

/** All tnums over the given bits, the others being 0. */
function tnumsOver(bits: readonly bigint[]): Tnum[] {
  let all: Tnum[] = [{ value: 0n, mask: 0n }]
  for (const bit of bits) {
    all = all.flatMap(({ value, mask }) => [
      { value, mask },
      { value: value | (1n << bit), mask },
      { value, mask: mask | (1n << bit) },
    ])
  }
  return all
}

function members(t: Tnum): bigint[] {
  const all: bigint[] = []
  for (let part = t.mask; ; part = (part - 1n) & t.mask) {
    all.push(t.value | part)
    if (part === 0n) return all
  }
}

const has = (t: Tnum, v: bigint): boolean => (BigInt.asUintN(64, v) & ~t.mask) === t.value
const low = tnumsOver([0n, 1n, 2n, 3n])
/** Bits at which carries cross the halves and the end. */
const edges = tnumsOver([0n, 31n, 32n, 63n])

const operations: [string, (a: Tnum, b: Tnum) => Tnum, (a: bigint, b: bigint) => bigint][] = [
  ['add', tnumAdd, (a, b) => a + b],
  ['sub', tnumSub, (a, b) => a - b],
  ['mul', tnumMul, (a, b) => a * b],
  ['and', tnumAnd, (a, b) => a & b],
  ['or', tnumOr, (a, b) => a | b],
  ['xor', tnumXor, (a, b) => a ^ b],
]

it.each(operations)(
  '%s holds every concrete result: all tnums of 4 bits and at the edges of 32 and 64',
  (_, abstract, concrete) => {
    for (const set of [low, edges]) {
      for (const a of set) {
        const inA = members(a)
        for (const b of set) {
          const result = abstract(a, b)
          expect(result.value & result.mask).toBe(0n)
          for (const x of inA)
            for (const y of members(b)) if (!has(result, concrete(x, y))) expect([a, b, x, y]).toBe(result)
        }
      }
    }
  },
)

it.each(operations.filter(([name]) => name !== 'mul'))(
  '%s is exact: no smaller tnum would do (4 bits)',
  (_, abstract, concrete) => {
    for (const a of low) {
      for (const b of low) {
        const results = members(a).flatMap((x) => members(b).map((y) => tnumConst(BigInt.asUintN(64, concrete(x, y)))))
        expect(abstract(a, b)).toEqual(results.reduce(tnumUnion))
      }
    }
  },
)

it('shifts, negates, casts and steps like its members', () => {
  for (const t of [...low, ...edges]) {
    const all = members(t)
    for (const by of [0, 1, 31, 32, 63]) {
      const shift = BigInt(by)
      for (const v of all) {
        expect(has(tnumLsh(t, by), v << shift)).toBe(true)
        expect(has(tnumRsh(t, by), v >> shift)).toBe(true)
        expect(has(tnumArsh(t, by, 64), BigInt.asIntN(64, v) >> shift)).toBe(true)
        if (by < 32) {
          expect(has(tnumArsh(tnumSubreg(t), by, 32), BigInt.asUintN(32, BigInt.asIntN(32, v) >> shift))).toBe(true)
        }
      }
    }
    for (const v of all) {
      expect(has(tnumNeg(t), -v)).toBe(true)
      expect(has(tnumCast(t, 2), v & 0xffffn)).toBe(true)
      expect(has(tnumWithSubreg(t, tnumConst(5n)), (v & ~0xffffffffn) | 5n)).toBe(true)
    }
  }
})

it('compares as sets: contains, overlap, intersect, union (all pairs of 4 bits)', () => {
  for (const a of low) {
    const inA = members(a)
    for (const b of low) {
      const inB = members(b)
      const common = inA.filter((v) => has(b, v))
      expect(tnumOverlap(a, b)).toBe(common.length > 0)
      expect(tnumContains(a, b)).toBe(inB.every((v) => has(a, v)))
      if (common.length) expect(members(tnumIntersect(a, b)).sort()).toEqual(common.sort())
      expect([...inA, ...inB].every((v) => has(tnumUnion(a, b), v))).toBe(true)
    }
  }
})

it('finds the next member (all tnums of 5 bits, from everywhere)', () => {
  for (const t of tnumsOver([0n, 1n, 2n, 3n, 4n])) {
    const all = members(t).sort((x, y) => Number(x - y))
    for (let after = 0n; after < 34n; after++) {
      expect(tnumNext(t, after)).toBe(all.find((v) => v > after) ?? all.at(-1))
    }
  }
})

it('covers a range with the fewest bits', () => {
  const u64 = fc.bigInt(0n, 2n ** 64n - 1n)
  fc.assert(
    fc.property(u64, u64, u64, (x, y, z) => {
      const [a, b, c] = [x, y, z].sort((p, q) => (p < q ? -1 : 1)) as [bigint, bigint, bigint]
      const range = tnumRange(a, c)
      expect([a, b, c].every((v) => has(range, v))).toBe(true)
      // The highest unknown bit really differs between the ends.
      if (range.mask !== 0n) expect((a ^ c) & (range.mask ^ (range.mask >> 1n))).not.toBe(0n)
    }),
  )
})

it('prints as the log does', () => {
  expect(formatTnum({ value: 0n, mask: 0xffn })).toBe('(0x0; 0xff)')
  expect(formatTnum({ value: 0x10n, mask: 0xffff_ffff_0000_0000n })).toBe('(0x10; 0xffffffff00000000)')
})
