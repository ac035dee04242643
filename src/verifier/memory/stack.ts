/**
 * The stack: 64 slots of eight bytes a frame. A slot holds a spilled register, or per byte: something (misc), zero, or
 * nothing yet. Root may read what was never written (Linux with CAP_PERFMON).
 */
import type { Env } from '../env.js'
import { markPrecise } from '../precision.js'
import {
  anyScalar,
  changed,
  constantReg,
  isNullScalar,
  isPointer,
  notInit,
  type Reg,
  type ScalarReg,
  type StackReg,
} from '../registers.js'
import { formatTnum } from '../scalar/index.js'
import { emptySlot, type Frame, frameAt, maxStack, type Slot } from '../state.js'
import { maxVarOffset } from './bounds.js'

/** Which access, as messages name it. */
export type StackAccess = 'read' | 'write'

/** A store's source: a register, or the immediate of `*(u64 *)(r10 - 8) = 5`. */
export type StoreValue = { readonly reg: number } | { readonly imm: number } | undefined

const bit = (index: number): bigint => 1n << BigInt(index)

/** The slot that holds the byte at `offset` (negative), and the letter of that byte in `Slot.types`. */
function place(offset: number): { index: number; byte: number } {
  const at = -offset - 1
  return { index: at >> 3, byte: at & 7 }
}

/** The width in bits that the register's value needs. */
function widthOf(reg: Reg): number {
  return reg.value.umax.toString(2).replace(/^0$/, '').length
}

/** A spilled register is no more: every byte that was written is just something. */
function scrub(types: string): string {
  return types.replace(/[^?]/g, 'm')
}

function replaceByte(types: string, byte: number, letter: string): string {
  return types.slice(0, byte) + letter + types.slice(byte + 1)
}

/** Checks the range of a stack access and grows the frame to it. Gives the lowest and highest offset. */
export function checkStackBounds(
  env: Env,
  n: number,
  offset: number,
  size: number,
  access: StackAccess,
): { reg: StackReg; frame: Frame; min: number; max: number } {
  const reg = env.reg(n)
  if (reg.type !== 'fp') return env.reject('EFAULT', `R${n} is no stack pointer`)
  const frame = frameAt(env.state, reg.frame)
  const what = access === 'read' ? 'read from' : 'write to'
  const { value } = reg
  const fixed = value.tnum.mask === 0n
  if (!fixed && (value.smax >= maxVarOffset || value.smin <= -maxVarOffset)) {
    env.reject('EACCES', `invalid unbounded variable-offset ${what} stack R${n}`)
  }
  const min = value.smin + BigInt(offset)
  const max = value.smax + BigInt(offset)
  const errno = min < -maxStack || min >= 0n ? 'EACCES' : max + BigInt(size) > 0n ? 'EINVAL' : undefined
  if (errno) {
    if (fixed) env.reject(errno, `invalid ${what} stack R${n} off=${min} size=${size}`)
    const varOff = formatTnum(value.tnum)
    env.reject(errno, `invalid variable-offset ${what} stack R${n} var_off=${varOff} off=${offset} size=${size}`)
  }
  const lowest = Number(min)
  growStack(env, frame, -lowest)
  return { reg, frame, min: lowest, max: Number(max) }
}

/** Makes the frame's stack at least so many bytes deep. */
function growStack(env: Env, frame: Frame, bytes: number): void {
  const slots = (bytes + 7) >> 3
  while (frame.stack.length < slots) frame.stack.push(emptySlot)
  env.stackDepths[frame.subprogram] = Math.max(env.stackDepths[frame.subprogram] ?? 0, slots * 8)
}

/** `dst = *(size *)(fp + …)`; gives what `dst` then holds. */
export function readStack(env: Env, n: number, offset: number, size: number): Reg {
  const { reg, frame, min, max } = checkStackBounds(env, n, offset, size, 'read')
  if (reg.value.tnum.mask !== 0n) {
    checkRange(env, n, frame, min, max + size, false)
    return bytesAt(env, frame, min, max + size)
  }
  const { index } = place(min)
  const slot = frame.stack[index] ?? emptySlot
  env.touchSlot(index)
  env.stackLiveness.read(env.state, frame.number, env.insn, bit(index))
  if (slot.types[7] !== 'r') {
    checkReadable(env, slot, 'm0?', min, size)
    return bytesAt(env, frame, min, min + size)
  }
  return fill(env, frame, slot, index, min, size)
}

