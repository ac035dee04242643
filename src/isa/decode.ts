/**
 * Bytes to instructions. Nothing is judged here: an unknown opcode or a reserved field decodes like any other slot, since
 * whoever reads the program (printer, verifier) has its own words for it. Little-endian targets only.
 */
import { ParseError } from '../bits/index.js'
import type { Insn } from './insn.js'

/** Bytes of one instruction slot. */
export const insnSize = 8

/**
 * Reads one {@link Insn} for every 8-byte slot; ld_imm64 gives two. Throws `ParseError` (`insn-truncated`) where the length
 * is no multiple of 8; `base` is added to the offset that it names.
 */
export function decode(bytes: Uint8Array, base = 0): Insn[] {
  const left = bytes.length % insnSize
  if (left) {
    const sentence = `${bytes.length} bytes of instructions are no multiple of ${insnSize}`
    throw new ParseError('insn-truncated', sentence, base + bytes.length - left)
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const insns: Insn[] = []
  for (let at = 0; at < bytes.length; at += insnSize) {
    const registers = view.getUint8(at + 1)
    insns.push({
      code: view.getUint8(at),
      dst: registers & 15,
      src: registers >> 4,
      off: view.getInt16(at + 2, true),
      imm: view.getInt32(at + 4, true),
    })
  }
  return insns
}
