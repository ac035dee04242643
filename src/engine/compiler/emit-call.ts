/**
 * Calls. A function of the program: `(those of R1 to R5 that it reads: i64, bottom of its frame: i32) -> R0`, or its blocks in
 * place of the call, left with R0 by a jump. A leaf: the runtime's routine, in this same module, with values instead of the
 * task's registers. A host call: registers into the task's block, the machine's function, R0 out of it.
 */
import { guarded } from '../../runtime/common.js'
import { BLOCKED, FRAME_STACK, FUNC, FUNC_MAGIC, MACHINE, MAX_FRAMES, TASK } from '../../runtime/layout.js'
import { type Leaf, mustWait } from '../../runtime/leaf.js'
import { queuePush } from '../../runtime/queue.js'
import { wqStart } from '../../runtime/wq.js'
import { errnos } from '../../uapi/index.js'
import { type ValType, writeInPlace } from '../../wasm/index.js'
import type { Op } from './cfg.js'
import {
  type Context,
  close,
  machineAddress,
  mark,
  open,
  pushTask,
  read,
  temporary,
  trap,
  typeOf,
  write,
} from './context.js'
import { CHARGED, chargeRounds } from './emit-limit.js'
import { emitLookup, leafOfMap, MOST_LOCALS } from './emit-map.js'
import { inlineFunction } from './function.js'
import { R0, readsDst } from './operands.js'
import type { Unit } from './unit.js'

/** Reasons of traps (`trapReasons`). */
const STACK_OVERFLOW = 4
const BAD_FUNCTION = 5
const WOULD_BLOCK = 6

/** Most iterations of one bpf_loop (BPF_MAX_LOOPS). */
const MAX_LOOPS = 0x800000

/** The webs of R1 to R5 at a call, by register. */
export function argsOf({ unit }: Context, op: Op): Int32Array {
  return unit.webs.args.get(op.pos) as Int32Array
}

/** Pushes an argument. */
export function pushArg(context: Context, op: Op, register: number, type: ValType): void {
  read(context, register, argsOf(context, op)[register] as number, type)
}

/** The number that an argument always is, if it is one. */
export function constantArg(context: Context, op: Op, register: number): bigint | undefined {
  const web = argsOf(context, op)[register] as number
  return web < 0 ? undefined : context.unit.types.constant[web]
}

/** Pops R0. */
function writeResult(context: Context, op: Op, type: ValType): void {
  write(context, R0, context.unit.webs.def[op.pos] as number, type)
}

/** Pushes the bottom of the frame of a function called from here. */
function pushCalleeFrame({ body, frame }: Context): void {
  body.get(frame).i32(FRAME_STACK).op('i32.add')
}

/** Traps where the stack has no frame left. */
function checkDepth(context: Context, at: number): void {
  const { body, module } = context
  if (!module.checksDepth) return
  body.get(context.frame)
  pushTask(context)
  body
    .i32(TASK.stack + (MAX_FRAMES - 1) * FRAME_STACK)
    .op('i32.add')
    .op('i32.ge_u')
    .if()
  trap(context, STACK_OVERFLOW, at)
  body.end()
}

/** How a callee gets its argument in a register: pushes it as the type asked for. */
type PushArg = (register: number, type: ValType) => void

/** Calls a function of the program, or writes it here; leaves R0 on the stack. */
function callUnit(context: Context, unit: Unit, push: PushArg, result: ValType): void {
  const { body, module } = context
  if (module.inlines(unit.start, context.nesting)) {
    inlineFunction(context, unit, push, result)
    return
  }
  for (const register of unit.params) push(register, 'i64')
  pushCalleeFrame(context)
  body.call(module.unitFunc(unit.start))
  if (result === 'i32') body.op('i32.wrap_i64')
}

/** Calls the function whose descriptor's address is in a local (i64); leaves R0 on the stack as an i64. */
function callPointer(context: Context, pointer: number, push: PushArg, at: number): void {
  const { body, module } = context
  const release = mark(context)
  const func = temporary(context, 'i32')
  body.get(pointer).i64(32).op('i64.shr_u').op('i64.eqz').op('i32.eqz')
  body.get(pointer).op('i32.wrap_i64').tee(func).memory('i32.load', FUNC.magic).i32(FUNC_MAGIC).op('i32.ne')
  body.op('i32.or').get(func).memory('i32.load', FUNC.slot).op('i32.eqz').op('i32.or').if()
  trap(context, BAD_FUNCTION, at)
  body.end()
  for (const register of [1, 2, 3, 4, 5]) push(register, 'i64')
  pushCalleeFrame(context)
  body.get(func).memory('i32.load', FUNC.slot).i32(1).op('i32.add').callIndirect(module.pointerType)
  release()
}

