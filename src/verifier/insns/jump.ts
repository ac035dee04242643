/** Conditional jumps: which ways are possible, and what each way teaches about registers, packets and NULL. */
import type { OpcodeRow } from '../../isa/index.js'
import type { Insn } from '../../isa/insn.js'
import type { Env, Step } from '../env.js'
import { comparePacket, packetBranchTaken } from '../memory/packet.js'
import { markPrecise } from '../precision.js'
import { changed, isPointer, mayBeNull, type Reg, scalarReg } from '../registers.js'
import { alu, branchTaken, constant, isConstant, type JumpOp, refine, tnumIsConst32 } from '../scalar/index.js'
import { currentFrame, emptySlot, frameAt, insnOfFrame, type LinkedReg, regAt, type State } from '../state.js'
import { checkReserved } from './malformed.js'
import { markNullness } from './null.js'

/** Registers that share an id: more are forgotten (LINKED_REGS_MAX). */
const maxLinked = 6

/** `goto` and `gotol`. */
export function checkGoto(env: Env, insn: Insn, row: OpcodeRow): Step {
  if (row.op === 'may_goto') return env.unsupported('may_goto')
  env.insn += 1 + (row.op === 'gotol' ? insn.imm : insn.off)
  return 'moved'
}

/** `if dst op src goto`. */
export function checkIf(env: Env, insn: Insn, row: OpcodeRow): Step {
  const op = row.op as JumpOp
  const isReg = row.source === 'reg'
  let dst = env.readReg(insn.dst)
  checkReserved(env, insn, row)
  const src = isReg ? env.readReg(insn.src) : scalarReg(constant(BigInt(insn.imm)))
  dst = env.reg(insn.dst)
  const stackPointers = { src: isReg && src.type === 'fp', dst: dst.type === 'fp' }
  if (stackPointers.src || stackPointers.dst) env.record({ stackPointers })

  const known = outcome(op, row.width, dst, src)
  const notes = env.notes[env.insn]
  if (notes) {
    notes.jumps ||= known !== false
    notes.falls ||= known !== true
  }
  if (known !== undefined) {
    if (!isPointer(dst)) markPrecise(env, insn.dst)
    if (isReg && !isPointer(src)) markPrecise(env, insn.src)
    env.printTouched()
    if (!known) return 'next'
    env.insn += 1 + insn.off
    return 'moved'
  }

  const linked = collectLinked(env, [isReg ? src : undefined, dst])
  if (linked.length > 1) env.record({ linked })
  const jump = env.pushBranch(env.insn + insn.off + 1)
  const stay = env.state
  // Forgetting a link may have changed the registers; both paths start from the same.
  dst = env.reg(insn.dst)
  const srcNow = isReg ? env.reg(insn.src) : src
  if (dst.type === 'scalar' && srcNow.type === 'scalar') {
    learn(insn, row, { dst, src: srcNow, stay, jump, linked })
  }
  learnPointers(insn, row, { dst, src: srcNow, stay, jump })
  env.printTouched()
  return 'next'
}

/** Both paths of a jump and the operands before it. */
interface Fork {
  readonly dst: Reg
  readonly src: Reg
  readonly stay: State
  readonly jump: State
}

/** Whether the jump is decided. */
function outcome(op: JumpOp, width: 32 | 64, dst: Reg, src: Reg): boolean | undefined {
  if (isPacketAny(dst) && isPacketAny(src) && width === 64) return packetBranchTaken(op, dst, src)
  if (dst.type === 'scalar' && src.type === 'scalar') return branchTaken(op, width, dst.value, src.value)
  // A pointer that cannot be NULL differs from 0.
  const [pointer, number] = isConstantReg(src, width) ? [dst, src] : [src, dst]
  if (!isConstantReg(number, width) || !isNeverNull(pointer)) return undefined
  const value = width === 32 ? number.value.u32min : number.value.tnum.value
  if (BigInt(value) !== 0n) return undefined
  return op === 'jne' ? true : op === 'jeq' ? false : undefined
}

function isPacketAny(reg: Reg): boolean {
  return reg.type === 'pkt' || reg.type === 'pkt_meta' || reg.type === 'pkt_end'
}

function isConstantReg(reg: Reg, width: 32 | 64): boolean {
  if (reg.type !== 'scalar') return false
  return width === 64 ? isConstant(reg.value) : tnumIsConst32(reg.value.tnum)
}

function isNeverNull(reg: Reg): boolean {
  if (mayBeNull(reg)) return false
  const { type } = reg
  return type === 'map_value' || type === 'map_key' || type === 'map_ptr' || type === 'mem' || isTrusted(reg)
}

function isTrusted(reg: Reg): boolean {
  return reg.type === 'btf_ptr' && reg.flags === 'trusted_'
}

/**
 * All live registers, and slots, that share an id with one of the operands; beyond the limit they lose it. Where both
 * operands share one id everything counts twice, as in Linux.
 */