/** Reads a slot that holds a spilled register. */
function fill(env: Env, frame: Frame, slot: Slot, index: number, offset: number, size: number): Reg {
  const { types, spilled } = slot
  const spillSize = 8 - types.indexOf('r')
  const recordFill = (): void => env.record({ stack: { frame: frame.number, slot: index } })
  if (size === 8 && spillSize === 8) {
    recordFill()
    return spilled
  }
  if (spilled.type !== 'scalar') {
    env.noteSource()
    return env.reject('EACCES', 'invalid size of register fill')
  }
  if (size <= spillSize && offset % 8 === 0) {
    recordFill()
    return widthOf(spilled) > size * 8 ? forgetId(spilled) : spilled
  }
  const { byte } = place(offset)
  checkReadable(env, slot, 'rm0?', offset, size)
  const letters = types.slice(byte - size + 1, byte + 1)
  if (/^r+$/.test(letters) && isNullScalar(spilled)) {
    recordFill()
    return constantReg(0n)
  }
  return /^0+$/.test(letters) ? constantReg(0n) : anyScalar
}

function forgetId(reg: ScalarReg): ScalarReg {
  return changed(reg, reg.value)
}

/** Bytes that belong to dynptrs, iterators and saved irq flags, or to what is left of a spilled pointer, cannot be read. */
function checkReadable(env: Env, slot: Slot, letters: string, offset: number, size: number): void {
  const { byte } = place(offset)
  for (let i = 0; i < size; i++) {
    const letter = slot.types[byte - i] ?? '?'
    if (!letters.includes(letter)) env.reject('EACCES', `invalid read from stack off ${offset}+${i} size ${size}`)
  }
}

/** What a load of the bytes from `min` to `end` gives where they are no spilled register: zero or anything. */
function bytesAt(env: Env, frame: Frame, min: number, end: number): Reg {
  for (let offset = min; offset < end; offset++) {
    const { index, byte } = place(offset)
    env.touchSlot(index)
    if (frame.stack[index]?.types[byte] !== '0') return anyScalar
  }
  return constantReg(0n)
}

/** Every byte of a range may be read by a call; with `clobber` it may be written, too. */
export function checkRange(env: Env, n: number, frame: Frame, min: number, end: number, clobber: boolean): void {
  for (let offset = min; offset < end; offset++) {
    const { index, byte } = place(offset)
    const slot = frame.stack[index] ?? emptySlot
    const letter = slot.types[byte] ?? '?'
    if (slot.types[7] === 'r' && letter !== '0' && letter !== 'm' && letter !== '?') {
      if (clobber) frame.stack[index] = { types: scrub(slot.types), spilled: notInit }
    } else if (letter === '0' || letter === '?') {
      if (clobber) frame.stack[index] = { types: replaceByte(slot.types, byte, 'm'), spilled: slot.spilled }
    } else if (letter !== 'm') {
      const reg = env.reg(n)
      const off = reg.off + Number(reg.value.smin)
      env.reject('EACCES', `invalid read from stack R${n} off ${off}+${offset - min} size ${end - min}`)
    }
    env.stackLiveness.read(env.state, frame.number, env.insn, bit(index))
  }
}

/** `*(size *)(fp + …) = value`; an `undefined` value stands for anything (atomics, calls). */
export function writeStack(env: Env, n: number, offset: number, size: number, value: StoreValue): void {
  const { reg, frame, min, max } = checkStackBounds(env, n, offset, size, 'write')
  if (reg.value.tnum.mask !== 0n) writeSomewhere(env, frame, min, max + size, value)
  else writeAt(env, frame, min, size, value)
}

