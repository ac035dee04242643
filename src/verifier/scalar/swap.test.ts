import fc from 'fast-check'
import { expect, it } from 'vitest'
import { constant, contains, unsignedRange } from './scalar.js'
import { reverseBytes, swap } from './swap.js'

const sizes = fc.constantFrom(2 as const, 4 as const, 8 as const)
const u64 = fc.bigInt(0n, 2n ** 64n - 1n)

it('contains the swapped value of every member', () => {
  fc.assert(
    fc.property(u64, u64, u64, sizes, fc.constantFrom('be' as const, 'bswap' as const), (a, b, x, bytes, op) => {
      const [low, high] = a < b ? [a, b] : [b, a]
      const member = low + (x % (high - low + 1n))
      expect(contains(swap(op, bytes, unsignedRange(low, high)), reverseBytes(member, bytes))).toBe(true)
      expect(swap(op, bytes, constant(member))).toEqual(constant(reverseBytes(member, bytes)))
    }),
  )
})

it('is its own inverse on values that fit', () => {
  fc.assert(
    fc.property(u64, (x) => {
      expect(reverseBytes(reverseBytes(x, 8), 8)).toBe(x)
    }),
  )
})

it('truncates when the machine has that order already', () => {
  expect(swap('le', 2, constant(0x12345n))).toEqual(constant(0x2345n))
})
