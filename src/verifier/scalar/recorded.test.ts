// Linux 6.18.44's own answers: random straight-line programs over r6 to r8 (all unknown at first), and what the kernel's
// log (level 2) printed after each instruction. A row is [operation, width, dst, src register or immediate, results…]:
// one result for ALU, `always`/`never` for a decided jump, else dst after falling through and after jumping, then src.
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import {
  type AluOp,
  alu,
  branchTaken,
  constant,
  formatScalar,
  type JumpOp,
  refine,
  type Scalar,
  signExtend,
  unknownScalar,
} from './index.js'

type Row = [op: string, width: 32 | 64, dst: number, src: number | string, ...results: string[]]

const file = new URL('recorded-6.18.expected.json', import.meta.url)
const programs: Row[][] = JSON.parse(readFileSync(file, 'utf8'))

function step(regs: Map<number, Scalar>, [op, width, dst, src]: Row): string[] {
  const reg = (index: number): Scalar => regs.get(index) ?? unknownScalar
  const a = reg(dst)
  const b = typeof src === 'number' ? reg(src) : constant(BigInt(src))
  if (op === 'const') regs.set(dst, b)
  else if (op.startsWith('movsx')) regs.set(dst, signExtend(b, Number(op.slice(5)) as 8 | 16 | 32, width))
  else if (op.startsWith('j')) {
    const known = branchTaken(op as JumpOp, width, a, b)
    if (known !== undefined) return [known ? 'always' : 'never']
    const { taken, fallthrough } = refine(op as JumpOp, width, a, b)
    regs.set(dst, fallthrough[0])
    if (typeof src === 'number') regs.set(src, fallthrough[1])
    const both = [formatScalar(fallthrough[0]), formatScalar(taken[0])]
    return typeof src === 'number' ? [...both, formatScalar(fallthrough[1]), formatScalar(taken[1])] : both
  } else regs.set(dst, alu(op as AluOp, width, a, b))
  return [formatScalar(reg(dst))]
}

it(`agrees with what Linux 6.18 printed for ${programs.flat().length} instructions`, () => {
  for (const program of programs) {
    const regs = new Map<number, Scalar>()
    for (const row of program) expect([row.slice(0, 4), step(regs, row)]).toEqual([row.slice(0, 4), row.slice(4)])
  }
})

it('has every operation among them', () => {
  const names = 'add sub mul div mod or and xor lsh rsh arsh neg movsx8 movsx16 movsx32'
  const jumps = 'jeq jne jgt jge jlt jle jsgt jsge jslt jsle jset'
  const seen = new Set(programs.flat().map(([op]) => op))
  expect(`${names} ${jumps}`.split(' ').filter((op) => !seen.has(op))).toEqual([])
})
