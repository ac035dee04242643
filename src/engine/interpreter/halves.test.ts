import fc from 'fast-check'
import { expect, it } from 'vitest'
import { divide, divideSigned, multiply, swap16, swap32 } from './halves.js'

/** Random 64-bit numbers, with many near powers of two, where carries and estimates go wrong. */
const u64 = fc.oneof(
  fc.bigInt(0n, 2n ** 64n - 1n),
  fc
    .tuple(fc.nat(64), fc.integer({ min: -3000, max: 3000 }))
    .map(([bit, d]) => BigInt.asUintN(64, 2n ** BigInt(bit) + BigInt(d))),
)

type Halves = (words: Int32Array, at: number, al: number, ah: number, bl: number, bh: number, rest: boolean) => void

function call(fn: Halves, a: bigint, b: bigint, rest = false): bigint {
  const half = (value: bigint, shift: bigint) => Number(BigInt.asIntN(32, value >> shift))
  const words = new Int32Array(3)
  fn(words, 1, half(a, 0n), half(a, 32n), half(b, 0n), half(b, 32n), rest)
  return (BigInt((words[2] ?? 0) >>> 0) << 32n) | BigInt((words[1] ?? 0) >>> 0)
}

const wrap = (value: bigint) => BigInt.asUintN(64, value)
const signed = (value: bigint) => BigInt.asIntN(64, value)

it('multiplies modulo 2^64', () => {
  fc.assert(
    fc.property(u64, u64, (a, b) => {
      expect(call(multiply, a, b)).toBe(wrap(a * b))
    }),
    { numRuns: 2000 },
  )
})

it('divides and takes remainders, unsigned', () => {
  fc.assert(
    fc.property(u64, u64, (a, b) => {
      fc.pre(b !== 0n)
      expect([call(divide, a, b), call(divide, a, b, true)]).toEqual([a / b, a % b])
    }),
    { numRuns: 10000 },
  )
})

it('divides exactly where the quotient is just below a whole number', () => {
  fc.assert(
    fc.property(u64, fc.bigInt(0n, 2n ** 32n), fc.integer({ min: -4000, max: 4000 }), (b, q, d) => {
      const a = b * q + BigInt(d)
      fc.pre(b !== 0n && a >= 0n && a < 2n ** 64n)
      expect([call(divide, a, b), call(divide, a, b, true)]).toEqual([a / b, a % b])
    }),
    { numRuns: 20000 },
  )
})

it('divides and takes remainders, signed: towards zero, remainder with the sign of the dividend', () => {
  fc.assert(
    fc.property(u64, u64, (a, b) => {
      fc.pre(b !== 0n)
      expect([call(divideSigned, a, b), call(divideSigned, a, b, true)]).toEqual([
        wrap(signed(a) / signed(b)),
        wrap(signed(a) % signed(b)),
      ])
    }),
    { numRuns: 5000 },
  )
  const least = 2n ** 63n
  expect([call(divideSigned, least, 2n ** 64n - 1n), call(divideSigned, least, 2n ** 64n - 1n, true)]).toEqual([
    least,
    0n,
  ])
})

it('swaps bytes', () => {
  expect(swap32(0x01020384) >>> 0).toBe(0x84030201)
  expect(swap16(0xff1280 | 0)).toBe(0x8012)
})
