/** Source lines in the log: `; struct value *v = bpf_map_lookup_elem(&beats, &key); @ heartbeat.bpf.c:12`. */
import type { LineInfo } from '../../object/spec.js'
import type { Log } from './log.js'

/** Writes source lines, each once until another one comes. */
export interface SourceLines {
  /** Writes the line of an instruction, unless it was the last one written. */
  write(insn: number): void
  /** The line that an instruction belongs to. */
  at(insn: number): LineInfo | undefined
}

/** `lines` are ordered by instruction; an instruction belongs to the last line that begins at or before it. */
export function sourceLines(lines: readonly LineInfo[], log: Log): SourceLines {
  let last: LineInfo | undefined
  const at = (insn: number): LineInfo | undefined => {
    let low = 0
    let high = lines.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((lines[middle]?.insn ?? 0) <= insn) low = middle + 1
      else high = middle
    }
    return lines[low - 1]
  }
  return {
    at,
    write(insn) {
      if (!log.level || !lines.length) return
      const line = at(insn)
      if (!line || line === last) return
      const isSame = last !== undefined && last.file === line.file && last.line === line.line && last.text === line.text
      last = line
      if (isSame) return
      log.write(`; ${line.text.trimStart()} @ ${line.file.split('/').pop()}:${line.line}\n`)
    },
  }
}
