/**
 * The one error class of Workerbee. Every refusal carries a stable `code` for programs, a `place` for people (a file
 * offset, a section, an instruction, an option) and one sentence. Subclasses only add a typed place.
 */

/** Where and why: the options of a {@link BpfError}. */
export interface ErrorDetail {
  /** Where it went wrong, in words a person can follow: `section .maps`, `instruction 12`, `option --set`. */
  place?: string
  /** The error that led to this one. */
  cause?: unknown
}

/** Any failure that Workerbee reports. `message` reads `place: sentence`. */
export class BpfError extends Error {
  override name = 'BpfError'
  /** Stable, machine-readable, kebab-case: `elf-truncated`, `unknown-helper`. */
  readonly code: string
  /** Where, in words; empty when the error has no place. */
  readonly place: string

  constructor(code: string, sentence: string, detail: ErrorDetail = {}) {
    super(detail.place ? `${detail.place}: ${sentence}` : sentence, { cause: detail.cause })
    this.code = code
    this.place = detail.place ?? ''
  }
}

/** Input that could not be read. `offset` is the byte in the file (or blob) at which reading failed. */
export class ParseError extends BpfError {
  override name = 'ParseError'
  /** Byte offset in the input. */
  readonly offset: number

  constructor(code: string, sentence: string, offset: number, detail: ErrorDetail = {}) {
    super(code, sentence, { ...detail, place: detail.place ?? `offset ${offset}` })
    this.offset = offset
  }
}
