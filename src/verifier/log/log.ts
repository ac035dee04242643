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

/** An empty log. Pieces are kept apart: joining them at each step would make a long path quadratic. */
export function createLog(level: LogLevel): Log {
  let pieces: string[] = []
  /** Characters in `pieces`, and before them. */
  let length = 0
  let dropped = 0

  const dropOldest = (): void => {
    let kept = 0
    let first = pieces.length
    while (first > 0 && kept < maxLogLength >> 1) kept += pieces[--first]?.length ?? 0
    pieces = pieces.slice(first)
    dropped += length - kept
    length = kept
  }

  return {
    level,
    get text() {
      return pieces.join('')
    },
    get position() {
      return dropped + length
    },
    write(more) {
      if (level === 0) return
      pieces.push(more)
      length += more.length
      if (length > maxLogLength) dropOldest()
    },
    truncate(position) {
      const wanted = Math.max(0, position - dropped)
      while (length > wanted) {
        const last = pieces.pop() ?? ''
        length -= last.length
        if (length >= wanted) continue
        pieces.push(last.slice(0, wanted - length))
        length = wanted
      }
      dropped = Math.min(dropped, position)
    },
  }
}
