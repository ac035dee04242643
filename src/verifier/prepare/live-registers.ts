/**
 * Which registers may still be read, before each instruction: found once from the instructions alone, as Linux does since
 * 6.16. Pruning ignores registers that are dead, and remembered states forget them.
 */

import { isWide, type OpcodeRow, opcode } from '../../isa/index.js'
import type { Insn } from '../../isa/insn.js'
import { postorder, successors } from './flow.js'

/** Bit n stands for Rn. */
const callerSaved = 0b111111
const r0 = 1

/** How many of R1 to R5 a call to a helper or kfunc reads; `undefined` where that is not known (then all five). */
export type ParameterCount = (insn: Insn, index: number) => number | undefined

interface Effect {
  readonly use: number
  readonly def: number
}

const none: Effect = { use: 0, def: 0 }

function atomicEffect(row: OpcodeRow, dst: number, src: number): Effect {
  if (row.op === 'load_acquire') return { use: src, def: dst }
  if (row.op === 'atomic_cmpxchg') return { use: r0 | dst | src, def: r0 }
  const fetches = row.op === 'atomic_xchg' || row.op.startsWith('atomic_fetch')
  return { use: dst | src, def: fetches ? src : 0 }
}

function effect(insn: Insn, index: number, parameters: ParameterCount): Effect {
  const row = opcode(insn)
  if (!row) return none
  const dst = 1 << insn.dst
  const src = row.source === 'reg' ? 1 << insn.src : 0
  switch (row.kind) {
    case 'imm64':
      return { use: 0, def: dst }
    case 'packet':
      // Linux takes these for reading everything.
      return { use: 0x3ff, def: 0 }
    case 'load':
      return { use: src, def: dst }
    case 'store':
      return { use: dst | src, def: 0 }
    case 'atomic':
      return atomicEffect(row, dst, src)
    case 'alu':
      return row.op === 'mov' || row.op === 'movsx' || row.op === 'addr_space_cast'
        ? { use: src, def: dst }
        : { use: dst | src, def: dst }
    case 'end':
      return { use: dst, def: dst }
    case 'if':
      return { use: dst | src, def: 0 }
    case 'exit':
      return { use: r0, def: 0 }
    case 'call': {
      const count = parameters(insn, index) ?? 5
      return { use: ((1 << count) - 1) << 1, def: callerSaved }
    }
    default:
      return none
  }
}

/** Masks of the registers R0 to R9 that are live before each instruction. */
export function liveRegisters(
  insns: readonly Insn[],
  starts: readonly number[],
  parameters: ParameterCount,
): Uint16Array {
  const live = new Uint16Array(insns.length)
  const effects = insns.map((insn, i) => effect(insn, i, parameters))
  const order = starts.flatMap((start) => postorder(insns, start))
  for (let changed = true; changed; ) {
    changed = false
    for (const at of order) {
      const { use, def } = effects[at] ?? none
      let after = 0
      for (const next of successors(insns, at)) after |= live[next] ?? 0
      const before = ((after & ~def) | use) & 0x3ff
      if (before === live[at]) continue
      live[at] = before
      changed = true
    }
  }
  return live
}

/** The table that the log of level 2 opens with: loop number, instruction, live registers, text. */
export function formatLiveRegisters(
  insns: readonly Insn[],
  live: Uint16Array,
  component: Uint32Array,
  text: (index: number) => string,
): string {
  let table = 'Live regs before insn:\n'
  for (let i = 0; i < insns.length; i++) {
    const insn = insns[i]
    const loop = component[i] ? `${component[i]}`.padStart(3) : '   '
    let regs = ''
    for (let n = 0; n < 10; n++) regs += (live[i] ?? 0) & (1 << n) ? n : '.'
    table += `${loop} ${`${i}`.padStart(3)}: ${regs} ${text(i)}\n`
    if (insn && isWide(insn)) i++
  }
  return table
}
