/** What a benchmark found, ready to be shown. */
import { geometricMean } from './measure.js'
import type { EngineName } from './sides.js'

/** The parts of the bench, in the order in which they are measured. */
export const sections = ['programs', 'maps', 'workqueues', 'loading', 'tier-up'] as const
/** One of them. */
export type Section = (typeof sections)[number]

/** One figure of ours, beside the kernel's where there is one. Less is faster. */
export interface Row {
  readonly section: Section
  readonly name: string
  /** What one operation is. */
  readonly what: string
  /** Of both figures. */
  readonly unit: 'ns' | 'us' | 'ms'
  readonly ours: number
  readonly kernel?: number
}

/** A geometric mean of ours over the kernel's time. */
export interface Mean {
  readonly section: Section
  readonly name: string
  readonly ratio: number
}

/** Where it was measured. */
export interface Environment {
  readonly engine: EngineName
  readonly rounds: number
  readonly date: string
  readonly node: string
  readonly v8: string
  readonly kernel: string
  readonly cpu: string
  readonly cpus: number
  readonly load: string
  /** What the kernel says about each weakness of the processor that it knows; those that do not matter are left out. */
  readonly mitigations: Readonly<Record<string, string>>
  /** Why there are no figures of the kernel. */
  readonly noKernel?: string
}

/** Everything that one run of the bench found. */
export interface Results {
  readonly environment: Environment
  readonly rows: readonly Row[]
}

/** The name of the row for a run of nothing, which counts in no mean. */
export const EMPTY = 'empty'

/** Ours over the kernel's time; `undefined` where either is missing or below what can be measured. */
export function ratioOf({ ours, kernel }: Row): number | undefined {
  return kernel !== undefined && kernel > 0 && ours > 0 ? ours / kernel : undefined
}

/** The means that are worth telling: all programs, and all but `calls`, where the kernel pays for its mitigations. */
export function meansOf(rows: readonly Row[]): Mean[] {
  const mean = (section: Section, name: string, wanted: (row: Row) => boolean): Mean[] => {
    const measured = rows.filter((row) => row.section === section && row.name !== EMPTY && wanted(row))
    const ratios = measured.flatMap((row) => ratioOf(row) ?? [])
    return ratios.length > 1 ? [{ section, name, ratio: geometricMean(ratios) }] : []
  }
  return [
    ...mean('programs', 'geometric mean', () => true),
    ...mean('programs', 'without calls', ({ name }) => name !== 'calls'),
    ...mean('maps', 'geometric mean', () => true),
  ]
}
