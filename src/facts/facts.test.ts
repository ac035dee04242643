import { expect, it } from 'vitest'
import { noFacts } from './facts.js'

it('promises nothing where nothing was proved', () => {
  const { reachable, alwaysJumps, neverJumps } = noFacts(3)
  expect([...reachable]).toEqual([1, 1, 1])
  expect([...alwaysJumps, ...neverJumps]).toEqual([0, 0, 0, 0, 0, 0])
})
