/**
 * A refusal of the running kernel's verifier in the form that the machine's takes, so that a program's user need not know
 * which of the two said no. The kernel gives text only: a log, whose last line is the reason.
 */
import type { BpfError } from '../bits/index.js'
import type { ObjectSpec, ProgramSpec } from '../object/index.js'
import { type Diagnostic, type ProgramReport, VerifierError } from '../report/index.js'
import { ErrnoError, type ErrnoName, errnoName, errnos } from '../uapi/index.js'
import { kernelVersion } from './kernel.js'
import { summarise } from './log.js'
import { unresolvedKfunc } from './prepare.js'

function isErrnoName(name: string): name is ErrnoName {
  return Object.hasOwn(errnos, name)
}

/** The statistics in a log's last lines; zeros where the kernel gave up before. */
function statistics(log: string): ProgramReport['stats'] {
  const read = (name: string) => Number(new RegExp(`\\b${name} (\\d+)`).exec(log)?.[1] ?? 0)
  return {
    processed: read('processed'),
    maxStatesPerInsn: read('max_states_per_insn'),
    totalStates: read('total_states'),
    peakStates: read('peak_states'),
  }
}

/** The sentence behind `invalid func unknown#2002000001`: a weak kfunc that this kernel lacks was reached after all. */
function unresolved({ externs }: ObjectSpec, log: string): Diagnostic[] {
  const number = /invalid func unknown#(\d+)/.exec(log)?.[1]
  const extern = number === undefined ? undefined : externs[Number(number) - unresolvedKfunc]
  if (!extern) return []
  const message = `kfunc '${extern.name}' is referenced but the running kernel does not have it`
  const hint = `ask bpf_ksym_exists(${extern.name}) before the call`
  return [{ category: 'context', message, insn: undefined, text: undefined, source: undefined, origin: [], hint }]
}

/**
 * The error for a program that was not loaded: `VerifierError` where the verifier said why, `ErrnoError` where there was only
 * a number (no privilege, no memory, an attribute that the kernel does not know).
 */
export function refusal(object: ObjectSpec, program: ProgramSpec, errno: number, log: string): BpfError {
  const { message } = summarise(log, false)
  const name = errnoName(errno)
  if (message === '' || !isErrnoName(name)) {
    return new ErrnoError(errno, 'prog_load', { place: `program ${program.name}` })
  }
  const report: ProgramReport = {
    program: program.name,
    section: program.section,
    type: program.type ?? 'unspec',
    verdict: 'reject',
    errno: name,
    message,
    log,
    diagnostics: unresolved(object, log),
    stats: statistics(log),
  }
  return new VerifierError({ kernel: kernelVersion(), verdict: 'reject', programs: [report] })
}