function collectLinked(env: Env, operands: readonly (Reg | undefined)[]): LinkedReg[] {
  const { state } = env
  const linked: LinkedReg[] = []
  for (const operand of operands) {
    if (operand?.type !== 'scalar' || !operand.id) continue
    const { id } = operand
    const add = (entry: LinkedReg, forget: () => void): void => {
      if (linked.length < maxLinked) linked.push(entry)
      else forget()
    }
    for (let number = state.frames.length - 1; number >= 0; number--) {
      const frame = frameAt(state, number)
      const live = env.liveRegs[insnOfFrame(state, env.insn, number)] ?? 0
      for (let n = 0; n < 10; n++) {
        const reg = regAt(frame, n)
        if (!(live & (1 << n)) || reg.type !== 'scalar' || reg.id !== id) continue
        add({ frame: number, reg: n, slot: -1 }, () => {
          frame.regs[n] = changed(reg, reg.value)
        })
      }
      for (const [i, slot] of frame.stack.entries()) {
        const { spilled, types } = slot
        if (types[7] !== 'r' || spilled.type !== 'scalar' || spilled.id !== id) continue
        add({ frame: number, reg: -1, slot: i }, () => {
          frame.stack[i] = { types, spilled: changed(spilled, spilled.value) }
        })
      }
    }
  }
  return linked
}

/** What a comparison of two scalars teaches on both paths, about them and about all that are tied to them. */
function learn(
  insn: Insn,
  row: OpcodeRow,
  { dst, src, stay, jump, linked }: Fork & { readonly linked: readonly LinkedReg[] },
): void {
  const isReg = row.source === 'reg'
  const learned = refine(row.op as JumpOp, row.width, dst.value, src.value, isReg && insn.src === insn.dst)
  for (const [state, [dstValue, srcValue]] of [
    [stay, learned.fallthrough],
    [jump, learned.taken],
  ] as const) {
    const frame = currentFrame(state)
    const set = (n: number, value: Reg['value']): void => {
      const reg = regAt(frame, n)
      if (reg.type === 'scalar' && reg.value !== value) frame.regs[n] = changed(reg, value, reg)
    }
    if (isReg) set(insn.src, srcValue)
    set(insn.dst, dstValue)
    if (isReg && src.id) syncLinked(state, insn.src, linked)
    if (dst.id) syncLinked(state, insn.dst, linked)
  }
}

/** Carries what is now known about register `n` over to the registers that share its id. */
function syncLinked(state: State, n: number, linked: readonly LinkedReg[]): void {
  const current = state.frames.length - 1
  const known = regAt(currentFrame(state), n)
  if (known.type !== 'scalar') return
  for (const { frame: number, reg: target, slot } of linked) {
    if (number === current && target === n) continue
    const frame = frameAt(state, number)
    if (slot < 0) frame.regs[target] = tied(regAt(frame, target), known)
    else {
      const held = frame.stack[slot] ?? emptySlot
      frame.stack[slot] = { types: held.types, spilled: tied(held.spilled, known) }
    }
  }
}

function tied(reg: Reg, known: Reg & { type: 'scalar' }): Reg {
  if (reg.type !== 'scalar' || reg.id !== known.id) return reg
  // A distance in 32 bits says nothing about one in 64.
  if (reg.idAdd && known.idAdd && reg.idAdd !== known.idAdd) return reg
  if ((!reg.idAdd && !known.idAdd) || reg.off === known.off) return known
  const distance = constant(BigInt(reg.off - known.off))
  const width = reg.idAdd === 32 || known.idAdd === 32 ? 32 : 64
  const tie = { id: known.id, idAdd: reg.idAdd, off: reg.off }
  return changed(known, alu('add', width, known.value, distance), tie)
}

/** NULL checks and packet comparisons. */
function learnPointers(insn: Insn, row: OpcodeRow, { dst, src, stay, jump }: Fork): void {
  const { op, width, source } = row
  const isEquality = op === 'jeq' || op === 'jne'
  if (width === 64 && isEquality && source === 'reg' && isPointer(dst) && isPointer(src)) {
    // Equal to a pointer that is not NULL: not NULL either.
    if (mayBeNull(src) !== mayBeNull(dst) && src.type !== 'btf_ptr' && dst.type !== 'btf_ptr') {
      const equal = currentFrame(op === 'jeq' ? jump : stay)
      const n = mayBeNull(src) ? insn.src : insn.dst
      const reg = regAt(equal, n)
      if ('orNull' in reg) equal.regs[n] = { ...reg, orNull: false }
    }
  }
  if (width === 64 && isEquality && source === 'imm' && insn.imm === 0 && mayBeNull(dst)) {
    markNullness(stay, insn.dst, op === 'jne')
    markNullness(jump, insn.dst, op === 'jeq')
    return
  }
  if (width === 64 && source === 'reg') {
    comparePacket(op as JumpOp, { dst, dstN: insn.dst, src, srcN: insn.src }, stay, jump)
  }
}
