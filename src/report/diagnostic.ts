/**
 * What is wrong with a program, for people: one sentence, the place in their source, how the value came to be what it is,
 * and what to change. The kernel's own words stay in `message`; a report is what stands around them.
 */
import type { ErrnoName } from '../uapi/index.js'

/** What kind of rule was broken. */
export type Category =
  /** An access may fall outside of what the pointer points to. */
  | 'bounds'
  /** Something is read before it was written. */
  | 'uninitialised'
  /** A register or argument holds the wrong kind of thing. */
  | 'type'
  /** A pointer may be NULL. */
  | 'null'
  /** Locks, references and return values: what must be given back or promised. */
  | 'contract'
  /** Not allowed in this kind of program, context or section. */
  | 'context'
  /** The shape of the program: jumps, loops, size, stack depth. */
  | 'structure'

/** A place in the source. */
export interface SourceSpan {
  readonly file: string
  readonly line: number
  readonly column: number
  /** The text of the line. */
  readonly text: string
}

/** One instruction on the way to the problem. */
export interface TraceStep {
  readonly insn: number
  /** The instruction as the kernel prints it. */
  readonly text: string
  readonly source: SourceSpan | undefined
}

/** One problem. */
export interface Diagnostic {
  readonly category: Category
  /** The kernel's (or our own) sentence. */
  readonly message: string
  /** The refused instruction; `undefined` where the problem belongs to none. */
  readonly insn: number | undefined
  readonly text: string | undefined
  readonly source: SourceSpan | undefined
  /** How the register that the message names got its value, oldest first. */
  readonly origin: readonly TraceStep[]
  /** What to change, in a sentence. */
  readonly hint: string | undefined
}

/** Accepted, refused by the kernel's rules, or not judged because this version lacks something. */
export type Verdict = 'accept' | 'reject' | 'unsupported'

/** What verification cost: the numbers of the log's last line. */
export interface VerificationStats {
  /** Instructions that were looked at, all paths together. */
  readonly processed: number
  readonly maxStatesPerInsn: number
  readonly totalStates: number
  readonly peakStates: number
}

/** One program's verdict. */
export interface ProgramReport {
  readonly program: string
  readonly section: string
  /** The program type, `unspec` where the object does not say. */
  readonly type: string
  readonly verdict: Verdict
  /** Why it was refused, as bpf(2) says it; `undefined` unless rejected. */
  readonly errno: ErrnoName | undefined
  /** The kernel's last line before its statistics, or what is unsupported; empty when accepted. */
  readonly message: string
  /** The kernel's log, as far as it was asked for. */
  readonly log: string
  readonly diagnostics: readonly Diagnostic[]
  readonly stats: VerificationStats
  /** Syscall programs: bytes of context that a run must bring (the kernel's `max_ctx_offset`), where known. */
  readonly contextBytes?: number
}

/** What `verify` says about an object. */
export interface VerificationReport {
  /** The kernel whose rules were applied: `6.18`. */
  readonly kernel: string
  /** The worst of the programs' verdicts: reject, then unsupported, then accept. */
  readonly verdict: Verdict
  readonly programs: readonly ProgramReport[]
}
