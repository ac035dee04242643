/**
 * Arithmetic. A 32-bit operation is an i32 instruction; a 64-bit one whose result is held in an i32 is too, where the lower
 * half of the result depends on lower halves only, or where both operands are known to be zero-extended.
 */
import type { ValType } from '../../wasm/index.js'
import type { Op } from './cfg.js'
import { type Context, mark, read, temporary, write } from './context.js'
import { isClosed } from './types.js'

/** WebAssembly's name of an operation of eBPF. */
const names: Readonly<Record<string, string>> = {
  add: 'add',
  sub: 'sub',
  mul: 'mul',
  or: 'or',
  and: 'and',
  xor: 'xor',
  lsh: 'shl',
  rsh: 'shr_u',
  arsh: 'shr_s',
  div: 'div_u',
  mod: 'rem_u',
  sdiv: 'div_s',
  smod: 'rem_s',
}

const shifts: readonly string[] = ['lsh', 'rsh', 'arsh']
const divisions: readonly string[] = ['div', 'mod', 'sdiv', 'smod']

/** Pushes a constant of a type, sign-extended. */
export function pushConstant({ body }: Context, type: ValType, value: number): void {
  if (type === 'i32') body.i32(value)
  else body.i64(value)
}

/** Pushes the second operand: the immediate, or the source register. */
export function pushOperand(context: Context, { insn, row, pos }: Op, type: ValType): void {
  if (row.source === 'imm') pushConstant(context, type, insn.imm)
  else read(context, insn.src, context.unit.webs.src[pos] as number, type)
}

/** Whether both operands of a 64-bit operation have a zero upper half. */
export function operandsAreZero({ unit: { webs, types } }: Context, { insn, row, pos }: Op): boolean {
  const [dst, src] = [webs.dst[pos] as number, webs.src[pos] as number]
  if (dst < 0 || !types.zero[dst]) return false
  return row.source === 'imm' ? insn.imm >= 0 : src >= 0 && types.zero[src] === 1
}

/** Whether the operands of a 64-bit operation lie in i32s, so that computing there costs no conversion. */
export function operandsAreNarrow({ unit: { webs, types } }: Context, { row, pos }: Op): boolean {
  const [dst, src] = [webs.dst[pos] as number, webs.src[pos] as number]
  return types.narrow[dst] === 1 && (row.source === 'imm' || (src >= 0 && types.narrow[src] === 1))
}

/** The type in which an operation is computed. */
function computedIn(context: Context, op: Op): ValType {
  const { row, insn, pos } = op
  if (row.width === 32) return 'i32'
  const { narrow } = context.unit.types
  const isNarrow = narrow[context.unit.webs.def[pos] as number] === 1
  if (isNarrow && isClosed(op)) return 'i32'
  const zero = operandsAreZero(context, op)
  if (zero && (row.op === 'div' || row.op === 'mod')) return 'i32'
  const { types, webs } = context.unit
  const isZero = types.zero[webs.dst[pos] as number] === 1
  if (isNarrow && row.op === 'rsh' && row.source === 'imm' && insn.imm < 32 && insn.imm >= 0 && isZero) return 'i32'
  return 'i64'
}

/** Pushes `dst / src` and its kin as eBPF defines them: a divisor of 0 gives 0, or for a remainder the dividend. */
function pushDivision(context: Context, op: Op, type: ValType): void {
  const { body } = context
  const { row, insn } = op
  const isRemainder = row.op === 'mod' || row.op === 'smod'
  const signed = row.op === 'sdiv' || row.op === 'smod'
  const dst = (): void => read(context, insn.dst, context.unit.webs.dst[op.pos] as number, type)
  const name = `${type}.${names[row.op]}`
  if (row.source === 'imm') {
    const { imm } = insn
    if (imm === 0 || (signed && imm === -1 && isRemainder)) {
      if (imm === 0 && isRemainder) dst()
      else pushConstant(context, type, 0)
    } else if (signed && imm === -1) {
      pushConstant(context, type, 0)
      dst()
      body.op(`${type}.sub`)
    } else {
      dst()
      pushConstant(context, type, imm)
      body.op(name)
    }
    return
  }
  const release = mark(context)
  const divisor = temporary(context, type)
  pushOperand(context, op, type)
  body.set(divisor)
  if (!signed) {
    body.get(divisor).op(`${type}.eqz`).if(type)
    if (isRemainder) dst()
    else pushConstant(context, type, 0)
    body.else()
    dst()
    body.get(divisor).op(name).end()
  } else {
    // Divisors 0 and -1, without a division: -1 would overflow. x / d = -x & d, x % d = x & ~d.
    body.get(divisor)
    pushConstant(context, type, 1)
    body.op(`${type}.add`)
    pushConstant(context, type, 1)
    body.op(`${type}.le_u`).if(type)
    if (isRemainder) {
      dst()
      body.get(divisor)
      pushConstant(context, type, -1)
      body.op(`${type}.xor`)
    } else {
      pushConstant(context, type, 0)
      dst()
      body.op(`${type}.sub`).get(divisor)
    }
    body.op(`${type}.and`).else()
    dst()
    body.get(divisor).op(name).end()
  }
  release()
}

