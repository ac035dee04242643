/**
 * Idioms for which WebAssembly has one instruction. eBPF has no rotate, so compilers write `y = x << c; x >>= 64 - c; x |= y`,
 * with other instructions in between; V8 does not always see through it. Values are numbered along a block: where an `or`
 * meets two shifts of one value, that value is saved before the shift to the right, and the `or` becomes a rotate of what was saved.
 * The shifts stay, in case somebody else reads them; an optimising compiler drops those that nobody does.
 */
import type { Block } from './cfg.js'
import { FRAME_POINTER, writes } from './operands.js'

/** A rotate in place of an `or`. */
export interface Rotate {
  readonly width: 32 | 64
  /** To the left. */
  readonly by: number
  /** Position of the shift (to the right) before which the value is saved (the value is in its `dst`). */
  readonly saved: number
}

/** What to do differently in a block, by `Op.pos`. */
export interface Idioms {
  readonly rotates: ReadonlyMap<number, Rotate>
  /** Shifts before which their operand is saved, with the width of the operation. */
  readonly saves: ReadonlyMap<number, 32 | 64>
}

/** A value that a shift by a constant made. */
interface Shifted {
  readonly left: boolean
  readonly of: number
  readonly by: number
  readonly width: 32 | 64
  readonly pos: number
}

const none: Idioms = { rotates: new Map(), saves: new Map() }

/** Finds the rotates of a block. */
export function findIdioms({ ops }: Block): Idioms {
  if (!ops.some(({ row }) => row.op === 'lsh') || !ops.some(({ row }) => row.op === 'rsh')) return none
  const rotates = new Map<number, Rotate>()
  const saves = new Map<number, 32 | 64>()
  let fresh = FRAME_POINTER + 1
  const values = Array.from({ length: fresh }, (_, register) => register)
  const lows = new Map<number, number>()
  const shifted = new Map<number, Shifted>()
  const numberOf = (register: number): number => values[register] as number
  /** The number of a value's lower half. */
  const lowOf = (value: number): number => {
    const known = lows.get(value)
    if (known !== undefined) return known
    lows.set(value, fresh)
    lows.set(fresh, fresh)
    return fresh++
  }
  const operandOf = (register: number, width: number): number =>
    width === 32 ? lowOf(numberOf(register)) : numberOf(register)
  for (const op of ops) {
    const { row, insn, pos } = op
    if (row.op === 'mov' && row.source === 'reg') {
      values[insn.dst] = operandOf(insn.src, row.width)
      continue
    }
    const written = writes(op)
    if (row.kind === 'alu' && row.source === 'imm' && (row.op === 'lsh' || row.op === 'rsh')) {
      const by = insn.imm & (row.width - 1)
      // First of all: it may take a number itself.
      const of = operandOf(insn.dst, row.width)
      shifted.set(fresh, { left: row.op === 'lsh', of, by, width: row.width, pos })
      values[insn.dst] = fresh++
      continue
    }
    if (row.kind === 'alu' && row.source === 'reg' && ['or', 'xor', 'add'].includes(row.op)) {
      const [a, b] = [shifted.get(numberOf(insn.dst)), shifted.get(numberOf(insn.src))]
      if (a && b && a.of === b.of && a.left !== b.left && a.by + b.by === row.width && a.by > 0) {
        if (a.width === row.width && b.width === row.width) {
          // Not before the shift to the left: its operand may have lost its upper half, which it does not need.
          const saved = a.left ? b.pos : a.pos
          rotates.set(pos, { width: row.width, by: a.left ? a.by : b.by, saved })
          saves.set(saved, row.width)
        }
      }
    }
    if (written >= 0) values[written] = fresh++
    // A call leaves nothing certain in R1 to R5.
    if (row.kind === 'call') for (let register = 1; register <= 5; register++) values[register] = fresh++
  }
  return { rotates, saves }
}
