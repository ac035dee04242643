/**
 * The instruction model that every room shares: one object per 8-byte slot, so that an index here is the index that the
 * kernel prints. A 64-bit immediate load (`ld_imm64`) takes two slots, the second with code 0 and the upper half in `imm`.
 */

/** One 8-byte slot of eBPF bytecode. */
export interface Insn {
  /** Opcode byte, 0 to 255. */
  code: number
  /** Destination register, 0 to 15 (0 to 10 are valid). */
  dst: number
  /** Source register or pseudo source, 0 to 15. */
  src: number
  /** Signed 16-bit offset. */
  off: number
  /** Signed 32-bit immediate. */
  imm: number
}
