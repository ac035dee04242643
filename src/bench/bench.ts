/** The whole bench: which parts are wanted, one after the other. */
import { BpfError } from '../bits/index.js'
import { type Benchmark, mapOperations, programs } from './catalogue.js'
import { environment } from './environment.js'
import { measureLoading } from './loading.js'
import { defaultPlan } from './measure.js'
import { measurePrograms, type Task } from './programs.js'
import { type Results, type Row, type Section, sections } from './results.js'
import type { EngineName } from './sides.js'
import { measureTierUp } from './tier-up.js'
import { measureWorkqueues } from './workqueues.js'

/** What is to be measured. */
export interface BenchOptions {
  readonly engine: EngineName
  readonly rounds: number
  /** A section, or one program or map operation; everything unless given. */
  readonly only?: string
  readonly progress?: (name: string) => void
  /** Called with what each section found, as soon as it is there. */
  readonly found?: (rows: readonly Row[]) => void
}

/** Everything that `only` may say. */
export function choices(): string[] {
  return [...sections, ...[...programs, ...mapOperations].map(({ name }) => name)]
}

/** Measures. Throws `BpfError`: `bench-unknown`, `bench-missing`, `bench-result` where a result is wrong. */
export async function bench(options: BenchOptions): Promise<Results> {
  const { only } = options
  if (only !== undefined && !choices().includes(only)) {
    throw new BpfError('bench-unknown', `there is no benchmark ${only}; there are ${choices().join(', ')}`)
  }
  const where = environment(options.engine, options.rounds)
  const task: Task = {
    engine: options.engine,
    kernel: where.noKernel === undefined,
    plan: { ...defaultPlan, rounds: options.rounds },
    progress: options.progress ?? (() => {}),
  }
  const chosen = (section: Section, all: readonly Benchmark[]): readonly Benchmark[] =>
    only === undefined || only === section ? all : all.filter(({ name }) => name === only)
  const whole = (section: Section): boolean => only === undefined || only === section
  const measure: Readonly<Record<Section, () => Promise<Row[]> | Row[]>> = {
    programs: () => measurePrograms('programs', chosen('programs', programs), task),
    maps: () => measurePrograms('maps', chosen('maps', mapOperations), task),
    workqueues: () => (whole('workqueues') ? measureWorkqueues(task) : []),
    loading: () => (whole('loading') ? measureLoading(task) : []),
    'tier-up': () => (whole('tier-up') ? measureTierUp(task) : []),
  }
  const rows: Row[] = []
  for (const section of sections) {
    const found = await measure[section]()
    rows.push(...found)
    options.found?.(found)
  }
  return { environment: where, rows }
}
