/**
 * Pointer arithmetic: a pointer plus or minus a scalar stays a pointer, known amounts go into its fixed offset, unknown
 * ones into its variable part. Everything else on pointers gives a plain number or is refused. Root may subtract pointers
 * and use 32-bit subtraction on them (CAP_PERFMON).
 */
import type { OpcodeRow } from '../../isa/index.js'
import type { Insn } from '../../isa/insn.js'
import type { Env } from '../env.js'
import { isPacket } from '../memory/packet.js'
import { checkSaneOffset } from '../memory/pointer.js'
import { markPrecise } from '../precision.js'
import { anyScalar, mayBeNull, type Reg, type ScalarReg, typeName } from '../registers.js'
import { alu, isConstant, type Scalar } from '../scalar/index.js'
import { S32_MAX, S32_MIN, U32_MAX } from '../scalar/scalar.js'

const movable = new Set<Reg['type']>(['ctx', 'map_value', 'map_key', 'fp', 'pkt_meta', 'pkt', 'btf_ptr', 'mem', 'func'])

/** `dst op= src` where at least one of them is a pointer. */
export function pointerMath(env: Env, insn: Insn, row: OpcodeRow, dst: Reg, src: Reg): void {
  const n = insn.dst
  if (dst.type !== 'scalar' && src.type !== 'scalar') {
    if (row.op !== 'sub') env.reject('EACCES', `R${n} pointer ${operator(row)} pointer prohibited`)
    env.setReg(n, anyScalar)
    return
  }
  const reversed = dst.type === 'scalar'
  if (row.source === 'reg') markPrecise(env, reversed ? n : insn.src)
  const pointer = reversed ? src : dst
  const amount = (reversed ? env.reg(n) : row.source === 'reg' ? env.reg(insn.src) : src) as ScalarReg
  offsetPointer(env, row, n, pointer, amount, reversed)
}

/** The operator in messages: a signed division goes by the unsigned one. */
function operator({ op, symbol }: OpcodeRow): string {
  return op === 'sdiv' || op === 'smod' ? symbol.slice(1) : symbol
}

function offsetPointer(env: Env, row: OpcodeRow, n: number, pointer: Reg, amount: ScalarReg, reversed: boolean): void {
  const { value } = amount
  const known = isConstant(value)
  // Ranges that contradict each other come from a branch that cannot happen.
  const contradicts = known
    ? value.smin !== value.smax || value.umin !== value.umax
    : value.smin > value.smax || value.umin > value.umax
  if (contradicts) {
    env.setReg(n, anyScalar)
    return
  }
  const symbol = operator(row)
  if (row.width === 32) {
    if (row.op !== 'sub') env.reject('EACCES', `R${n} 32-bit pointer arithmetic prohibited`)
    env.setReg(n, anyScalar)
    return
  }
  const type = typeName(pointer)
  if (mayBeNull(pointer)) {
    env.reject('EACCES', `R${n} pointer arithmetic on ${type} prohibited, null-check it first`)
  }
  const addsNothing = pointer.type === 'map_ptr' && known && value.smin === 0n && row.op === 'add'
  if (!movable.has(pointer.type) && !addsNothing) {
    env.reject('EACCES', `R${n} pointer arithmetic on ${type} prohibited`)
  }
  checkSaneOffset(env, amount, type)
  checkSaneOffset(env, pointer, type)
  const result = row.op === 'add' || row.op === 'sub' ? moved(env, row.op, n, pointer, value, reversed) : undefined
  if (!result) {
    const what = row.op === 'and' || row.op === 'or' || row.op === 'xor' ? 'bitwise operator' : undefined
    env.reject(
      'EACCES',
      what
        ? `R${n} ${what} ${symbol} on pointer prohibited`
        : `R${n} pointer arithmetic with ${symbol} operator prohibited`,
    )
  }
  checkSaneOffset(env, result, type)
  env.setReg(n, result)
}

/** Pointers carry no 32-bit ranges. */
function without32(value: Scalar): Scalar {
  return { ...value, s32min: S32_MIN, s32max: S32_MAX, u32min: 0, u32max: U32_MAX }
}

function moved(env: Env, op: 'add' | 'sub', n: number, pointer: Reg, amount: Scalar, reversed: boolean): Reg {
  if (op === 'sub') {
    if (reversed) env.reject('EACCES', `R${n} tried to subtract pointer from scalar`)
    if (pointer.type === 'fp') env.reject('EACCES', `R${n} subtraction from stack pointer prohibited`)
  }
  if (isConstant(amount)) {
    const off = BigInt(pointer.off) + (op === 'add' ? amount.smin : -amount.smin)
    if (off === BigInt.asIntN(32, off)) return { ...pointer, off: Number(off) }
  }
  const value = alu(op, 64, without32(pointer.value), without32(amount))
  if (!isPacket(pointer)) return { ...pointer, value }
  const forgets = op === 'add' || amount.smin < 0n
  return { ...pointer, value, id: env.newId(), range: forgets ? 0 : pointer.range }
}
