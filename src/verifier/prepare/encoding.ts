/**
 * Checks of the raw instructions that Linux makes before it follows a single path, in its order: where functions begin,
 * that no jump leaves its function, that wide loads are whole, that opcodes exist. Other reserved fields are checked when
 * an instruction is reached (`insns/malformed.ts`), since unreachable nonsense is refused for being unreachable.
 */

import { isWide, opcodes, pseudoLoad } from '../../isa/index.js'
import type { Insn } from '../../isa/insn.js'
import { type FlowError, isFuncLoad, isGoto, isJump, isLocalCall, jumpTarget } from './flow.js'

/** The most functions in a program (BPF_MAX_SUBPROGS). */
const maxSubprograms = 256

const known = new Set(opcodes.filter((row) => row.op !== 'callx').map((row) => row.code))

/** First instructions of all functions, ascending, main first. */
export function findSubprograms(insns: readonly Insn[]): number[] | FlowError {
  const starts = new Set([0])
  for (const [i, insn] of insns.entries()) {
    if (!isLocalCall(insn) && !isFuncLoad(insn)) continue
    const start = i + insn.imm + 1
    if (start < 0 || start >= insns.length) {
      return { errno: 'EINVAL', message: 'call to invalid destination', insn: i }
    }
    if (!starts.has(start) && starts.size >= maxSubprograms) {
      return { errno: 'E2BIG', message: 'too many subprograms', insn: i }
    }
    starts.add(start)
  }
  return [...starts].sort((a, b) => a - b)
}

/** No jump leaves its function, and no function ends by falling into the next. */
export function checkSubprograms(insns: readonly Insn[], starts: readonly number[]): FlowError | undefined {
  for (const [number, start] of starts.entries()) {
    const end = starts[number + 1] ?? insns.length
    for (let i = start; i < end; i++) {
      const insn = insns[i]
      if (!insn) continue
      const to = jumpTarget(insn, i)
      if (isJump(insn) && (to < start || to >= end)) {
        return { errno: 'EINVAL', message: `jump out of range from insn ${i} to ${to}`, insn: i }
      }
      if (i === end - 1 && insn.code !== 0x95 && !isGoto(insn)) {
        return { errno: 'EINVAL', message: 'last insn is not an exit or jmp', insn: i }
      }
    }
  }
  return undefined
}

/** Loads have no reserved bits set, wide loads are whole, every opcode exists. */
export function checkOpcodes(insns: readonly Insn[]): FlowError | undefined {
  const wrong = (message: string, insn: number): FlowError => ({ errno: 'EINVAL', message, insn })
  for (let i = 0; i < insns.length; i++) {
    const insn = insns[i]
    if (!insn) continue
    const mode = insn.code & 0xe0
    if ((insn.code & 7) === 1 && ((mode !== 0x60 && mode !== 0x80) || insn.imm !== 0)) {
      return wrong('BPF_LDX uses reserved fields', i)
    }
    if (isWide(insn)) {
      const upper = insns[i + 1]
      if (!upper || upper.code || upper.dst || upper.src || upper.off) return wrong('invalid bpf_ld_imm64 insn', i)
      const plainMap = insn.src === pseudoLoad.mapFd || insn.src === pseudoLoad.mapIdx
      if (insn.src > pseudoLoad.mapIdxValue || (plainMap && upper.imm))
        return wrong('unrecognized bpf_ld_imm64 insn', i)
      i++
    } else if (!known.has(insn.code)) {
      return wrong(`unknown opcode ${insn.code.toString(16).padStart(2, '0')}`, i)
    }
  }
  return undefined
}
