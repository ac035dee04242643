/**
 * Exit codes, and which failure has which. 0 yes; 1 a negative answer (refused, failed, differs, did not end); 2 usage;
 * 3 environment, unreadable or unsupported input; 70 a bug of ours.
 */
import { BpfError } from '../bits/index.js'
import { VerifierError } from '../report/index.js'
import type { Io } from './io.js'
import { describeVerdict } from './verdict.js'

/** Exit codes by meaning. */
export const exitCodes = { yes: 0, no: 1, usage: 2, environment: 3, bug: 70 } as const

/** Errors that are an answer about the program: it was refused, or went wrong while it ran. */
const NEGATIVE = new Set(['VerifierError', 'TrapError', 'ErrnoError'])
const NEGATIVE_CODES = new Set(['settle-timeout', 'deadline', 'still-busy', 'deadlock'])
const USAGE_CODES = new Set(['usage', 'unknown-variable', 'unknown-program'])

/** A wrong option or argument: exit code 2. */
export function usageError(option: string, sentence: string): BpfError {
  return new BpfError('usage', sentence, { place: option })
}

/** What is known by name and not offered by this version: exit code 3. */
export function unsupported(what: string): BpfError {
  return new BpfError('unsupported', `${what} is not supported by this version of Workerbee`)
}

/** The exit code for what a command threw. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof BpfError)) return exitCodes.bug
  if (USAGE_CODES.has(error.code)) return exitCodes.usage
  if (error.code === 'verifier-unsupported') return exitCodes.environment
  if (error.name === 'ErrnoError' && error.code === 'EPERM') return exitCodes.environment
  return NEGATIVE.has(error.name) || NEGATIVE_CODES.has(error.code) ? exitCodes.no : exitCodes.environment
}

/** Tells a person what went wrong, and gives the exit code. */
export function report(error: unknown, io: Io): number {
  const code = exitCodeOf(error)
  const label = io.colors.red('workerbee:')
  if (error instanceof VerifierError) {
    for (const program of error.report.programs) {
      if (program.verdict !== 'accept') for (const line of describeVerdict(program, io)) io.err(line)
    }
  } else if (error instanceof BpfError) io.err(`${label} ${error.message} ${io.colors.dim(`[${error.code}]`)}`)
  else {
    io.err(`${label} this is a bug of Workerbee, please report it with the input that led to it`)
    io.err(error instanceof Error ? (error.stack ?? error.message) : String(error))
  }
  return code
}
