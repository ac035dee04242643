/**
 * Packet pointers: a program learns how many bytes are there by comparing a pointer with the end (`range`), and that holds
 * for every pointer with the same id, the same unknown part.
 */
import type { Env } from '../env.js'
import type { PacketReg, Reg } from '../registers.js'
import type { JumpOp } from '../scalar/index.js'
import { frameAt, mapRegs, type State } from '../state.js'
import { outside, type RegionOptions } from './bounds.js'

/** A packet holds at most this many bytes (MAX_PACKET_OFF). */
const maxPacketOffset = 0xffffn

/** A pointer into the packet or its metadata; not its end. */
export function isPacket(reg: Reg): reg is PacketReg & { type: 'pkt' | 'pkt_meta' } {
  return reg.type === 'pkt' || reg.type === 'pkt_meta'
}

/** The bytes are known to be in the packet. */
export function checkPacket(env: Env, n: number, offset: number, size: number, options?: RegionOptions): void {
  const reg = env.reg(n)
  if (!isPacket(reg)) return
  if (reg.value.smin < 0n) {
    env.reject('EACCES', `R${n} min value is negative, either use unsigned index or do a if (index >=0) check.`)
  }
  if (reg.range < 0) env.reject('EINVAL', `R${n} offset is outside of the packet`)
  const complaint = outside(reg, n, BigInt(offset), size, reg.range, options)
  if (!complaint) return
  env.note(complaint)
  env.reject('EACCES', `R${n} offset is outside of the packet`)
}

/** A comparison of a packet pointer with the end, the pointer on the left. */
interface Comparison {
  readonly pointer: PacketReg
  /** Its register. */
  readonly n: number
  readonly op: JumpOp
}

const flipped: Partial<Record<JumpOp, JumpOp>> = { jgt: 'jlt', jlt: 'jgt', jge: 'jle', jle: 'jge' }

/** The two sides of a comparison: registers and their numbers. */
export interface Sides {
  readonly dst: Reg
  readonly dstN: number
  readonly src: Reg
  readonly srcN: number
}

function isZero(reg: Reg): boolean {
  return reg.value.tnum.mask === 0n && reg.value.tnum.value === 0n
}

/** Reads `pointer op end` out of a comparison; for metadata the start of the packet is the end. */
function comparison(op: JumpOp, { dst, dstN, src, srcN }: Sides): Comparison | undefined {
  const other = flipped[op]
  if (!other) return undefined
  const pairs = (pointer: Reg, end: Reg): pointer is PacketReg =>
    (pointer.type === 'pkt' && end.type === 'pkt_end') ||
    (pointer.type === 'pkt_meta' && end.type === 'pkt' && end.off === 0 && isZero(end))
  if (pairs(dst, src)) return { pointer: dst, n: dstN, op }
  return pairs(src, dst) ? { pointer: src, n: srcN, op: other } : undefined
}

/** What a jump between packet pointers teaches on both paths. False where it is no such comparison. */
export function comparePacket(op: JumpOp, sides: Sides, stay: State, jump: State): boolean {
  const found = comparison(op, sides)
  if (!found) return false
  // `p > end` and `p <= end` split at the end itself, `p >= end` and `p < end` one byte before.
  const atEnd = found.op === 'jgt' || found.op === 'jle'
  const staysInside = found.op === 'jgt' || found.op === 'jge'
  learnRange(staysInside ? stay : jump, found.pointer, !atEnd)
  markEnd(staysInside ? jump : stay, found, atEnd)
  return true
}

/** All pointers with this id may be used up to where the compared one points. */
function learnRange(state: State, pointer: PacketReg, oneMore: boolean): void {
  if (pointer.off < 0 || (pointer.off === 0 && oneMore)) return
  if (pointer.value.umax + BigInt(pointer.off) > maxPacketOffset) return
  const range = pointer.off + (oneMore ? 1 : 0)
  mapRegs(state, (reg) =>
    isPacket(reg) && reg.type === pointer.type && reg.id === pointer.id && reg.range < range ? { ...reg, range } : reg,
  )
}

/** On the other path the pointer is at the end or beyond it, which decides later comparisons. */
function markEnd(state: State, { pointer, n }: Comparison, beyond: boolean): void {
  const frame = frameAt(state, state.frames.length - 1)
  const reg = frame.regs[n]
  if (pointer.type === 'pkt' && reg?.type === 'pkt') frame.regs[n] = { ...reg, range: beyond ? -2 : -1 }
}

/** Whether a comparison with the end is decided already. */
export function packetBranchTaken(op: JumpOp, dst: Reg, src: Reg): boolean | undefined {
  const swapped = src.type !== 'pkt_end'
  const pointer = swapped ? src : dst
  if ((swapped && dst.type !== 'pkt_end') || !isPacket(pointer) || pointer.range >= 0) return undefined
  const seen = swapped ? flipped[op] : op
  if (seen === 'jgt' || seen === 'jle') return pointer.range === -2 ? seen === 'jgt' : undefined
  return seen === 'jge' || seen === 'jlt' ? seen === 'jge' : undefined
}
