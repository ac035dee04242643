/** Which registers an instruction reads and writes. Registers of calls depend on what is called and are given from outside. */
import { callxRegister } from '../../isa/index.js'
import type { Op } from './cfg.js'

/** R0, the result of functions. */
export const R0 = 0

/** R10, the frame pointer: a constant of the frame, never a variable. */
export const FRAME_POINTER = 10

const movs: readonly string[] = ['mov', 'movsx', 'addr_space_cast']

/** The register that an instruction reads through its `dst` field, or -1. */
export function readsDst({ insn, row }: Op): number {
  if (row.op === 'callx') return callxRegister(insn)
  const { kind, op } = row
  const reads =
    (kind === 'alu' && !movs.includes(op)) ||
    kind === 'end' ||
    kind === 'store' ||
    kind === 'if' ||
    (kind === 'atomic' && op !== 'load_acquire')
  return reads ? insn.dst : -1
}

/** The register that an instruction reads through its `src` field, or -1. */
export function readsSrc({ insn, row }: Op): number {
  return row.source === 'reg' && row.op !== 'callx' ? insn.src : -1
}

/** Whether an instruction reads R0 without naming it. */
export function readsR0({ row }: Op): boolean {
  return row.kind === 'exit' || row.op === 'atomic_cmpxchg'
}

/** The register that an instruction writes, or -1. No instruction writes two. */
export function writes({ insn, row }: Op): number {
  const { kind, op } = row
  if (kind === 'call' || kind === 'packet' || op === 'atomic_cmpxchg') return R0
  if (kind === 'atomic') {
    if (op === 'load_acquire') return insn.dst
    return op.startsWith('atomic_fetch') || op === 'atomic_xchg' ? insn.src : -1
  }
  return kind === 'alu' || kind === 'end' || kind === 'load' || kind === 'imm64' ? insn.dst : -1
}
