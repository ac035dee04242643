/** Arithmetic and moves: on scalars by the transfer functions of `scalar/`, on pointers by the rules of `pointer-math.ts`. */
import type { OpcodeRow } from '../../isa/index.js'
import type { Insn } from '../../isa/insn.js'
import type { Env, Step } from '../env.js'
import { withId } from '../memory/stack.js'
import { markPrecise } from '../precision.js'
import { anyScalar, changed, constantReg, noTie, type Reg, type ScalarReg, scalarReg, type Tie } from '../registers.js'
import {
  type AluOp,
  alu,
  constant,
  forkScalar,
  isConstant,
  type Scalar,
  signExtend,
  tnumIsConst32,
  zeroExtend32,
} from '../scalar/index.js'
import { swap } from '../scalar/swap.js'
import { pointerMath } from './pointer-math.js'

/** The signed 64-bit value of an immediate operand in an instruction of this width. */
const immediate = (insn: Insn): Scalar => constant(BigInt(insn.imm))

/** `r1 = be16 r1` and its kin. Only `le64`, which changes nothing, keeps the tie to other registers. */
export function checkEnd(env: Env, insn: Insn, row: OpcodeRow): Step {
  const reg = env.readReg(insn.dst)
  env.checkWritable(insn.dst)
  if (reg.type !== 'scalar') env.setReg(insn.dst, anyScalar)
  else if (row.op !== 'le' || row.size !== 8) {
    const value = swap(row.op as 'le' | 'be' | 'bswap', row.size as 2 | 4 | 8, reg.value)
    env.setReg(insn.dst, changed(reg, value))
  }
  return 'next'
}

/** `dst op= src`, moves and negation. */
export function checkAlu(env: Env, insn: Insn, row: OpcodeRow): Step {
  if (row.op === 'mov' || row.op === 'movsx') return checkMove(env, insn, row)
  if (row.op === 'addr_space_cast') return refuseCast(env, insn)
  if (row.op === 'neg') return checkNegation(env, insn, row)
  if (row.source === 'reg') env.readReg(insn.src)
  env.readReg(insn.dst)
  if (row.source === 'imm') checkImmediate(env, insn, row)
  env.checkWritable(insn.dst)
  const dst = env.reg(insn.dst)
  const src: Reg = row.source === 'reg' ? env.reg(insn.src) : scalarReg(immediate(insn))
  if (dst.type === 'scalar' && src.type === 'scalar') scalarMath(env, insn, row, dst, src)
  else pointerMath(env, insn, row, dst, src)
  return 'next'
}

/** Casts belong to arenas; programs that use one end earlier, as unsupported. */
function refuseCast(env: Env, insn: Insn): never {
  if (insn.imm !== 1 && insn.imm !== 0x10000) {
    env.reject('EINVAL', 'addr_space_cast insn can only convert between address space 1 and 0')
  }
  return env.reject('EINVAL', 'addr_space_cast insn can only be used in a program that has an associated arena')
}

function checkImmediate(env: Env, insn: Insn, row: OpcodeRow): void {
  const { op, width } = row
  if ((op === 'div' || op === 'mod' || op === 'sdiv' || op === 'smod') && insn.imm === 0) {
    env.reject('EINVAL', 'div by zero')
  }
  if ((op === 'lsh' || op === 'rsh' || op === 'arsh') && (insn.imm < 0 || insn.imm >= width)) {
    env.reject('EINVAL', `invalid shift ${insn.imm}`)
  }
}

function scalarMath(env: Env, insn: Insn, row: OpcodeRow, dst: ScalarReg, src: ScalarReg): void {
  // What a precise register is computed from must be precise, too.
  if (row.source === 'reg' && dst.precise) markPrecise(env, insn.src)
  const op = row.op as AluOp
  const fork = forkScalar(op, dst.value, src.value)
  if (fork) {
    const pushed = env.pushBranch(env.insn)
    const frame = pushed.frames[pushed.frames.length - 1]
    if (frame) frame.regs[insn.dst] = { ...dst, value: fork.pushed }
  }
  const value = alu(op, row.width, fork ? fork.now : dst.value, src.value)
  env.setReg(insn.dst, changed(dst, value, tieAfter(insn, row, dst, src)))
}

/** After `r += constant` or `r -= constant` the sum still knows the register that it came from; other results are new. */
function tieAfter(insn: Insn, row: OpcodeRow, dst: ScalarReg, src: ScalarReg): Tie {
  const { op, width } = row
  if ((op !== 'add' && op !== 'sub') || !dst.id || dst.idAdd) return noTie
  if (row.source === 'reg' && insn.src === insn.dst) return noTie
  // In 32 bits the distance holds only where the register had no upper half.
  if (width === 32 ? !tnumIsConst32(src.value.tnum) || dst.value.umax > 0xffffffffn : !isConstant(src.value))
    return noTie
  const by = width === 32 ? BigInt(src.value.s32min) : src.value.smin
  const off = op === 'add' ? by : -by
  const fits = by === BigInt.asIntN(32, by) && off === BigInt.asIntN(32, off)
  return fits ? { id: dst.id, idAdd: width, off: Number(off) } : noTie
}

function checkNegation(env: Env, insn: Insn, row: OpcodeRow): Step {
  const reg = env.readReg(insn.dst)
  env.checkWritable(insn.dst)
  if (reg.type !== 'scalar') env.setReg(insn.dst, anyScalar)
  else env.setReg(insn.dst, changed(reg, alu('neg', row.width, reg.value, reg.value)))
  return 'next'
}

function checkMove(env: Env, insn: Insn, row: OpcodeRow): Step {
  if (row.source !== 'reg') {
    env.checkWritable(insn.dst)
    env.setReg(insn.dst, constantReg(row.width === 64 ? BigInt(insn.imm) : BigInt(insn.imm >>> 0)))
    return 'next'
  }
  const src = env.readReg(insn.src)
  env.checkWritable(insn.dst)
  env.setReg(insn.dst, moved(env, insn, row, src))
  return 'next'
}

/** What a move gives; the source may get an id so that both stay tied. */
function moved(env: Env, insn: Insn, row: OpcodeRow, src: Reg): Reg {
  if (src.type !== 'scalar') {
    if (row.width === 32) return scalarReg(zeroExtend32(anyScalar.value))
    return row.op === 'mov' ? src : anyScalar
  }
  // Only a copy that keeps the value stays tied to its source.
  const limit = row.op === 'mov' ? (row.width === 64 ? undefined : 1n << 32n) : 1n << BigInt(row.size * 8 - 1)
  const keeps = limit === undefined || src.value.umax < limit
  let from = changed(src, src.value)
  if (keeps) {
    from = withId(env, src)
    if (from !== src) env.setReg(insn.src, from)
  }
  if (limit === undefined) return from
  const value =
    row.op === 'mov' ? zeroExtend32(src.value) : signExtend(src.value, (row.size * 8) as 8 | 16 | 32, row.width)
  return changed(from, value, from)
}
