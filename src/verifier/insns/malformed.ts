/**
 * Instructions with reserved fields set, or with a combination that means nothing: found when a path reaches them, in the
 * words of Linux 6.18. Opcodes that do not exist at all were refused before (`prepare/encoding.ts`).
 */

import { type OpcodeRow, opcode } from '../../isa/index.js'
import type { Insn } from '../../isa/insn.js'
import type { Env } from '../env.js'

const aluNames: Partial<Record<OpcodeRow['op'], string>> = {
  neg: 'BPF_NEG',
  mov: 'BPF_MOV',
  movsx: 'BPF_MOV',
  le: 'BPF_END',
  be: 'BPF_END',
  bswap: 'BPF_END',
}

const names: Partial<Record<OpcodeRow['kind'], string>> = {
  if: 'BPF_JMP/JMP32',
  goto: 'BPF_JA',
  call: 'BPF_CALL',
  exit: 'BPF_EXIT',
  store: 'BPF_ST',
  packet: 'BPF_LD_[ABS|IND]',
  imm64: 'BPF_LD_IMM64',
}

/** Refuses an instruction whose reserved fields are not zero. The offset of an exit may be anything. */
export function checkReserved(env: Env, insn: Insn, row: OpcodeRow): void {
  for (const field of row.reserved) {
    if (insn[field] === 0 || (row.kind === 'exit' && field === 'off')) continue
    if (row.kind === 'alu' || row.kind === 'end') {
      env.reject('EINVAL', `${aluNames[row.op] ?? 'BPF_ALU'} uses reserved fields`)
    }
    if (row.op === 'may_goto') env.reject('EINVAL', `invalid may_goto imm ${insn.imm}`)
    const name = row.op === 'stx' ? 'BPF_STX' : names[row.kind]
    if (name) env.reject('EINVAL', `${name} uses reserved fields`)
  }
}

/** Refuses an instruction that has no row: the byte exists, but not with these fields. */
export function refuseUnknown(env: Env, insn: Insn): never {
  const kind = insn.code & 7
  if (kind === 3 && (insn.code & 0xe0) === 0xc0) {
    // The operation exists, only not in this size.
    if (opcode({ ...insn, code: 0xdb })) return env.reject('EINVAL', 'invalid atomic operand size')
    return env.reject(
      'EINVAL',
      `BPF_ATOMIC uses invalid atomic opcode ${(insn.imm >>> 0).toString(16).padStart(2, '0')}`,
    )
  }
  if (kind === 4 || kind === 7) {
    const name = { 176: 'BPF_MOV', 208: 'BPF_END' }[insn.code & 0xf0] ?? 'BPF_ALU'
    return env.reject('EINVAL', `${name} uses reserved fields`)
  }
  return env.reject('EINVAL', `unknown opcode ${insn.code.toString(16).padStart(2, '0')}`)
}
