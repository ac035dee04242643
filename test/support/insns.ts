/** Arbitrary well-formed instructions and programs for fast-check: every row of the opcode table, reserved fields zero. */
import fc from 'fast-check'
import { type Insn, type OpcodeRow, opcodes, pseudoLoad } from '../../src/isa/index.js'

const reg = fc.nat(10)
const off = fc.oneof(fc.integer({ min: -0x8000, max: 0x7fff }), fc.integer({ min: -4, max: 4 }))
const imm = fc.oneof(fc.integer(), fc.integer({ min: -16, max: 16 }))
const zero = fc.constant(0)

function imm64(row: OpcodeRow): fc.Arbitrary<Insn[]> {
  return fc.tuple(reg, fc.nat(6), imm, imm).map(([dst, src, low, high]) => {
    const hasUpper = [pseudoLoad.number, pseudoLoad.mapValue, pseudoLoad.btfId, pseudoLoad.mapIdxValue] as number[]
    const upper = hasUpper.includes(src) ? high : 0
    return [
      { code: row.code, dst, src, off: 0, imm: low },
      { code: 0, dst: 0, src: 0, off: 0, imm: upper },
    ]
  })
}

/** The slots of one well-formed instruction of this row. */
export function insnOf(row: OpcodeRow): fc.Arbitrary<Insn[]> {
  if (row.kind === 'imm64') return imm64(row)
  const free = (field: 'dst' | 'src' | 'off' | 'imm', any: fc.Arbitrary<number>): fc.Arbitrary<number> =>
    row.selector?.field === field ? fc.constant(row.selector.value) : row.reserved.includes(field) ? zero : any
  const fields = {
    code: fc.constant(row.code),
    dst: free('dst', reg),
    src: row.op === 'call' ? fc.nat(2) : free('src', reg),
    off: free('off', off),
    imm: free('imm', imm),
  }
  return fc.record(fields).map((insn) => [row.op === 'call' && insn.src !== 2 ? { ...insn, off: 0 } : insn])
}

/** The slots of any well-formed instruction. */
export const anyInsn: fc.Arbitrary<Insn[]> = fc.oneof(...opcodes.map(insnOf))

/** A sequence of well-formed instructions (jump targets are arbitrary). */
export const anyProgram: fc.Arbitrary<Insn[]> = fc.array(anyInsn, { maxLength: 40 }).map((parts) => parts.flat())
