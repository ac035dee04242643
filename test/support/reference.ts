/**
 * The reference kernel: whether it is the one that runs here, and what happens to a suite that needs it (or a compiler)
 * where it is missing. Elsewhere a suite says aloud what it skips and why; in CI, where everything is installed, it fails.
 */
import { holdCpu, kernelUnavailable, kernelVersion } from '../../src/linux/index.js'

/** The series whose behaviour is imitated and recorded. */
const series = '6.18'

/** Why the reference kernel cannot be asked here, or `undefined` where it can: bpf(2) and the right version. */
export function noReference(): string | undefined {
  const version = kernelVersion()
  return version.startsWith(`${series}.`) ? kernelUnavailable()?.message : `this is Linux ${version}, not ${series}`
}

/** The same for scenarios, which also need the right to hold a CPU, and a second one. */
export function noScenarios(): string | undefined {
  const reason = noReference()
  if (reason !== undefined) return reason
  const held = failureOf(() => [1, 0].map((cpu) => holdCpu(cpu)()))
  return held === undefined ? undefined : `a CPU cannot be held: ${held}`
}

/** What an attempt failed with, as a reason to skip. */
export function failureOf(attempt: () => unknown): string | undefined {
  try {
    attempt()
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

/** Whether `what` must be left out because of `reason`; says so, or throws where `WORKERBEE_CI` forbids it. */
export function skipped(what: string, reason: string | undefined): boolean {
  if (reason === undefined) return false
  if (process.env.WORKERBEE_CI) throw new Error(`${what} must not be skipped in CI, but ${reason}`)
  console.warn(`not run: ${what}, because ${reason}`)
  return true
}
