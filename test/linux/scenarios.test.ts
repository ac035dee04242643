/**
 * Arbitrary sequences of what users and programs do to workqueues and timers, on the running kernel and on the machine. The
 * objects are those of test/async. Nothing here could hurt a kernel: one thread acts, and nothing is initialised through a
 * pointer whose element is gone.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Machine, ms } from '../../src/machine/index.js'
import { askScenario, readScenarioObject } from '../support/record-scenarios.js'
import { noScenarios, skipped } from '../support/reference.js'
import { runScenario } from '../support/scenario.js'

const skip = skipped('arbitrary scenarios on the running kernel', noScenarios())

/** `WORKERBEE_RUNS` and `WORKERBEE_SEED` ask for more, or for others. */
const numRuns = Number(process.env.WORKERBEE_RUNS ?? 12)
const seed = Number(process.env.WORKERBEE_SEED ?? 618)

const variant = fc.constantFrom('array', 'hash', 'hash+no_prealloc', 'lru_hash')
const key = fc.integer({ min: 0, max: 2 })
const program = (names: readonly string[], more: (name: string) => fc.Arbitrary<string>) =>
  fc.constantFrom(...names).chain((name) => more(name).map((text) => `run ${name} ${text}`))

const userSteps = [
  { weight: 3, arbitrary: key.map((k) => `set m ${k} {"tag":${k + 1}}`) },
  {
    weight: 1,
    arbitrary: fc.tuple(key, fc.integer({ min: 0, max: 4 })).map(([k, f]) => `set m ${k} {"tag":9} flags=${f}`),
  },
  { weight: 2, arbitrary: key.map((k) => `delete m ${k}`) },
  { weight: 1, arbitrary: key.map((k) => `take m ${k}`) },
  { weight: 1, arbitrary: key.map((k) => `get m ${k}`) },
  { weight: 2, arbitrary: fc.constant('settle') },
] as const

const flags = fc.constantFrom(0, 0, 0, 0, 0, 1)
const wqCall = program(
  ['init', 'init', 'set_a', 'set_a', 'set_b', 'start', 'start', 'other_starts', 'all', 'all', 'start_1000'],
  () => fc.tuple(key, flags).map(([k, f]) => `{"key":${k},"flags":${f}}`),
)
const change = program(['erase', 'replace'], () => key.map((k) => `{"key":${k}}`))
const timerCall = program(['init', 'set_a', 'set_a', 'set_b', 'start', 'start', 'start', 'cancel', 'arm', 'arm'], () =>
  fc
    .tuple(
      key,
      fc.constantFrom(20_000_000, 20_000_000, 1_000_000_000_000),
      fc.constantFrom(0, 0, 0, 2, 4),
      fc.constantFrom(1, 1, 7, 3),
    )
    .map(([k, ns, f, clock]) => `{"key":${k},"ns":${ns},"flags":${f},"clock":${clock}}`),
)
const replace = key.map((k) => `run replace {"key":${k}}`)

const sequence = (calls: readonly { weight: number; arbitrary: fc.Arbitrary<string> }[]) =>
  fc
    .tuple(fc.array(fc.oneof(...userSteps, ...calls), { minLength: 5, maxLength: 40 }), fc.boolean())
    .map(([steps, closing]) => (closing ? [...steps, 'close m', 'settle'] : [...steps, 'settle']))

async function agrees(file: string, kind: string, steps: readonly string[]): Promise<void> {
  const scenario = { name: file, facts: [], variants: [kind], steps }
  const theirs = await askScenario(() => readScenarioObject(file, kind), scenario)
  await using machine = new Machine({ cpus: 2 })
  const wait = async (milliseconds: number) => machine.advance(ms(milliseconds))
  expect(await runScenario(machine, { wait }, readScenarioObject(file, kind), scenario)).toEqual(theirs)
}

describe.runIf(!skip)('the machine does what Linux does', () => {
  it('to workqueues, whatever the order of events', { timeout: 600_000 }, async () => {
    const steps = sequence([
      { weight: 10, arbitrary: wqCall },
      { weight: 2, arbitrary: change },
    ])
    const property = fc.asyncProperty(variant, steps, (kind, events) => agrees('wq-life', kind, events))
    await fc.assert(property, { numRuns, seed })
  })

  it('to timers, whatever the order of events', { timeout: 600_000 }, async () => {
    const steps = sequence([
      { weight: 10, arbitrary: timerCall },
      { weight: 1, arbitrary: replace },
    ])
    const property = fc.asyncProperty(variant, steps, (kind, events) => agrees('timer-life', kind, events))
    await fc.assert(property, { numRuns, seed })
  })
})
