/**
 * Arbitrary programs that the kernel accepts and that need nothing: constants into R0 to R9 and 32 bytes of stack, then
 * arithmetic, byte swaps, forward jumps, loads, stores and atomics in any order, and everything folded into R0.
 */
import fc from 'fast-check'
import { assemble, type Insn, type OpcodeRow, opcodes } from '../../src/isa/index.js'

const imm = fc.oneof(
  fc.integer(),
  fc.integer({ min: -4, max: 70 }),
  fc.nat(31).map((bit) => 1 << bit),
)
const shifts: readonly string[] = ['lsh', 'rsh', 'arsh']
const divisions: readonly string[] = ['div', 'mod', 'sdiv', 'smod']
const inMemory: readonly string[] = ['load', 'store', 'atomic']

/** What the verifier wants of immediates: shifts below the width, divisors other than 0. */
function immOf(row: OpcodeRow): fc.Arbitrary<number> {
  if (row.source !== 'imm') return fc.constant(0)
  if (shifts.includes(row.op)) return fc.nat(row.width - 1)
  return divisions.includes(row.op) ? imm.filter((value) => value !== 0) : imm
}

/** An instruction of a row on any registers; memory is the 32 bytes below R10, aligned. */
function insnOf(row: OpcodeRow): fc.Arbitrary<Insn> {
  const off = row.kind === 'if' ? fc.nat(5) : fc.nat(31).map((at) => (row.size ? at - (at % row.size) - 32 : 0))
  return fc
    .record({
      dst: fc.nat(9),
      src: row.source === 'reg' ? fc.nat(9) : fc.constant(0),
      off: row.kind === 'if' || inMemory.includes(row.kind) ? off : fc.constant(0),
      imm: immOf(row),
    })
    .map((fields) => {
      const insn: Insn = { code: row.code, ...fields }
      if (row.selector) insn[row.selector.field] = row.selector.value
      if (row.kind === 'load' || row.op === 'load_acquire') insn.src = 10
      else if (inMemory.includes(row.kind)) insn.dst = 10
      return insn
    })
}

const rows = opcodes.filter(
  ({ kind, op }) =>
    (kind === 'alu' && op !== 'addr_space_cast') || kind === 'end' || kind === 'if' || inMemory.includes(kind),
)
const prologueRegisters = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
const fold = assemble(
  [
    ...[1, 2, 3, 4, 5, 6, 7, 8, 9].flatMap((register) => ['r0 *= 31', `r0 ^= r${register}`]),
    ...[8, 16, 24, 32].flatMap((at) => [`r1 = *(u64 *)(r10 -${at})`, 'r0 += r1']),
    'exit',
  ].join('\n'),
)

/** Programs of up to 80 arbitrary instructions. */
export const closedProgram: fc.Arbitrary<Insn[]> = fc
  .tuple(
    fc.array(fc.tuple(imm, imm), { minLength: 10, maxLength: 10 }),
    fc.array(fc.oneof(...rows.map(insnOf)), { minLength: 1, maxLength: 80 }),
  )
  .map(([constants, body]) => [
    ...prologueRegisters.flatMap((dst): Insn[] => {
      const [low, high] = constants[dst] ?? [0, 0]
      return [
        { code: 0x18, dst, src: 0, off: 0, imm: low },
        { code: 0, dst: 0, src: 0, off: 0, imm: high },
      ]
    }),
    ...[1, 2, 3, 4].map((src): Insn => ({ code: 0x7b, dst: 10, src, off: -8 * src, imm: 0 })),
    ...body.map((insn, index) =>
      (insn.code & 7) === 5 || (insn.code & 7) === 6 ? shorten(insn, body.length - index) : insn,
    ),
    ...fold,
  ])

/** Keeps a jump within the body: the fold below it may start anywhere, its middle would do too, but not its end. */
function shorten(insn: Insn, left: number): Insn {
  return { ...insn, off: Math.min(insn.off, left - 1) }
}
