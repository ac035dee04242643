/**
 * Whole logs of level 2, recorded from Linux 6.18.44 for random programs: states, marks of precision, stack liveness,
 * statistics. Only addresses of maps differ, which the kernel chooses.
 */
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { judgeInsns } from '../../../test/support/judge.js'
import { decode } from '../../isa/index.js'
import { errnos, type ProgramType } from '../../uapi/index.js'

interface Recorded {
  readonly type: ProgramType
  readonly insns: string
  readonly maps: Record<string, string>
  readonly functions: number[]
  readonly errno: number
  readonly log: string
}

const file = new URL('recorded-logs-6.18.expected.json', import.meta.url)
const { kernel, programs } = JSON.parse(readFileSync(file, 'utf8')) as { kernel: string; programs: Recorded[] }

const normal = (log: string): string =>
  log
    .replace(/= map\[\w+\](\[0\]\+\d+)? *;/g, '= PTR ;')
    .replace(/= map\[\w+\](\[0\]\+\d+)?/g, '= PTR')
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')

it.each(programs.map((program, i) => [i, program] as const))(
  `says what Linux ${kernel} says: program %i`,
  (_, each) => {
    const insns = decode(Uint8Array.from(Buffer.from(each.insns, 'hex')))
    const { type, maps, functions } = each
    const { log, errno, verdict } = judgeInsns(insns, { type, maps, functions, logLevel: 2 })
    expect(normal(log)).toBe(each.log)
    expect(errno ? errnos[errno] : 0).toBe(each.errno)
    expect(verdict).toBe(each.errno ? 'reject' : 'accept')
  },
)
