/** Instructions to bytes, little-endian: the inverse of `decode`. */
import { BpfError } from '../bits/index.js'
import { insnSize } from './decode.js'
import type { Insn } from './insn.js'

/** Fields with the range that fits their bits. */
const ranges = [
  ['code', 0, 0xff],
  ['dst', 0, 15],
  ['src', 0, 15],
  ['off', -0x8000, 0x7fff],
  ['imm', -0x80000000, 0x7fffffff],
] as const

/** Writes every slot. Throws `BpfError` (`field-range`) where a field does not fit its bits. */
export function encode(insns: readonly Insn[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(insns.length * insnSize)
  const view = new DataView(bytes.buffer)
  insns.forEach((insn, index) => {
    for (const [field, low, high] of ranges) {
      const value = insn[field]
      if (Number.isInteger(value) && value >= low && value <= high) continue
      const sentence = `${field} is ${value}, not between ${low} and ${high}`
      throw new BpfError('field-range', sentence, { place: `instruction ${index}` })
    }
    const at = index * insnSize
    view.setUint8(at, insn.code)
    view.setUint8(at + 1, insn.dst | (insn.src << 4))
    view.setInt16(at + 2, insn.off, true)
    view.setInt32(at + 4, insn.imm, true)
  })
  return bytes
}
