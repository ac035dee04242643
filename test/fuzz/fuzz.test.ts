/**
 * Damaged objects never do more than throw a `BpfError`. The seed is fixed, so that a failure of one run is a failure of all;
 * WORKERBEE_FUZZ_SEED and WORKERBEE_FUZZ_COUNT try others.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { parseObject } from '../../src/object/index.js'
import { root } from '../support/paths.js'
import { fuzz, type Subject } from './trial.js'

const seed = Number(process.env.WORKERBEE_FUZZ_SEED ?? 1)
const count = Number(process.env.WORKERBEE_FUZZ_COUNT ?? 100_000)

const subjects = ['examples', 'src/object/testdata', 'test'].flatMap((folder): Subject[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.o'))
    .sort()
    .map((file) => ({ name: join(folder, file), bytes: readFileSync(join(root, folder, file)) })),
)

it(`reads or refuses ${count} damaged objects, seed ${seed}`, { timeout: 300_000 }, () => {
  expect(subjects.length).toBeGreaterThan(5)
  const trial = fuzz(subjects, count, seed, (bytes) => {
    const { variables } = parseObject(bytes)
    for (const name of Object.keys(variables)) variables[name]
  })
  const { inputs, read, codes, slowestMs, slowest, peakMiB, failures } = trial
  const common = [...codes].sort((a, b) => b[1] - a[1]).map(([code, times]) => `${code} ${times}`)
  console.log(
    `fuzz: seed ${seed}, ${subjects.length} objects, ${inputs} inputs, ${read} read; slowest ${slowestMs.toFixed(0)} ms ` +
      `(${slowest}); at most ${peakMiB.toFixed(0)} MiB; refusals: ${common.join(', ')}`,
  )
  expect(failures).toEqual([])
  expect(inputs).toBe(count)
  expect(slowestMs).toBeLessThan(2000)
  expect(peakMiB).toBeLessThan(1024)
  // A fuzzer whose every input dies at the first header tests nothing.
  expect(read).toBeGreaterThan(count / 20)
  expect(codes.size).toBeGreaterThan(15)
})
