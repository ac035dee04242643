/**
 * The verifier's log. As in Linux, level 1 keeps the path that is being explored (what a finished path wrote is taken
 * back) and level 2 keeps everything. A line that describes an instruction is completed after the instruction was checked,
 * which needs positions and `truncate`.
 */

/** How much the log says: 0 nothing, 1 the path to the refusal, 2 every path and every step of the analysis. */
export type LogLevel = 0 | 1 | 2

/** A text that grows and can be taken back to an earlier length. */
export interface Log {
  readonly level: LogLevel
  /** What was written, as far as it is kept. */
  readonly text: string
  /** Length of everything that was written and not taken back. */
  readonly position: number
  write(text: string): void
  /** Takes back what was written after `position`. */
  truncate(position: number): void
}

/** The most characters that a log keeps: the oldest are dropped beyond it, as the kernel's rolling log does. */
export const maxLogLength = 1 << 25

/** An empty log. */
export function createLog(level: LogLevel): Log {
  let text = ''
  let dropped = 0
  return {
    level,
    get text() {
      return text
    },
    get position() {
      return dropped + text.length
    },
    write(more) {
      if (level === 0) return
      text += more
      if (text.length <= maxLogLength) return
      const cut = text.length - (maxLogLength >> 1)
      text = text.slice(cut)
      dropped += cut
    },
    truncate(position) {
      text = text.slice(0, Math.max(0, position - dropped))
      dropped = Math.min(dropped, position)
    },
  }
}
