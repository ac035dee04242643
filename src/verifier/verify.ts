/** Would Linux accept the programs of this object? */
import type { ObjectSpec } from '../object/spec.js'
import { getProfile, type KfuncRow, withKfuncs } from '../profile/index.js'
import type { ProgramReport, VerificationReport } from '../report/index.js'
import { mapViews } from './load.js'
import type { LogLevel } from './log/log.js'
import { verifyProgram } from './verify-program.js'

/** How an object is verified. */
export interface VerifyOptions {
  /** Version of the kernel whose rules apply: `6.18` (default). */
  readonly kernel?: string
  /** Names of programs; default: all but `SEC("?...")`. Names that the object lacks are ignored. */
  readonly programs?: readonly string[]
  /** How much of the kernel's log the report holds (default 0: nothing but the message). */
  readonly logLevel?: LogLevel
  /** Gives up on a program, as unsupported, after so many processed instructions (default: never; the kernel's limit is a million). */
  readonly maxProcessed?: number
  /** Kfuncs that the user supplies, as rows of the profile. */
  readonly kfuncs?: readonly KfuncRow[]
}

const order = ['reject', 'unsupported', 'accept'] as const

/**
 * Verifies the programs of an object as Linux would. Never throws for a spec that `parseObject` gave; an unknown kernel
 * version throws `BpfError` (`unknown-kernel`).
 */
export function verify(spec: ObjectSpec, options: VerifyOptions = {}): VerificationReport {
  const { kernel = '6.18', programs, logLevel = 0, kfuncs = [], maxProcessed = Number.POSITIVE_INFINITY } = options
  const profile = kfuncs.length ? withKfuncs(getProfile(kernel), kfuncs) : getProfile(kernel)
  const maps = mapViews(spec)
  const chosen = Object.values(spec.programs).filter((each) => programs?.includes(each.name) ?? each.autoload)
  const reports: ProgramReport[] = chosen.map((each) =>
    verifyProgram(spec, each, { profile, logLevel, maps, maxProcessed }),
  )
  const verdict = order.find((each) => reports.some((report) => report.verdict === each)) ?? 'accept'
  return { kernel, verdict, programs: reports }
}
