/**
 * Scenarios of asynchronous work: what the machine does against what Linux did, step by step. README.md says how to write one.
 */
import { expect, it } from 'vitest'
import { BpfError } from '../../src/bits/index.js'
import { Machine, ms } from '../../src/machine/index.js'
import { isRecording, recording, sources } from '../support/paths.js'
import {
  askScenarios,
  readScenarioObject,
  readScenarios,
  recordScenarios,
  scenariosOf,
} from '../support/record-scenarios.js'
import { noScenarios, skipped } from '../support/reference.js'
import { type Observation, runScenario } from '../support/scenario.js'

const names = sources('test/async')

if (isRecording) {
  for (const name of names.filter(recording)) {
    it(`records ${name}`, async () => {
      const reason = noScenarios()
      if (reason) throw new Error(`cannot record: ${reason}`)
      const { scenarios } = await recordScenarios(name)
      const short = ({ step, result, errno }: Observation) =>
        errno || result !== undefined ? [`${step} = ${errno ? `errno ${errno}` : JSON.stringify(result)}`] : []
      for (const [key, { steps }] of Object.entries(scenarios)) {
        console.log(`${name} ${key}:\n  ${steps.flatMap(short).join('\n  ')}`)
      }
    })
  }
} else {
  const engines = ['interpreter', 'compiler'] as const
  const cases = names.flatMap((name) =>
    scenariosOf(name).flatMap((one) =>
      engines.map((engine) => ({ engine, name, ...one, facts: one.scenario.facts.join(' ') })),
    ),
  )
  const unsupported: string[] = []
  it.each(cases)('$name: $key ($facts), $engine', async ({ engine, name, key, variant, scenario }) => {
    await using machine = new Machine({ cpus: 2, engine })
    const wait = async (milliseconds: number) => machine.advance(ms(milliseconds))
    try {
      const ours = await runScenario(machine, { wait }, readScenarioObject(name, variant), scenario)
      expect(ours).toEqual(readScenarios(name).scenarios[key])
    } catch (error) {
      if (!(error instanceof BpfError) || !error.code.includes('unsupported')) throw error
      unsupported.push(`${name}/${key}: ${error.message}`)
    }
  })

  it('can do at least 95 % of the scenarios', () => {
    console.log([`${cases.length} scenarios, not supported:`, ...unsupported].join('\n  '))
    expect(unsupported.length / cases.length).toBeLessThanOrEqual(0.05)
  })

  const recorded = new Map(names.map((name) => [name, readScenarios(name)]))
  const skip = skipped(`asking the kernel again about ${names.length} files`, noScenarios())
  // Again where a busy machine was late for a timer.
  it.runIf(!skip).each(names)('%s: the running kernel still does what is recorded', { retry: 2 }, async (name) => {
    expect((await askScenarios(name)).scenarios).toEqual(recorded.get(name)?.scenarios)
  })
}
