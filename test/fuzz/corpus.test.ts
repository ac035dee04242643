import { expect, it } from 'vitest'
import { expectHarmless, inputs, objectsBelow, seed } from './harmless.js'

/** Loops of tens of thousands of steps: damaged, they run into Linux's limit of a million, which is slow but no hang. */
const slow = 'test/verifier/loops.bpf.o'
const count = inputs(20_000)

it(`reads and verifies or refuses ${count} damaged verifier cases, seed ${seed}`, { timeout: 600_000 }, () => {
  const subjects = objectsBelow('test/verifier').filter(({ name }) => name !== slow)
  expect(subjects.length).toBeGreaterThan(12)
  expectHarmless(subjects, count)
})
