/** What arithmetic and jumps mean, in BigInt: a second opinion on the interpreter, written from RFC 9669 alone. */
import type { OpcodeRow } from '../../src/isa/index.js'

const signed = (value: bigint, bits: number): bigint => BigInt.asIntN(bits, value)
const unsigned = (value: bigint, bits: number): bigint => BigInt.asUintN(bits, value)

function reverse(value: bigint, bytes: number): bigint {
  let out = 0n
  for (let i = 0; i < bytes; i++) out = (out << 8n) | ((value >> BigInt(8 * i)) & 255n)
  return out
}

type Binary = (a: bigint, b: bigint, bits: number) => bigint

const alu: Record<string, Binary> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => (b ? a / b : 0n),
  mod: (a, b) => (b ? a % b : a),
  sdiv: (a, b, bits) => (b ? signed(a, bits) / signed(b, bits) : 0n),
  smod: (a, b, bits) => (b ? signed(a, bits) % signed(b, bits) : a),
  or: (a, b) => a | b,
  and: (a, b) => a & b,
  xor: (a, b) => a ^ b,
  lsh: (a, b, bits) => a << (b & BigInt(bits - 1)),
  rsh: (a, b, bits) => a >> (b & BigInt(bits - 1)),
  arsh: (a, b, bits) => signed(a, bits) >> (b & BigInt(bits - 1)),
  neg: (a) => -a,
  mov: (_a, b) => b,
  addr_space_cast: (_a, b) => unsigned(b, 32),
}

const compare: Record<string, (a: bigint, b: bigint, bits: number) => boolean> = {
  jeq: (a, b) => a === b,
  jne: (a, b) => a !== b,
  jgt: (a, b) => a > b,
  jge: (a, b) => a >= b,
  jlt: (a, b) => a < b,
  jle: (a, b) => a <= b,
  jset: (a, b) => (a & b) !== 0n,
  jsgt: (a, b, bits) => signed(a, bits) > signed(b, bits),
  jsge: (a, b, bits) => signed(a, bits) >= signed(b, bits),
  jslt: (a, b, bits) => signed(a, bits) < signed(b, bits),
  jsle: (a, b, bits) => signed(a, bits) <= signed(b, bits),
}

/** The destination register after an `alu` or `end` row; `b` is the second operand, sign-extended where immediate. */
export function aluResult(row: OpcodeRow, dst: bigint, b: bigint): bigint {
  const bits = row.width
  if (row.kind === 'end') {
    const low = unsigned(dst, row.size * 8)
    return row.op === 'le' ? low : reverse(low, row.size)
  }
  if (row.op === 'movsx') return unsigned(unsigned(signed(b, row.size * 8), bits), 64)
  const operation = alu[row.op]
  if (!operation) throw new Error(`no reference for ${row.op}`)
  return unsigned(operation(unsigned(dst, bits), unsigned(b, bits), bits), bits)
}

/** Whether an `if` row jumps. */
export function jumps(row: OpcodeRow, a: bigint, b: bigint): boolean {
  const test = compare[row.op]
  if (!test) throw new Error(`no reference for ${row.op}`)
  return test(unsigned(a, row.width), unsigned(b, row.width), row.width)
}
