import { expect, it } from 'vitest'
import { compareEngines } from './engine-pair.js'
import { inputs, seed } from './harmless.js'

const count = inputs(6000)

it(`runs ${count} arbitrary programs alike on interpreter and compiler, seed ${seed}`, { timeout: 600_000 }, () => {
  const start = performance.now()
  const { instructions, failures } = compareEngines(count, seed)
  const seconds = (performance.now() - start) / 1000
  console.log(`engines: seed ${seed}, ${count} programs, ${instructions} instructions, ${seconds.toFixed(1)} s`)
  expect(failures).toEqual([])
})