/** bpf_loop(count, function, context, flags). */
function emitLoop(context: Context, op: Op): void {
  const { body, module } = context
  const release = mark(context)
  const [count, index, rest] = [temporary(context, 'i32'), temporary(context, 'i32'), temporary(context, 'i32')]
  const data = temporary(context, 'i64')
  const pointer = temporary(context, 'i64')
  const end = open(context, 'block', 'i64')
  const refuse = (result: number): void => {
    open(context, 'if')
    body.i64(result).br(context.depth - end)
    close(context)
  }
  if (constantArg(context, op, 4) !== 0n) {
    pushArg(context, op, 4, 'i64')
    body.op('i64.eqz').op('i32.eqz')
    refuse(-errnos.EINVAL)
  }
  pushArg(context, op, 1, 'i32')
  body.tee(count).i32(MAX_LOOPS).op('i32.gt_u')
  refuse(-errnos.E2BIG)
  body.get(count).op('i32.eqz')
  refuse(0)
  pushArg(context, op, 3, 'i64')
  body.set(data)
  checkDepth(context, op.at)
  body.i32(0).set(index)
  const start = module.startOf(constantArg(context, op, 2))
  const unit = start === undefined ? undefined : module.units.byStart.get(start)
  if (!unit) {
    pushArg(context, op, 2, 'i64')
    body.set(pointer)
  }
  const push: PushArg = (register, type) => {
    if (register === 1) body.get(index)
    else if (register === 2) body.get(data)
    else body.i64(0)
    if (register === 1 && type === 'i64') body.op('i64.extend_i32_u')
    if (register !== 1 && type === 'i32') body.op('i32.wrap_i64')
  }
  const again = open(context, 'loop')
  body
    .get(index)
    .i32(CHARGED - 1)
    .op('i32.and')
    .op('i32.eqz')
    .if()
  body.get(count).get(index).op('i32.sub').tee(rest).i32(CHARGED).get(rest).i32(CHARGED).op('i32.lt_u').select()
  chargeRounds(context)
  body.end()
  if (unit) callUnit(context, unit, push, 'i64')
  else callPointer(context, pointer, push, op.at)
  body.op('i64.eqz').get(index).i32(1).op('i32.add').tee(index).get(count).op('i32.ne').op('i32.and')
  body.brIf(context.depth - again)
  close(context)
  body.get(index).op('i64.extend_i32_u')
  close(context)
  writeResult(context, op, 'i64')
  release()
}

/** Pushes a leaf's parameters: registers in turn from `first` on, and what the task knows. */
function pushLeafParams(context: Context, op: Op, { params }: Leaf, first: number): void {
  const { body, module } = context
  let register = first
  for (const param of params) {
    if (param === 'task') pushTask(context)
    else if (param === 'prog') body.i32(module.units.code.prog)
    else if (param === 'cpu') {
      pushTask(context)
      body.memory('i32.load', TASK.cpu)
    } else if (param === 'flags') pushFlags(context, op, register++)
    else pushArg(context, op, register++, param === 'u64' ? 'i64' : 'i32')
  }
}

/** Pushes flags: what has anything in its upper half is all ones, which every routine refuses. */
function pushFlags(context: Context, op: Op, register: number): void {
  const { body, unit } = context
  const known = constantArg(context, op, register)
  if (known !== undefined) {
    body.i32(known >> 32n ? -1 : Number(known) | 0)
    return
  }
  const web = argsOf(context, op)[register] as number
  if (web >= 0 && unit.types.zero[web]) {
    pushArg(context, op, register, 'i32')
    return
  }
  const release = mark(context)
  const value = temporary(context, 'i64')
  pushArg(context, op, register, 'i64')
  body.tee(value).op('i32.wrap_i64').i32(-1).get(value).i64(32).op('i64.shr_u').op('i64.eqz').select()
  release()
}

