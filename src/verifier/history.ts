/**
 * The instructions of a path that walking backwards cannot guess: where it did not fall through, and those that used the
 * stack or compared linked registers. Kept per state, since the last remembered one.
 */
import type { RecordedAccess } from './env.js'
import type { HistoryEntry, State } from './state.js'

/** Adds to the entry of `insn`, or makes one. `fresh` says that the current instruction has none yet. */
export function recordHistory(
  state: State,
  insn: number,
  prevInsn: number,
  what: RecordedAccess,
  fresh: boolean,
): void {
  const last = fresh ? undefined : state.history.pop()
  state.history.push({
    insn,
    prevInsn,
    stack: what.stack ?? last?.stack,
    stackPointers: what.stackPointers ?? last?.stackPointers,
    linked: what.linked ?? last?.linked,
  })
}

/** The entry of `insn` if it is the last one before `end`. */
export function historyEntry(state: State, end: number, insn: number): HistoryEntry | undefined {
  const entry = end > 0 ? state.history[end - 1] : undefined
  return entry?.insn === insn ? entry : undefined
}

/**
 * The instruction that was executed before `insn`, with the number of history entries that are left; `undefined` at the
 * first instruction of the state.
 */
export function previousInsn(state: State, insn: number, end: number): { insn: number; end: number } | undefined {
  if (insn === state.firstInsn) {
    if (end === 0) return undefined
    if (end === 1 && state.history[0]?.insn === insn) return undefined
  }
  const entry = historyEntry(state, end, insn)
  return entry ? { insn: entry.prevInsn, end: end - 1 } : { insn: insn - 1, end }
}
