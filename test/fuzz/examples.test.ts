import { expect, it } from 'vitest'
import { expectHarmless, inputs, objectsBelow, seed } from './harmless.js'

const count = inputs(100_000)

it(`reads and verifies or refuses ${count} damaged examples, seed ${seed}`, { timeout: 600_000 }, () => {
  const subjects = [...objectsBelow('examples'), ...objectsBelow('src/object/testdata')]
  expect(subjects.length).toBeGreaterThan(12)
  expectHarmless(subjects, count)
})