/** Calls a routine of the runtime. */
function emitLeaf(context: Context, op: Op, name: string, general: Leaf): void {
  const { body, module } = context
  if (emitLookup(context, op, name)) return
  const special = leafOfMap(context, op, name)
  const leaf = special ?? general
  const routine = guarded(leaf.routine, module.mode)
  const type = leaf.routine.result ?? 'i32'
  const waits = leaf.waits !== 'never'
  const release = mark(context)
  const result = temporary(context, type)
  // Threads spin until another has let go; where CPUs take turns nobody would.
  const spins = waits && module.mode === 'atomic'
  if (spins) open(context, 'loop')
  pushLeafParams(context, op, leaf, special ? 2 : 1)
  if (leaf.routine === wqStart && module.mode === 'plain' && body.locals.length < MOST_LOCALS) {
    writeInPlace(routine, {
      code: body,
      mode: module.mode,
      index: module.routineFunc,
      inlines: (item) => item === queuePush,
    })
  } else body.call(module.routineFunc(routine))
  body.set(result)
  if (waits) {
    body.get(result).i32(BLOCKED).op('i32.eq')
    if (spins) body.brIf(0)
    else trapIf(context, WOULD_BLOCK, op.at)
  }
  if (spins) close(context)
  if (leaf.waits === 'after') {
    body.i32(machineAddress).memory('i32.load', MACHINE.waitFor).if()
    pushTask(context)
    body.call(module.routineFunc(mustWait))
    trapIf(context, WOULD_BLOCK, op.at)
    body.end()
  }
  if (leaf.result === 'void') body.i32(0)
  else body.get(result)
  release()
  writeLeafResult(context, op, leaf.result === 'int', type)
}

/** Pops a leaf's result into R0; an `int` is sign-extended. */
export function writeLeafResult(context: Context, op: Op, signed: boolean, type: ValType): void {
  const wide = typeOf(context, context.unit.webs.def[op.pos] as number) === 'i64'
  if (signed && wide) context.body.op('i64.extend_i32_s')
  writeResult(context, op, signed && wide ? 'i64' : type)
}

/** Traps if the i32 on the stack is not zero. */
export function trapIf(context: Context, reason: number, at: number): void {
  context.body.if()
  trap(context, reason, at)
  context.body.end()
}

/** Calls the machine. */
function emitHost(context: Context, op: Op, id: number): void {
  const { body, module } = context
  for (const register of [1, 2, 3, 4, 5]) {
    pushTask(context)
    pushArg(context, op, register, 'i64')
    body.memory('i64.store', TASK.regs + 8 * register)
  }
  pushTask(context)
  body.i32(op.at).memory('i32.store', TASK.pc)
  pushTask(context)
  body.i32(id).call(module.hostCall)
  pushTask(context)
  body.memory('i64.load', TASK.regs)
  writeResult(context, op, 'i64')
}

/** Calls a function of the program. */
function emitLocal(context: Context, op: Op, start: number): void {
  checkDepth(context, op.at)
  const result = typeOf(context, context.unit.webs.def[op.pos] as number)
  const unit = context.module.units.byStart.get(start) as Unit
  callUnit(context, unit, (register, type) => pushArg(context, op, register, type), result)
  writeResult(context, op, result)
}

/** Calls the function to which a register points. */
function emitRegisterCall(context: Context, op: Op): void {
  checkDepth(context, op.at)
  const release = mark(context)
  const pointer = temporary(context, 'i64')
  read(context, readsDst(op), context.unit.webs.dst[op.pos] as number, 'i64')
  context.body.set(pointer)
  callPointer(context, pointer, (register, type) => pushArg(context, op, register, type), op.at)
  release()
  writeResult(context, op, 'i64')
}

/** Emits a call. */
export function emitCall(context: Context, op: Op): void {
  const callee = context.module.units.callee(op)
  if (callee.kind === 'leaf') emitLeaf(context, op, callee.name, callee.leaf)
  else if (callee.kind === 'host') emitHost(context, op, callee.id)
  else if (callee.kind === 'loop') emitLoop(context, op)
  else if (callee.kind === 'local') emitLocal(context, op, callee.start)
  else emitRegisterCall(context, op)
}