function emitMove(context: Context, op: Op): void {
  const { insn, row, pos } = op
  const { webs, types } = context.unit
  const def = webs.def[pos] as number
  const type = row.width === 32 || row.op === 'addr_space_cast' || types.narrow[def] ? 'i32' : 'i64'
  pushOperand(context, op, type)
  write(context, insn.dst, def, type)
}

function emitSignExtension(context: Context, op: Op): void {
  const { insn, row, pos } = op
  const { webs, types } = context.unit
  const def = webs.def[pos] as number
  const type = row.width === 32 || types.narrow[def] ? 'i32' : 'i64'
  pushOperand(context, op, type)
  if (type === 'i64' || row.size < 4) context.body.op(`${type}.extend${row.size * 8}_s`)
  write(context, insn.dst, def, type)
}

const moves: Readonly<Record<string, (context: Context, op: Op) => void>> = {
  mov: emitMove,
  addr_space_cast: emitMove,
  movsx: emitSignExtension,
}

/** Emits an instruction of kind `alu`. */
export function emitAlu(context: Context, op: Op): void {
  const { row, insn, pos } = op
  const { body } = context
  const move = moves[row.op]
  if (move) {
    move(context, op)
    return
  }
  const def = context.unit.webs.def[pos] as number
  const dst = context.unit.webs.dst[pos] as number
  const type = computedIn(context, op)
  if (row.op === 'neg') {
    pushConstant(context, type, 0)
    read(context, insn.dst, dst, type)
    body.op(`${type}.sub`)
  } else if (divisions.includes(row.op)) pushDivision(context, op, type)
  else {
    read(context, insn.dst, dst, type)
    if (shifts.includes(row.op) && row.source === 'imm') pushConstant(context, type, insn.imm & (row.width - 1))
    else pushOperand(context, op, type)
    body.op(`${type}.${names[row.op]}`)
  }
  write(context, insn.dst, def, type)
}

/** Swaps the bytes of the i32 on the stack. */
export function swap32(context: Context): void {
  const { body } = context
  const release = mark(context)
  const value = temporary(context, 'i32')
  body.tee(value).i32(8).op('i32.rotl').i32(0x00ff00ff).op('i32.and')
  body.get(value).i32(24).op('i32.rotl').i32(0xff00ff00).op('i32.and').op('i32.or')
  release()
}

/** Swaps the bytes of the i64 on the stack: within 16 bits, within 32, then the halves. */
function swap64(context: Context): void {
  const { body } = context
  const release = mark(context)
  const value = temporary(context, 'i64')
  for (const [shift, mask] of [
    [8, 0x00ff00ff00ff00ffn],
    [16, 0x0000ffff0000ffffn],
  ] as const) {
    body.tee(value).i64(mask).op('i64.and').i64(shift).op('i64.shl')
    body.get(value).i64(shift).op('i64.shr_u').i64(mask).op('i64.and').op('i64.or')
  }
  body.i64(32).op('i64.rotl')
  release()
}

/** Emits a byte swap or truncation. */
export function emitEnd(context: Context, { row, insn, pos }: Op): void {
  const { body } = context
  const def = context.unit.webs.def[pos] as number
  const dst = context.unit.webs.dst[pos] as number
  const type: ValType = row.size === 8 && (row.op !== 'le' || !context.unit.types.narrow[def]) ? 'i64' : 'i32'
  read(context, insn.dst, dst, type)
  if (row.op === 'le') {
    if (row.size === 2) body.i32(0xffff).op('i32.and')
  } else if (row.size === 8) swap64(context)
  else {
    swap32(context)
    if (row.size === 2) body.i32(16).op('i32.shr_u')
  }
  write(context, insn.dst, def, type)
}
