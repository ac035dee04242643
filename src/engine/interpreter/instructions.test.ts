import fc from 'fast-check'
import { expect, it } from 'vitest'
import { aluResult, jumps } from '../../../test/support/alu-reference.js'
import { type Insn, type OpcodeRow, opcodes } from '../../isa/index.js'
import { bareProgram } from '../bare.js'

const u64 = fc.oneof(
  fc.bigInt(0n, 2n ** 64n - 1n),
  fc
    .tuple(fc.nat(64), fc.integer({ min: -3, max: 3 }))
    .map(([bit, delta]) => BigInt.asUintN(64, 2n ** BigInt(bit) + BigInt(delta))),
)
const imm32 = fc.oneof(fc.integer(), fc.integer({ min: -3, max: 70 }))

function load(dst: number, value: bigint): Insn[] {
  const half = (shift: bigint) => Number(BigInt.asIntN(32, value >> shift))
  return [
    { code: 0x18, dst, src: 0, off: 0, imm: half(0n) },
    { code: 0, dst: 0, src: 0, off: 0, imm: half(32n) },
  ]
}
const exit: Insn = { code: 0x95, dst: 0, src: 0, off: 0, imm: 0 }
const move = (dst: number, imm: number): Insn => ({ code: 0xb7, dst, src: 0, off: 0, imm })

/** The instruction of a row on R1 and, for a register operand, R2. */
function insnOf(row: OpcodeRow, imm: number, off = 0): Insn {
  const insn = { code: row.code, dst: 1, src: row.source === 'reg' ? 2 : 0, off, imm: row.source === 'imm' ? imm : 0 }
  if (row.selector) insn[row.selector.field] = row.selector.value
  return insn
}
const operand = (row: OpcodeRow, b: bigint, imm: number): bigint => (row.source === 'imm' ? BigInt(imm) : b)

for (const row of opcodes.filter(({ kind }) => kind === 'alu' || kind === 'end')) {
  it(`${row.op} ${row.width} ${row.source} ${row.size || ''}computes what the reference does`, () => {
    fc.assert(
      fc.property(u64, u64, imm32, (a, b, imm) => {
        const body = [...load(1, a), ...load(2, b), insnOf(row, imm), { ...move(0, 0), code: 0xbf, src: 1 }, exit]
        expect(bareProgram(body).run()).toBe(aluResult(row, a, operand(row, b, imm)))
      }),
      { numRuns: 150 },
    )
  })
}

for (const row of opcodes.filter(({ kind }) => kind === 'if')) {
  it(`${row.op} ${row.width} ${row.source} jumps when the reference does`, () => {
    const pair = fc.oneof(
      fc.tuple(u64, u64),
      u64.map((a) => [a, a] as [bigint, bigint]),
    )
    fc.assert(
      fc.property(pair, imm32, ([a, b], imm) => {
        const body = [...load(1, a), ...load(2, b), move(0, 1), insnOf(row, imm, 1), move(0, 0), exit]
        expect(bareProgram(body).run()).toBe(jumps(row, a, operand(row, b, imm)) ? 1n : 0n)
      }),
      { numRuns: 150 },
    )
  })
}
