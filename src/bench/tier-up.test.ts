import { expect, it } from 'vitest'
import { optimisedAt } from './tier-up.js'

const batches = (...each: number[]) => each.map((ns, i) => [i * 10, ns] as const)

it('finds when the fast code took over for good', () => {
  expect(optimisedAt(batches(100, 90, 11, 10, 12, 10, 10, 10, 11))).toBe(20)
  expect(optimisedAt(batches(10, 10, 10, 10, 10, 10))).toBe(0)
})

it('is not deceived by one lucky batch, nor by disturbed ones later', () => {
  expect(optimisedAt(batches(100, 10, 100, 100, 10, 11, 10, 10, 300, 10, 10, 70, 10, 10))).toBe(40)
})
