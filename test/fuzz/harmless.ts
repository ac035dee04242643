/** What the fuzz tests share: the objects, one trial of reading and verifying, and what it is held to. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { parseObject } from '../../src/object/index.js'
import { verify } from '../../src/verifier/index.js'
import { root } from '../support/paths.js'
import { fuzz, type Subject } from './trial.js'

/** Fixed, so that a failure of one run is a failure of all; the environment may ask for another. */
export const seed = Number(process.env.WORKERBEE_FUZZ_SEED ?? 1)

/** How many inputs to try: the given number, or as many as the environment asks for. */
export function inputs(count: number): number {
  return Number(process.env.WORKERBEE_FUZZ_COUNT ?? count)
}

/** All objects below a folder, sorted by name. */
export function objectsBelow(folder: string): Subject[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.o'))
    .sort()
    .map((file) => ({ name: join(folder, file), bytes: readFileSync(join(root, folder, file)) }))
}

/** Reads and verifies damaged copies of these objects; fails at anything but values, verdicts and `BpfError`. */
export function expectHarmless(subjects: readonly Subject[], count: number): void {
  const verdicts = { accept: 0, reject: 0, unsupported: 0 }
  let turn = 0
  const trial = fuzz(subjects, count, seed, (bytes) => {
    const spec = parseObject(bytes)
    for (const name of Object.keys(spec.variables)) spec.variables[name]
    // One program an input: some of these files hold sixty.
    const names = Object.keys(spec.programs)
    const program = names[turn++ % Math.max(1, names.length)]
    if (program === undefined) return
    try {
      verdicts[verify(spec, { programs: [program] }).verdict]++
    } catch (error) {
      // Whatever was read has a verdict; no error will do.
      throw new Error(`verify threw at program ${program}`, { cause: error })
    }
  })
  const { read, codes, slowestMs, slowest, peakMiB, failures } = trial
  const common = [...codes].sort((a, b) => b[1] - a[1]).map(([code, times]) => `${code} ${times}`)
  console.log(
    `fuzz: seed ${seed}, ${subjects.length} objects, ${trial.inputs} inputs, ${read} read, verdicts ` +
      `${JSON.stringify(verdicts)}; slowest ${slowestMs.toFixed(0)} ms (${slowest}); at most ${peakMiB.toFixed(0)} MiB; ` +
      `refusals: ${common.join(', ')}`,
  )
  expect(failures).toEqual([])
  expect(trial.inputs).toBe(count)
  // A million instructions is what Linux simulates before it gives up; nothing is bounded more tightly.
  expect(slowestMs).toBeLessThan(15_000)
  expect(peakMiB).toBeLessThan(1024)
  // A fuzzer whose every input dies at the first header tests nothing.
  expect(read).toBeGreaterThan(count / 20)
  expect(codes.size).toBeGreaterThan(15)
  expect(verdicts.accept).toBeGreaterThan(count / 100)
  expect(verdicts.reject).toBeGreaterThan(count / 100)
}
