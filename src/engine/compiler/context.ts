/**
 * What emission works with: one function's body under construction, and the function (or the inlined function) that is
 * written into it. Registers are read and written here, so that nobody else knows where a web lives.
 */

import { FRAME_STACK, MACHINE_AT, TASK } from '../../runtime/layout.js'
import type { MapHelpers } from '../../runtime/specialise.js'
import type { AnyRoutine, Code as Body, Mode, ValType } from '../../wasm/index.js'
import { FRAME_POINTER } from './operands.js'
import type { Unit, Units } from './unit.js'

/** Parts of the module that bodies refer to. */
export interface ModuleParts {
  readonly units: Units
  readonly mode: Mode
  /** Index of the global that holds the address of the running task. */
  readonly taskGlobal: number
  /** Index of the imported function that does a host call. */
  readonly hostCall: number
  /** Index of the function of a unit. */
  unitFunc(start: number): number
  /** Index of a routine of the runtime. */
  routineFunc(routine: AnyRoutine): number
  /** The runtime's routines for the map at an address. */
  mapHelpers(map: number): MapHelpers
  /** Index of the type of functions called by pointer. */
  readonly pointerType: number
  /** The word at an address of the machine's memory, at the time of compilation. */
  load32(address: number): number
  load64(address: number): bigint
  /** Whether a call of this function is written in its place. */
  inlines(start: number, depth: number): boolean
  /** First instruction of the function whose descriptor is at an address; `undefined` for any other number. */
  startOf(handle: bigint | undefined): number | undefined
  /** Whether calls must look at the depth of the stack. */
  readonly checksDepth: boolean
}

/** A function written into a body. */
export interface Context {
  readonly module: ModuleParts
  readonly body: Body
  readonly unit: Unit
  /** Local that holds the address of the bottom of the frame. */
  readonly frame: number
  /** Locals by register, and by register + 10 for i32; -1 before the first use. */
  readonly locals: Int32Array
  /** Locals of dispatchers, by selector. */
  readonly selectors: Map<number, number>
  /** Local that counts may_goto; -1 before the first use. */
  loops: number
  /** Constructs open around what is written next. */
  depth: number
  /** Depth of the block that an inlined function leaves with its result; 0 where it returns. */
  readonly exit: number
  /** Type of the result that it leaves with. */
  readonly result: ValType
  /** How many functions this one is inlined into. */
  readonly nesting: number
  /** Locals for temporaries, shared by all functions of a body. */
  readonly temporaries: Record<ValType, { all: number[]; used: number }>
  /** Functions already written into this body, by first instruction. */
  readonly inlined: Map<number, Context>
}

/** A local for a value that lives until `release` to this mark. */
export function temporary({ body, temporaries }: Context, type: ValType): number {
  const pool = temporaries[type]
  const known = pool.all[pool.used]
  const local = known ?? body.local(type)
  if (known === undefined) pool.all.push(local)
  pool.used++
  return local
}

/** Remembers which temporaries are in use; the result gives back those taken since. */
export function mark({ temporaries: { i32, i64 } }: Context): () => void {
  const [narrow, wide] = [i32.used, i64.used]
  return () => {
    i32.used = narrow
    i64.used = wide
  }
}

/** Type in which a web is held. */
export function typeOf({ unit }: Context, web: number): ValType {
  return unit.types.narrow[web] ? 'i32' : 'i64'
}

/** The local of a register's webs of one type. */
function localOf(context: Context, register: number, type: ValType): number {
  const at = type === 'i32' ? register + 10 : register
  const known = context.locals[at] as number
  if (known >= 0) return known
  const local = context.body.local(type)
  context.locals[at] = local
  return local
}

/** Pushes what a register holds. */
export function read(context: Context, register: number, web: number, as: ValType): void {
  const { body } = context
  if (register === FRAME_POINTER) {
    body.get(context.frame).i32(FRAME_STACK).op('i32.add')
    if (as === 'i64') body.op('i64.extend_i32_u')
    return
  }
  const type = typeOf(context, web)
  body.get(localOf(context, register, type))
  if (type === as) return
  body.op(as === 'i64' ? 'i64.extend_i32_u' : 'i32.wrap_i64')
}

/** Pops a value into a register; an i32 is zero-extended. */
export function write(context: Context, register: number, web: number, from: ValType): void {
  const { body } = context
  const type = typeOf(context, web)
  if (type !== from) body.op(type === 'i64' ? 'i64.extend_i32_u' : 'i32.wrap_i64')
  body.set(localOf(context, register, type))
}

/** Pushes the address of the running task. */
export function pushTask({ body, module }: Context): void {
  body.globalGet(module.taskGlobal)
}

/** Stores why the task cannot go on, then traps. */
export function trap(context: Context, reason: number, at: number): void {
  const { body } = context
  pushTask(context)
  body.i32(reason).memory('i32.store', TASK.trapCode)
  pushTask(context)
  body.i32(at).memory('i32.store', TASK.trapPc).unreachable()
}

/** Opens and closes constructs, keeping count. */
export function open(context: Context, kind: 'block' | 'loop' | 'if', result?: ValType): number {
  context.body[kind](result)
  return ++context.depth
}

/** Closes the innermost construct. */
export function close(context: Context): void {
  context.body.end()
  context.depth--
}

/** Address of the machine block: a constant. */
export const machineAddress = MACHINE_AT
