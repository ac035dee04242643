/**
 * Damaged programs, asked of our verifier and of the running kernel. Nothing may be accepted that Linux refuses; other
 * differences, down to lines of the log, are printed with names to try again by: WORKERBEE_FUZZ_ONLY=bounds/index_below_48#3 prints both logs.
 */
import { expect, it } from 'vitest'
import {
  askKernel,
  type Descriptors,
  descriptors,
  type KernelObject,
  openObject,
  withoutBtfIds,
} from '../../src/linux/index.js'
import type { ProgramSpec } from '../../src/object/index.js'
import { errnos } from '../../src/uapi/index.js'
import { verify } from '../../src/verifier/index.js'
import { readCase } from '../support/record-verdicts.js'
import { noReference, skipped } from '../support/reference.js'
import { seed } from './harmless.js'
import { arithmetic, damage } from './programs.js'
import { randomOf } from './trial.js'

/** Files without kfuncs, timers and long loops: nothing in them can hurt a kernel, whatever becomes of it. */
const files = [
  ...['arithmetic', 'bounds', 'contexts', 'control', 'globals', 'helpers'],
  ...['locks', 'packets', 'pointers', 'returns', 'stack', 'subprograms'],
]
const perProgram = Number(process.env.WORKERBEE_FUZZ_PER_PROGRAM ?? 5)
const only = process.env.WORKERBEE_FUZZ_ONLY
/** Log level 4 says how much was simulated and nothing else; level 2 says everything, which for a long loop is 67 MB. */
const levels = { statistics: 4, everything: 2 } as const
const logLimit = 2000

/** Lines of a log that both must print: without addresses, source lines and statistics, and what Linux says about BTF. */
function lines(log: string): string[] {
  return log
    .replace(/= (0xffff[0-9a-f]{12}|map\[[^\]]*\](\[0\])?(\+\d+)?)/g, '= address')
    .split('\n')
    .map((line) => line.replace(/\s+;/, ' ;').trimEnd())
    .filter((line) => line && !/^(;|processed |verification time|stack depth|Global function|arg#)/.test(line))
}

/** The first pair of lines in which two logs differ. */
function firstDifference(ours: string, linux: string): string | undefined {
  const [a, b] = [lines(ours), lines(linux)]
  const at = b.findIndex((line, index) => line !== a[index])
  return at < 0 && a.length <= b.length ? undefined : `${a[Math.max(at, 0)]}; linux: ${b[Math.max(at, 0)]}`
}

const skip = skipped('asking the running kernel about damaged programs', noReference())

/** What is compared, and the differences that were found. */
interface Comparison {
  readonly tally: Record<Kind, number>
  readonly differences: Map<string, { count: number; first: string }>
}

type Kind = 'same' | 'unsupported' | 'wrong accept' | 'wrong reject' | 'errno' | 'message' | 'log'

function comparison(): Comparison {
  const tally = { same: 0, unsupported: 0, 'wrong accept': 0, 'wrong reject': 0, errno: 0, message: 0, log: 0 }
  return { tally, differences: new Map() }
}

/** Asks both about one program and enters the answer. */
function compare(found: Comparison, name: string, program: ProgramSpec, object: KernelObject, fds: Descriptors): void {
  if (only && only !== name) return
  const { processed = 0 } = askKernel(object, program, fds, levels.statistics)
  const isShort = processed < logLimit
  const linux = askKernel(object, program, fds, isShort ? levels.everything : levels.statistics)
  const options = { programs: [program.name], logLevel: isShort ? levels.everything : 0 } as const
  const [ours] = verify({ ...object.spec, programs: { [program.name]: program } }, options).programs
  if (!ours) throw new Error(`no report for ${name}`)
  if (only) console.log(`linux: ${linux.verdict}\n${linux.log}\nours: ${ours.verdict} ${ours.message}\n${ours.log}`)
  const difference = isShort ? firstDifference(ours.log, linux.log) : undefined
  const kind = ((): Kind => {
    if (ours.verdict === 'unsupported') return 'unsupported'
    if (ours.verdict !== linux.verdict) return `wrong ${ours.verdict}`
    if (ours.errno !== undefined && errnos[ours.errno] !== linux.errno) return 'errno'
    if (isShort && withoutBtfIds(ours.message) !== linux.message) return 'message'
    return difference === undefined ? 'same' : 'log'
  })()
  found.tally[kind]++
  if (kind === 'same') return
  const verdicts = `${ours.errno ?? ''} ${ours.message || 'accept'}; linux: ${linux.errno} ${linux.message || linux.verdict}`
  const key = `${kind}: ${kind === 'log' ? difference : verdicts}`.replace(/\d+/g, 'N')
  const known = found.differences.get(key)
  found.differences.set(key, { count: (known?.count ?? 0) + 1, first: known?.first ?? name })
}

/** Prints what was found and fails where something was accepted that Linux refuses, or much differs otherwise. */
function expectSound({ tally, differences }: Comparison): void {
  const sorted = [...differences].sort(([a], [b]) => (a < b ? 1 : -1))
  const text = sorted.map(([key, { count, first }]) => `  ${count} × ${key} (${first})`)
  console.log(`differential: seed ${seed}, ${JSON.stringify(tally)}\n${text.join('\n')}`)
  expect(tally['wrong accept']).toBe(0)
  const all = Object.values(tally).reduce((sum, count) => sum + count)
  expect(tally.message + tally.errno + tally['wrong reject']).toBeLessThanOrEqual(all / 20)
  expect(tally.log).toBeLessThanOrEqual(all / 5)
}

it.skipIf(skip)('accepts no damaged program that Linux refuses', { timeout: 600_000 }, () => {
  const found = comparison()
  for (const file of files) {
    const fds = descriptors()
    try {
      const object = openObject(readCase(file), fds)
      for (const program of Object.values(object.spec.programs)) {
        for (let nth = 0; nth < perProgram; nth++) {
          const damaged = damage(program, randomOf(seed, `${file}/${program.name}`, nth))
          compare(found, `${file}/${program.name}#${nth}`, damaged, object, fds)
        }
      }
    } finally {
      fds.closeAll()
    }
  }
  expectSound(found)
})

it.skipIf(skip)('knows of numbers what Linux knows, operation by operation', { timeout: 600_000 }, () => {
  const found = comparison()
  const fds = descriptors()
  try {
    const object = openObject(readCase('returns'), fds)
    for (let nth = 0; nth < perProgram * 200; nth++) {
      compare(found, `arithmetic#${nth}`, arithmetic(randomOf(seed, 'arithmetic', nth)), object, fds)
    }
  } finally {
    fds.closeAll()
  }
  expectSound(found)
})
