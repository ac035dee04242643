/**
 * Where a command's output goes. Commands never touch `process`: the same code runs in a worker that a deadline can end and
 * in a test that compares what was written.
 */
import pc from 'picocolors'

/** A command's outlets. */
export interface Io {
  /** One line (or several) for standard output, without the last newline. */
  out(text: string): void
  /** The same for standard error. */
  err(text: string): void
  /** What a long command is doing, in a line of a terminal that the next one replaces; '' clears it. Elsewhere: nothing. */
  status(text: string): void
  readonly colors: Colors
}

/** The colours that the output uses; without a terminal each gives its text back. */
export type Colors = ReturnType<typeof pc.createColors>

/** Outlets over two writing functions, and one that replaces a terminal's line. */
export function createIo(
  out: (text: string) => void,
  err: (text: string) => void,
  colored: boolean,
  status: (text: string) => void = () => {},
): Io {
  return {
    out: (text) => out(`${text}\n`),
    err: (text) => err(`${text}\n`),
    status,
    colors: pc.createColors(colored),
  }
}