function writeAt(env: Env, frame: Frame, offset: number, size: number, value: StoreValue): void {
  const { index, byte } = place(offset)
  const slot = frame.stack[index] ?? emptySlot
  const source = value && 'reg' in value ? env.reg(value.reg) : undefined
  if (/[dif]/.test(slot.types)) env.unsupported('writing over a dynptr, an iterator or saved irq flags')
  env.touchSlot(index)
  if (size === 8) env.stackLiveness.written(frame.number, bit(index))
  const spills = source ? source.type === 'scalar' && offset % 8 === 0 : value !== undefined && offset % 8 === 0
  if (spills || (source && isPointer(source))) {
    if (source && isPointer(source)) checkPointerSpill(env, frame, source, size)
    const spilled = source ? spillSource(env, value, source, size) : constantReg(BigInt((value as { imm: number }).imm))
    frame.stack[index] = { types: spillTypes(slot.types, size), spilled }
    env.record({ stack: { frame: frame.number, slot: index } })
    return
  }
  const isZero = source ? isNullScalar(source) : value !== undefined && 'imm' in value && value.imm === 0
  if (isZero && value && 'reg' in value) markPrecise(env, value.reg)
  let types = slot.types[7] === 'r' ? scrub(slot.types) : slot.types
  for (let i = 0; i < size; i++) types = replaceByte(types, byte - i, isZero ? '0' : 'm')
  frame.stack[index] = { types, spilled: notInit }
}

function checkPointerSpill(env: Env, frame: Frame, source: Reg, size: number): void {
  if (size !== 8) {
    env.noteSource()
    env.reject('EACCES', 'invalid size of register spill')
  }
  if (frame !== env.frame() && source.type === 'fp') {
    env.reject('EINVAL', 'cannot spill pointers to stack into stack frame of the caller')
  }
}

/** The register as it is spilled: a scalar that fits gets an id, so that slot and register stay tied. */
function spillSource(env: Env, value: StoreValue, source: Reg, size: number): Reg {
  if (source.type !== 'scalar' || !value || !('reg' in value)) return source
  if (widthOf(source) > size * 8) return forgetId(source)
  const named = withId(env, source)
  if (named !== source) env.setReg(value.reg, named)
  return named
}

/** A scalar that is about to be copied gets an id; a copy of a sum starts anew. */
export function withId(env: Env, reg: ScalarReg): ScalarReg {
  const plain = reg.idAdd ? forgetId(reg) : reg
  if (plain.id || plain.value.tnum.mask === 0n) return plain
  return changed(plain, plain.value, { id: env.newId(), idAdd: 0, off: 0 })
}

/** Letters of a slot after a spill of `size` bytes: what stays above is misc, or zero, or was never written. */
function spillTypes(types: string, size: number): string {
  let above = ''
  for (let i = 0; i < 8 - size; i++) above += types[i] === '0' || types[i] === '?' ? types[i] : 'm'
  return above + 'r'.repeat(size)
}

/** A store somewhere between two offsets: any of the bytes may have changed. */
function writeSomewhere(env: Env, frame: Frame, min: number, end: number, value: StoreValue): void {
  const isZero = value !== undefined && ('reg' in value ? isNullScalar(env.reg(value.reg)) : value.imm === 0)
  let zeroUsed = false
  for (let offset = min; offset < end; offset++) {
    const { index, byte } = place(offset)
    const slot = frame.stack[index] ?? emptySlot
    if (/[dif]/.test(slot.types)) env.unsupported('writing over a dynptr, an iterator or saved irq flags')
    env.touchSlot(index)
    const letter = slot.types[byte]
    if (isZero && letter === 'r' && isNullScalar(slot.spilled)) {
      zeroUsed = true
      continue
    }
    const keepsZero = isZero && letter === '0'
    if (keepsZero) zeroUsed = true
    const before = slot.types[7] === 'r' ? scrub(slot.types) : slot.types
    const types = replaceByte(before, byte, keepsZero ? '0' : 'm')
    frame.stack[index] = { types, spilled: notInit }
  }
  if (zeroUsed && value && 'reg' in value) markPrecise(env, value.reg)
}
