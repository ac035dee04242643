/**
 * The section `tier-up`: how long a compiled program runs in V8's quickly made code before optimised code takes over, by
 * default and with `optimiseNow`. V8 shares code between equal modules of a process, so every sample is a process of its own
 * (`tier-up-child.ts`).
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { BpfError } from '../bits/index.js'
import { percentile } from './measure.js'
import type { Task } from './programs.js'
import type { Row } from './results.js'

/** What one process found, in nanoseconds. */
export interface Sample {
  /** Loading, not verified. */
  readonly loadNs: number
  /** The first run. */
  readonly firstNs: number
  /** A run in the end. */
  readonly steadyNs: number
  /** From the beginning of the first run to the first of the batches that were all about as fast as in the end. */
  readonly optimisedNs: number
}

/**
 * When the fast code took over for good: the time of the first batch that took at most half again as long as the fastest
 * quarter, as did four of the five after it. Quickly made code takes at least twice as long.
 */
export function optimisedAt(samples: readonly (readonly [at: number, each: number])[]): number {
  const most =
    1.5 *
    percentile(
      samples.map(([, each]) => each),
      25,
    )
  const isFast = ([, each]: readonly [number, number]) => each <= most
  const from = samples.findIndex((one, i) => isFast(one) && samples.slice(i, i + 6).filter(isFast).length >= 5)
  return samples[from]?.[0] ?? Number.NaN
}

const PROCESSES = 9
const measured = ['sieve', 'pktparse', 'siphash'] as const
const modes = [
  ['default', 'by default'],
  ['now', 'with optimiseNow'],
] as const

function sample(name: string, mode: string): Sample {
  const child = fileURLToPath(new URL('./tier-up-child.js', import.meta.url))
  const { status, stdout, stderr } = spawnSync(process.execPath, [child, name, mode], { encoding: 'utf8' })
  if (status !== 0) throw new BpfError('bench-result', `tier-up of ${name} failed: ${stderr}`)
  return JSON.parse(stdout) as Sample
}

/** Medians over fresh processes. The interpreter has no tiers. */
export function measureTierUp(task: Task): Row[] {
  if (task.engine !== 'compiler') return []
  const rows: Row[] = []
  for (const name of measured) {
    for (const [mode, how] of modes) {
      task.progress(`tier-up of ${name}, ${how}`)
      const samples = Array.from({ length: PROCESSES }, () => sample(name, mode))
      const median = (part: keyof Sample): number =>
        percentile(
          samples.map((one) => one[part]),
          50,
        )
      const row = (what: string, ns: number): Row => {
        return { section: 'tier-up', name: `${name}, ${how}`, what, unit: 'us', ours: ns / 1e3 }
      }
      rows.push(
        row('loading', median('loadNs')),
        row('the first run', median('firstNs')),
        row('from the first run to optimised code', median('optimisedNs')),
        row('a run in the end', median('steadyNs')),
      )
    }
  }
  return rows
}
