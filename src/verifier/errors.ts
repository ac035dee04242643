/**
 * How a rule stops the verification of a program: by throwing one of two private signals that `verify-program.ts` turns
 * into a verdict. Neither ever leaves the verifier.
 */
import type { ErrnoName } from '../uapi/index.js'

/** The kernel would refuse the program with this errno; its words are already in the log. */
export class Rejection extends Error {
  readonly errno: ErrnoName
  /** The refused instruction, where no path led to it. */
  readonly insn: number | undefined

  constructor(errno: ErrnoName, message: string, insn?: number) {
    super(message)
    this.errno = errno
    this.insn = insn
  }
}

/** Something that this verifier does not judge yet, named. */
export class Unsupported extends Error {
  readonly what: string

  constructor(what: string) {
    super(what)
    this.what = what
  }
}
