import { expect, it } from 'vitest'
import { optimisedAt } from './tier-up.js'

it('finds when the fast code took over for good', () => {
  expect(
    optimisedAt([
      [0, 100],
      [10, 90],
      [20, 11],
      [30, 10],
      [40, 12],
      [50, 10],
      [60, 10],
    ]),
  ).toBe(20)
})

it('is not deceived by one lucky batch, nor by one disturbed batch later', () => {
  const batches = [100, 10, 100, 100, 10, 11, 10, 10, 300, 10, 10].map((each, i) => [i * 10, each] as const)
  expect(optimisedAt(batches)).toBe(40)
})
