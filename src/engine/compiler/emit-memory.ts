/**
 * Loads, stores, atomics and packet loads. An address is the lower half of a register; the verifier has proven that the upper
 * half is zero. WebAssembly's offsets are unsigned and do not wrap, so a negative one is added. What lies in the frame is
 * addressed from its bottom, so that the offset is never negative.
 */
import { FRAME_STACK, TASK } from '../../runtime/layout.js'
import type { ValType } from '../../wasm/index.js'
import type { Op } from './cfg.js'
import { type Context, mark, pushTask, read, temporary, typeOf, write } from './context.js'
import { FRAME_POINTER, R0 } from './operands.js'

/** Pushes the address of an access; returns the offset that the instruction is to add. */
export function pushAddress(context: Context, register: number, web: number, off: number): number {
  const { body } = context
  const inFrame = register === FRAME_POINTER ? 0 : context.unit.types.frameOffset[web]
  const fromBottom = inFrame === undefined ? -1 : FRAME_STACK + inFrame + off
  if (fromBottom >= 0) {
    body.get(context.frame)
    return fromBottom
  }
  read(context, register, web, 'i32')
  const offset = off
  if (offset >= 0) return offset
  body.i32(offset).op('i32.add')
  return 0
}

/** Name of a load of `size` bytes into a type. */
function loadName(type: ValType, size: number, signed: boolean): string {
  const bytes = type === 'i32' && size === 8 ? 4 : size
  if (bytes === (type === 'i32' ? 4 : 8)) return `${type}.load`
  return `${type}.load${bytes * 8}_${signed ? 's' : 'u'}`
}

function storeName(type: ValType, size: number): string {
  return size === (type === 'i32' ? 4 : 8) ? `${type}.store` : `${type}.store${size * 8}`
}

/** Emits a load from memory. */
export function emitLoad(context: Context, { row, insn, pos }: Op): void {
  const { webs } = context.unit
  const def = webs.def[pos] as number
  const type = typeOf(context, def)
  const offset = pushAddress(context, insn.src, webs.src[pos] as number, insn.off)
  context.body.memory(loadName(type, row.size, row.op === 'ldsx'), offset)
  write(context, insn.dst, def, type)
}

/** Emits a store to memory. */
export function emitStore(context: Context, { row, insn, pos }: Op): void {
  const { body } = context
  const { webs } = context.unit
  const src = webs.src[pos] as number
  const offset = pushAddress(context, insn.dst, webs.dst[pos] as number, insn.off)
  let type: ValType = row.size === 8 ? 'i64' : 'i32'
  if (row.source === 'imm') {
    if (type === 'i32') body.i32(insn.imm)
    else body.i64(insn.imm)
  } else {
    if (insn.src !== FRAME_POINTER) type = row.size === 8 ? 'i64' : typeOf(context, src)
    read(context, insn.src, src, type)
  }
  body.memory(storeName(type, row.size), offset)
}

/** Name of the operation of a read-modify-write, `cmpxchg` and `xchg` included. */
const operationOf = (op: Op): string => op.row.op.replace(/^atomic_(fetch_)?/, '')

/** Read-modify-write by a plain load and store: one thread runs the machine. */
function emitPlainAtomic(context: Context, op: Op, type: ValType): void {
  const { body } = context
  const { insn, pos } = op
  const { webs } = context.unit
  const release = mark(context)
  const address = temporary(context, 'i32')
  const old = temporary(context, type)
  const value = (): void => read(context, insn.src, webs.src[pos] as number, type)
  const offset = pushAddress(context, insn.dst, webs.dst[pos] as number, insn.off)
  const name = operationOf(op)
  body.tee(address).memory(`${type}.load`, offset).set(old)
  if (name === 'cmpxchg') {
    body.get(old)
    read(context, R0, webs.r0[pos] as number, type)
    body.op(`${type}.eq`).if().get(address)
    value()
    body.memory(`${type}.store`, offset).end()
  } else {
    body.get(address)
    if (name !== 'xchg') body.get(old)
    value()
    if (name !== 'xchg') body.op(`${type}.${name}`)
    body.memory(`${type}.store`, offset)
  }
  body.get(old)
  release()
}

/** Read-modify-write by the atomic instruction. */
function emitSharedAtomic(context: Context, op: Op, type: ValType): void {
  const { insn, pos } = op
  const { webs } = context.unit
  const offset = pushAddress(context, insn.dst, webs.dst[pos] as number, insn.off)
  if (op.row.op === 'atomic_cmpxchg') read(context, R0, webs.r0[pos] as number, type)
  read(context, insn.src, webs.src[pos] as number, type)
  context.body.memory(`${type}.atomic.rmw.${operationOf(op)}`, offset)
}

/** Emits an instruction of kind `atomic`. */
export function emitAtomic(context: Context, op: Op): void {
  const { row, insn, pos } = op
  const { body, module } = context
  const { webs } = context.unit
  const def = webs.def[pos] as number
  const shared = module.mode === 'atomic' ? '.atomic' : ''
  const type: ValType = row.size === 8 ? 'i64' : 'i32'
  const atomicName = (name: string): string => name.replace('.', `${shared}.`)
  if (row.op === 'load_acquire') {
    const offset = pushAddress(context, insn.src, webs.src[pos] as number, insn.off)
    body.memory(atomicName(loadName(type, row.size, false)), offset)
    write(context, insn.dst, def, type)
    return
  }
  if (row.op === 'store_release') {
    const offset = pushAddress(context, insn.dst, webs.dst[pos] as number, insn.off)
    read(context, insn.src, webs.src[pos] as number, type)
    body.memory(atomicName(storeName(type, row.size)), offset)
    return
  }
  if (shared) emitSharedAtomic(context, op, type)
  else emitPlainAtomic(context, op, type)
  if (def < 0) body.drop()
  else write(context, row.op === 'atomic_cmpxchg' ? R0 : insn.src, def, type)
}

/**
 * LD_ABS and LD_IND: big-endian bytes of the packet into R0. Outside the packet the function ends and gives 0; `leave` pops an
 * i64 and does that.
 */
export function emitPacketLoad(context: Context, op: Op, swap: () => void, leave: () => void): void {
  const { row, insn, pos } = op
  const { body } = context
  const release = mark(context)
  const at = temporary(context, 'i32')
  body.i32(insn.imm)
  if (row.op === 'ld_ind') {
    read(context, insn.src, context.unit.webs.src[pos] as number, 'i32')
    body.op('i32.add')
  }
  body.tee(at).i32(0).op('i32.lt_s').get(at)
  for (const field of [TASK.packetEnd, TASK.packet]) {
    pushTask(context)
    body.memory('i32.load', field)
  }
  body.op('i32.sub').i32(row.size).op('i32.sub').op('i32.gt_s').op('i32.or').if()
  context.depth++
  body.i64(0)
  leave()
  body.end()
  context.depth--
  pushTask(context)
  body.memory('i32.load', TASK.packet).get(at).op('i32.add')
  body.memory(loadName('i32', row.size, false))
  if (row.size > 1) swap()
  if (row.size === 2) body.i32(16).op('i32.shr_u')
  release()
  write(context, R0, context.unit.webs.def[pos] as number, 'i32')
}
