/** A program that did at run time what no engine can do: only code that was not verified, or a bug of ours, gets there. */
import { BpfError } from '../bits/index.js'
import type { TrapInfo } from '../engine/engine.js'
import type { LineInfo } from '../object/spec.js'

/** An instruction could not be executed. `code` is the engine's: `bad-address`, `stack-overflow`, ... */
export class TrapError extends BpfError {
  override name = 'TrapError'
  /** Name of the program. */
  readonly program: string
  /** Index of the instruction in it. */
  readonly insn: number
  /** The source line that it came from, where the object says. */
  readonly line: LineInfo | undefined

  constructor(info: TrapInfo, line: LineInfo | undefined) {
    const source = line ? ` (${line.file}:${line.line}: ${line.text.trim()})` : ''
    super(info.code, info.sentence, { place: `program ${info.program}, instruction ${info.insn}${source}` })
    this.program = info.program
    this.insn = info.insn
    this.line = line
  }
}

/** The last line record at or before an instruction. */
export function lineOf(lines: readonly LineInfo[], insn: number): LineInfo | undefined {
  let found: LineInfo | undefined
  for (const line of lines) if (line.insn <= insn && (!found || line.insn >= found.insn)) found = line
  return found
}
