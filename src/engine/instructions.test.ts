import fc from 'fast-check'
import { expect, it } from 'vitest'
import { aluResult, jumps } from '../../test/support/alu-reference.js'
import { assemble, type Insn, type OpcodeRow, opcodes } from '../isa/index.js'
import { type BareOptions, bareProgram } from './bare.js'
import { createCompiler } from './compiler/index.js'
import { createInterpreter } from './interpreter/index.js'

const engines = [
  ['interpreter', createInterpreter],
  ['compiler', createCompiler],
] as const
type Make = NonNullable<BareOptions['engine']>

const u64 = fc.oneof(
  fc.bigInt(0n, 2n ** 64n - 1n),
  fc
    .tuple(fc.nat(64), fc.integer({ min: -3, max: 3 }))
    .map(([bit, delta]) => BigInt.asUintN(64, 2n ** BigInt(bit) + BigInt(delta))),
)
const pair = fc.oneof(
  fc.tuple(u64, u64),
  u64.map((a) => [a, a] as [bigint, bigint]),
)
const imm32 = fc.oneof(fc.integer(), fc.integer({ min: -3, max: 70 }))

/** The instruction of a row on R1 and, for a register operand, R2. */
function insnOf(row: OpcodeRow, imm: number, off = 0): Insn {
  const insn = { code: row.code, dst: 1, src: row.source === 'reg' ? 2 : 0, off, imm: row.source === 'imm' ? imm : 0 }
  if (row.selector) insn[row.selector.field] = row.selector.value
  return insn
}

/**
 * Runs a row with many operands: `check(a, b, r0)` for R1 = a and the second operand b. Operands come from the program's
 * memory, so that one program serves all of them; immediates stand in the program.
 */
function withOperands(
  engine: Make,
  row: OpcodeRow,
  tail: readonly Insn[],
  off: number,
  check: (a: bigint, b: bigint, r0: bigint) => void,
): void {
  const load = assemble('r2 = *(u64 *)(r1 +8)\nr1 = *(u64 *)(r1 +0)\nr0 = 1')
  const immediates = row.source === 'imm' ? fc.sample(imm32, { numRuns: 15, seed: row.id }) : [0]
  for (const imm of immediates) {
    const program = bareProgram([...load, insnOf(row, imm, off), ...tail], { engine, input: new Uint8Array(16) })
    fc.assert(
      fc.property(pair, ([a, b]) => {
        const region = program.region()
        const view = new DataView(region.buffer, region.byteOffset)
        view.setBigUint64(0, a, true)
        view.setBigUint64(8, b, true)
        check(a, row.source === 'imm' ? BigInt(imm) : b, program.run())
      }),
      { numRuns: row.source === 'imm' ? 40 : 300 },
    )
  }
}

for (const row of opcodes.filter(({ kind }) => kind === 'alu' || kind === 'end')) {
  it.each(engines)(
    `${row.op} ${row.width} ${row.source} ${row.size || ''}computes what the reference does: %s`,
    (_, engine) => {
      withOperands(engine, row, assemble('r0 = r1\nexit'), 0, (a, b, r0) => {
        expect(r0).toBe(aluResult(row, a, b))
      })
    },
  )
}

for (const row of opcodes.filter(({ kind }) => kind === 'if')) {
  it.each(engines)(`${row.op} ${row.width} ${row.source} jumps when the reference does: %s`, (_, engine) => {
    withOperands(engine, row, assemble('r0 = 0\nexit'), 1, (a, b, r0) => {
      expect(r0).toBe(jumps(row, a, b) ? 1n : 0n)
    })
  })
}
