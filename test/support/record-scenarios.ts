/** Runs scenarios on the running kernel. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { compile } from '../../src/clang/index.js'
import { holdCpu, kernelVersion, Linux } from '../../src/linux/index.js'
import { type ObjectSpec, parseObject } from '../../src/object/index.js'
import { root } from './paths.js'
import { applyVariant, parseScenarios, runScenario, type Scenario, type ScenarioRecord } from './scenario.js'

/** `NAME.expected.json` of test/async. Keys of `scenarios` are `name` or `name/variant`. */
export interface RecordedScenarios {
  readonly kernel: string
  readonly scenarios: Readonly<Record<string, ScenarioRecord>>
}

const suite = join(root, 'test/async')

/** The scenarios of a file, variants apart. */
export function scenariosOf(name: string): { key: string; variant: string; scenario: Scenario }[] {
  const text = readFileSync(join(suite, `${name}.bpf.c`), 'utf8')
  return parseScenarios(text).flatMap((scenario) =>
    scenario.variants.map((variant) => ({
      key: variant ? `${scenario.name}/${variant}` : scenario.name,
      variant,
      scenario,
    })),
  )
}

/** The committed object of a file, its map `m` changed to the variant. */
export function readScenarioObject(name: string, variant: string): ObjectSpec {
  const spec = parseObject(readFileSync(join(suite, `${name}.bpf.o`)), { name: `${name}.bpf.o` })
  applyVariant(spec, variant)
  return spec
}

/** The committed recording of a file. */
export function readScenarios(name: string): RecordedScenarios {
  return JSON.parse(readFileSync(join(suite, `${name}.expected.json`), 'utf8')) as RecordedScenarios
}

/** -ENOMEM in any of its shapes: init may fail at any time (1.15), and such a run shows nothing. */
const outOfMemory = /"(?:result|errno)":(?:4294967284|12)\b|[:[](?:"?-12"?|4294967284|"18446744073709551604")[,\]}]/

/** Runs one scenario in the kernel, again where an init found no memory. */
export async function askScenario(spec: () => ObjectSpec, scenario: Scenario): Promise<ScenarioRecord> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    await using linux = await Linux.open()
    let release = holdCpu(0)
    const wait = async (ms: number) => {
      release()
      await sleep(ms)
      release = holdCpu(0)
    }
    try {
      const record = await runScenario(linux, { wait }, spec(), scenario)
      if (!outOfMemory.test(JSON.stringify(record))) return record
    } finally {
      release()
    }
  }
  throw new Error(`${scenario.name}: the kernel had no memory 50 times`)
}

/** Runs all scenarios of a file in the kernel. */
export async function askScenarios(name: string): Promise<RecordedScenarios> {
  const scenarios: Record<string, ScenarioRecord> = {}
  for (const { key, variant, scenario } of scenariosOf(name)) {
    scenarios[key] = await askScenario(() => readScenarioObject(name, variant), scenario)
  }
  return { kernel: kernelVersion(), scenarios }
}

/** Compiles, runs and writes. */
export async function recordScenarios(name: string): Promise<RecordedScenarios> {
  const file = join(suite, `${name}.bpf.c`)
  compile(relative(process.cwd(), file), { out: join(suite, `${name}.bpf.o`), includes: [suite] })
  const recorded = await askScenarios(name)
  writeFileSync(join(suite, `${name}.expected.json`), `${JSON.stringify(recorded, undefined, 1)}\n`)
  return recorded
}
