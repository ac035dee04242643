/** What figures depend on: the processor and its mitigations, Node and V8, the kernel and what else the computer does. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { cpus, loadavg, release } from 'node:os'
import { join } from 'node:path'
import { kernelUnavailable } from '../linux/index.js'
import type { Environment } from './results.js'
import type { EngineName } from './sides.js'

/** Where Linux tells which weaknesses the processor has and what is done about them. */
const vulnerabilities = '/sys/devices/system/cpu/vulnerabilities'

/** Weakness by weakness; those that do not affect this processor are left out. */
export function mitigations(directory = vulnerabilities): Record<string, string> {
  if (!existsSync(directory)) return {}
  const all = readdirSync(directory).map((name) => [name, readFileSync(join(directory, name), 'utf8').trim()] as const)
  return Object.fromEntries(all.filter(([, text]) => text !== 'Not affected').sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Why the kernel's JIT cannot be measured here; `undefined` where it can. */
export function noKernel(): string | undefined {
  return kernelUnavailable()?.message
}

/** All of it, now. */
export function environment(engine: EngineName, rounds: number): Environment {
  const why = noKernel()
  return {
    engine,
    rounds,
    date: new Date().toISOString().slice(0, 10),
    node: process.versions.node,
    v8: process.versions.v8,
    kernel: release(),
    cpu: cpus()[0]?.model ?? 'unknown',
    cpus: cpus().length,
    load: (loadavg()[0] ?? 0).toFixed(2),
    mitigations: mitigations(),
    ...(why === undefined ? {} : { noKernel: why }),
  }
}
