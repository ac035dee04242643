/**
 * How things are timed. What two sides do is interleaved batch by batch, so that whatever else the computer does hits both;
 * a batch is long enough for the clock (about 2.5 ms), and of at least 30 batches the fastest counts: a disturbance only
 * ever makes a batch slower.
 */

/** Something that can be run many times in a row. */
export interface Subject {
  /** Runs it so often; the nanoseconds that all of them took together. */
  batch(runs: number): number
  /** It is as fast in the beginning as it will ever be, and need not be warmed up. */
  readonly steady?: boolean
}

/** How long and how often. */
export interface Plan {
  /** Length of a batch, in nanoseconds. */
  readonly batchNs: number
  /** Batches of each subject. */
  readonly rounds: number
}

/** Batches that the project's figures rest on, at the least. */
export const LEAST_ROUNDS = 30
/** The plan unless the user says otherwise. */
export const defaultPlan: Plan = { batchNs: 2_500_000, rounds: 60 }

/** Most runs of a batch: BPF_PROG_TEST_RUN counts in 32 bits, and a run of nothing still takes a part of a nanosecond. */
const MOST_RUNS = 20_000_000

/**
 * How many runs fill a batch; finding out warms the subject up. Of three batches the fastest counts: one that was interrupted
 * would otherwise pass for a full one.
 */
export function calibrate(subject: Subject, batchNs: number): number {
  let runs = 1
  for (let tries = 0; tries < 40; tries++) {
    const took = Math.min(subject.batch(runs), subject.batch(runs), subject.batch(runs))
    if (took >= batchNs / 2 || runs === MOST_RUNS) return clampRuns((runs * batchNs) / Math.max(took, 1))
    runs = clampRuns(runs * Math.min(10, batchNs / Math.max(took, 1)))
  }
  return runs
}

function clampRuns(runs: number): number {
  return Math.min(MOST_RUNS, Math.max(1, Math.round(runs)))
}

/** Batches without a new best of at least 2 % after which a subject counts as warm. */
const STEADY = 12
/** Time that is spent in any case: on a busy computer V8's optimising thread may have to wait for a processor. */
const LEAST_WARM_UP_NS = 150e6
const MOST_WARM_UP = 600

/**
 * Runs batches until they get no faster: an engine's optimised code takes over some milliseconds after the first run, and
 * only between two calls of the program. Gives the runs that fill a batch from then on.
 */
export function warmUp(subject: Subject, batchNs: number): number {
  let best = Number.POSITIVE_INFINITY
  let runs = calibrate(subject, batchNs / 5)
  let spent = 0
  let steady = 0
  for (let batches = 0; batches < MOST_WARM_UP; batches++, steady++) {
    if (steady >= STEADY && spent >= LEAST_WARM_UP_NS) break
    const took = subject.batch(runs)
    const each = took / runs
    spent += took
    if (each >= best * 0.98) continue
    best = each
    steady = 0
    runs = clampRuns(batchNs / 5 / Math.max(each, 1e-3))
  }
  return calibrate(subject, batchNs)
}

/** Warms all subjects up, then times them in turns; nanoseconds a run of each one's fastest batch. */
export function interleave(subjects: readonly Subject[], plan: Plan): number[] {
  const runs = subjects.map((subject) => (subject.steady ? calibrate : warmUp)(subject, plan.batchNs))
  const best = subjects.map(() => Number.POSITIVE_INFINITY)
  for (let round = 0; round < plan.rounds; round++) {
    subjects.forEach((subject, i) => {
      const n = runs[i] ?? 1
      best[i] = Math.min(best[i] ?? Number.POSITIVE_INFINITY, subject.batch(n) / n)
    })
  }
  return best
}

/** The n-th of a hundred parts of sorted figures: 0 the least, 50 the median. */
export function percentile(figures: readonly number[], n: number): number {
  const sorted = [...figures].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * n) / 100))] ?? Number.NaN
}

/** The geometric mean; NaN of nothing. */
export function geometricMean(figures: readonly number[]): number {
  return Math.exp(figures.reduce((sum, figure) => sum + Math.log(figure), 0) / figures.length)
}

/** Nanoseconds on a clock that only goes forward. */
export function nowNs(): number {
  return performance.now() * 1e6
}
