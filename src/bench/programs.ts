/** The sections `programs` and `maps`: the same object on both sides, results compared, then timed in turns. */
import { BpfError } from '../bits/index.js'
import type { Benchmark } from './catalogue.js'
import { interleave, type Plan } from './measure.js'
import { EMPTY, type Row, type Section } from './results.js'
import { checkResult, type EngineName, kernelSide, machineSide, type Side } from './sides.js'

/** What a section needs to know. */
export interface Task {
  readonly engine: EngineName
  /** Whether the kernel is measured too. */
  readonly kernel: boolean
  readonly plan: Plan
  /** Called before each benchmark. */
  readonly progress: (name: string) => void
}

/** Nanoseconds of a run on each side, ours first. */
async function timeBoth(name: string, task: Task, check: (side: Side, where: string) => void): Promise<number[]> {
  const sides: Side[] = []
  try {
    sides.push(await machineSide(name, task.engine))
    if (task.kernel) sides.push(kernelSide(name))
    sides.forEach((side, i) => {
      check(side, i === 0 ? `the ${task.engine}` : 'the kernel')
    })
    return interleave(sides, task.plan)
  } finally {
    for (const side of sides) side.close()
  }
}

/** Times benchmarks, the empty run subtracted. Throws `BpfError` (`bench-result`) where a result is wrong. */
export async function measurePrograms(section: Section, benchmarks: readonly Benchmark[], task: Task): Promise<Row[]> {
  if (benchmarks.length === 0) return []
  task.progress('the empty run')
  const [emptyOurs = 0, emptyKernel = 0] = await timeBoth(EMPTY, task, () => {})
  const rows: Row[] = []
  for (const benchmark of benchmarks) {
    const { name, what, operations } = benchmark
    task.progress(name)
    const [ours = 0, kernel] = await timeBoth(name, task, (side, where) => checkResult(side, benchmark, where))
    const each = (ns: number, empty: number): number => {
      if (ns > empty) return (ns - empty) / operations
      throw new BpfError('bench-disturbed', 'the empty run took longer: the computer is too busy', { place: name })
    }
    rows.push({
      section,
      name,
      what,
      unit: 'ns',
      ours: each(ours, emptyOurs),
      ...(kernel === undefined ? {} : { kernel: each(kernel, emptyKernel) }),
    })
  }
  rows.push({
    section,
    name: EMPTY,
    what: 'a run of nothing (subtracted above)',
    unit: 'ns',
    ours: emptyOurs,
    ...(task.kernel ? { kernel: emptyKernel } : {}),
  })
  return rows
}
