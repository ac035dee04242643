/**
 * The examples on the machine and on Linux: the same retval, globals and maps. `kernel.expected.json` beside each example
 * holds what the kernel gave (`npm run record -- NAME`). `upload` is missing: Linux has no kernel functions in JavaScript.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { kernelVersion } from '../../src/linux/index.js'
import { Machine, ms } from '../../src/machine/index.js'
import { type ObjectSpec, parseObject } from '../../src/object/index.js'
import { isRecording, recording, root } from '../support/paths.js'
import { askScenario } from '../support/record-scenarios.js'
import { noScenarios, skipped } from '../support/reference.js'
import { runScenario, type ScenarioRecord } from '../support/scenario.js'

/** What is done with each example. */
const examples: Readonly<Record<string, readonly (readonly string[])[]>> = {
  heartbeat: [['run start', 'wait 100']],
  debounce: [['run twist', 'wait 100']],
  ratelimit: [[...Array.from({ length: 8 }, () => 'run limit'), 'wait 100']],
  retry: [['run post_all', 'settle']],
  refused: [['run released', 'settle'], ['run held']],
}

interface Recorded {
  readonly kernel: string
  readonly runs: readonly ScenarioRecord[]
}

const folder = (name: string) => join(root, 'examples', name)
const expectedFile = (name: string) => join(folder(name), 'kernel.expected.json')
const readExpected = (name: string) => JSON.parse(readFileSync(expectedFile(name), 'utf8')) as Recorded

function spec(name: string): ObjectSpec {
  return parseObject(readFileSync(join(folder(name), `${name}.bpf.o`)), { name: `${name}.bpf.o` })
}

const scenario = (name: string, steps: readonly string[]) => ({ name, facts: [], variants: [''], steps })

async function askKernel(name: string): Promise<Recorded> {
  const runs: ScenarioRecord[] = []
  for (const steps of examples[name] ?? []) runs.push(await askScenario(() => spec(name), scenario(name, steps)))
  return { kernel: kernelVersion(), runs }
}

const names = Object.keys(examples)

if (isRecording) {
  for (const name of names.filter(recording)) {
    it(`records ${name}`, async () => {
      const reason = noScenarios()
      if (reason) throw new Error(`cannot record: ${reason}`)
      const recorded = await askKernel(name)
      writeFileSync(expectedFile(name), `${JSON.stringify(recorded, undefined, 2)}\n`)
      console.log(name, JSON.stringify(recorded))
    })
  }
} else {
  it.each(names)('%s: the machine gives what the kernel gave', async (name) => {
    const runs: ScenarioRecord[] = []
    for (const steps of examples[name] ?? []) {
      await using machine = new Machine()
      const wait = async (milliseconds: number) => machine.advance(ms(milliseconds))
      runs.push(await runScenario(machine, { wait }, spec(name), scenario(name, steps)))
    }
    expect(runs).toEqual(readExpected(name).runs)
  })

  const skip = skipped('the examples on the running kernel', noScenarios())
  // Again where a busy machine was late for a timer.
  it.runIf(!skip).each(names)('%s: the running kernel still gives what is recorded', { retry: 2 }, async (name) => {
    expect((await askKernel(name)).runs).toEqual(readExpected(name).runs)
  })
}
