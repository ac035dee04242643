/**
 * One WebAssembly module for a program: its functions, the runtime's routines that they call, and what callers need:
 *
 *     enter(task)                       for each function that is entered from outside: registers from the task, R0 back
 *     by pointer (R1..R5, frame) -> R0  for each function whose address is taken, in the slot behind
 *     repeat(task, n)                   the entry function n times: the boundary is crossed once
 *     batch(task, list, n)              the entry function once for each packet of a list in memory (`BATCH`)
 *
 * Imports: the machine's memory, the global with the address of the running task, the function that
 * does host calls, and the runtime's hook for grown memory.
 */
import { grown } from '../../runtime/alloc.js'
import { struct, TASK } from '../../runtime/layout.js'
import { queuePush } from '../../runtime/queue.js'
import { type MapHelpers, specialiseMap } from '../../runtime/specialise.js'
import {
  type AnyRoutine,
  Code,
  createLinker,
  hostRoutine,
  type Mode,
  ModuleWriter,
  type ValType,
} from '../../wasm/index.js'
import type { ModuleParts } from './context.js'
import { emitFunction } from './function.js'
import type { Unit, Units } from './unit.js'

/** One run of a batch: addresses of context and packet in, R0's lower half out. */
export const BATCH = struct({ ctx: 'u32', packet: 'u32', packetEnd: 'u32', retval: 'u32' })

/** Most instructions of a function that is written in place of its calls. */
const INLINE_SIZE = 64
/** The same for one that is called at one place only. */
const INLINE_ONCE = 400
/** Functions within functions within functions: how deep. */
const INLINE_NESTING = 7
/** Most instructions that inlining may add to one function. */
const INLINE_TOTAL = 4000

const pointerParams: readonly ValType[] = ['i64', 'i64', 'i64', 'i64', 'i64', 'i32']
const hostCall = hostRoutine('call', ['i32', 'i32'], undefined)

/** What a module is made for. */
export interface ModuleOptions {
  readonly units: Units
  readonly mode: Mode
  /** Slots of the table: for each function entered from outside two side by side. */
  readonly slots: ReadonlyMap<number, number>
  load32(address: number): number
  load64(address: number): bigint
  startOf(handle: bigint | undefined): number | undefined
}

/**
 * Imports that every module of compiled code has, and the module under construction. `inlined`: see `createLinker`. Only the
 * one module of a machine that enters all programs imports the machine's table: V8 11 (Node 20) keeps every instance that
 * imports a table alive for as long as the table, so that closed programs would stay. Programs have a table of their own.
 */
export function beginModule(mode: Mode, inlined: ReadonlySet<AnyRoutine>, ownSlots?: number) {
  const writer = new ModuleWriter()
  const shared = mode === 'atomic'
  writer.importMemory('host', 'memory', shared ? { min: 1, max: 32768, shared } : { min: 1 })
  if (ownSlots === undefined) writer.importTable('host', 'table', { min: 0 })
  else writer.table({ min: ownSlots, max: ownSlots })
  const taskGlobal = writer.importGlobal('host', 'task', 'i32', true)
  const linker = createLinker(writer, mode, [grown, hostCall], inlined)
  return { writer, linker, taskGlobal }
}

/** Whether a chain of calls may be deeper than the stack: circles, or more than the frames that there are. */
function mayOverflow({ byStart, recursive }: Units): boolean {
  const depths = new Map<number, number>()
  for (const [start, unit] of byStart) {
    if (recursive.has(start)) return true
    // Callees come first.
    depths.set(start, 1 + Math.max(0, ...unit.callees.map((callee) => depths.get(callee) ?? 0)))
    for (const { ops } of unit.graph.blocks) if (ops.some(({ row }) => row.op === 'callx')) return true
  }
  return Math.max(0, ...depths.values()) > 8
}

/** Decides which functions are written in place of their calls. */
function inlining(units: Units, checksDepth: boolean): (start: number, nesting: number) => boolean {
  const sites = new Map<number, number>()
  for (const { callees } of units.byStart.values()) {
    for (const callee of callees) sites.set(callee, (sites.get(callee) ?? 0) + 1)
  }
  // Instructions of a function with all that is inlined into it; callees come first.
  const sizes = new Map<number, number>()
  const isSmall = (start: number): boolean => {
    const size = sizes.get(start) ?? Number.POSITIVE_INFINITY
    return size <= (sites.get(start) === 1 ? INLINE_ONCE : INLINE_SIZE)
  }
  for (const [start, unit] of units.byStart) {
    const inlined = unit.callees.reduce((sum, callee) => sum + (isSmall(callee) ? (sizes.get(callee) ?? 0) : 0), 0)
    sizes.set(start, Math.min(unit.size + inlined, INLINE_TOTAL + 1))
  }
  return (start, nesting) => !checksDepth && nesting < INLINE_NESTING && isSmall(start)
}

/** Functions that are entered from outside: the entry, those whose address is taken, those that nobody calls. */
export function enteredFunctions({ code, byStart, taken }: Units): number[] {
  const called = new Set([...byStart.values()].flatMap(({ callees }) => callees))
  return code.functions
    .map(({ start }) => start)
    .filter((start, index) => index === 0 || taken.has(start) || !called.has(start))
}

/** The bytes of a program's module. */
export function emitModule({ units, mode, slots, load32, load64, startOf }: ModuleOptions): Uint8Array<ArrayBuffer> {
  const { writer, linker, taskGlobal } = beginModule(mode, new Set([queuePush]), Math.max(0, ...slots.values()) + 2)
  const checksDepth = mayOverflow(units)
  const funcs = new Map<number, number>()
  const waiting: Unit[] = []
  const helpers = new Map<number, MapHelpers>()
  const unitFunc = (start: number): number => {
    const known = funcs.get(start)
    if (known !== undefined) return known
    const unit = units.byStart.get(start) as Unit
    const func = writer.func(unit.name, { params: [...unit.params.map((): ValType => 'i64'), 'i32'], result: 'i64' })
    funcs.set(start, func)
    waiting.push(unit)
    return func
  }
  const parts: ModuleParts = {
    units,
    mode,
    taskGlobal,
    hostCall: linker.index(hostCall),
    unitFunc,
    routineFunc: (routine: AnyRoutine) => linker.index(routine),
    mapHelpers(map) {
      const made = helpers.get(map) ?? specialiseMap({ load32, load64 }, map)
      helpers.set(map, made)
      return made
    },
    pointerType: writer.type({ params: pointerParams, result: 'i64' }),
    load32,
    load64,
    startOf,
    inlines: inlining(units, checksDepth),
    checksDepth,
  }
  const add = (name: string, params: readonly ValType[], result: ValType | undefined, body: Code): number => {
    const func = writer.func(name, { params, result })
    writer.body(func, body)
    return func
  }
  for (const [start, slot] of slots) {
    const unit = units.byStart.get(start) as Unit
    const func = unitFunc(start)
    const entry = add(`enter ${unit.name}`, ['i32'], undefined, entryBody(parts, unit, func))
    const pointer = add(`${unit.name} by pointer`, pointerParams, 'i64', pointerBody(unit, func))
    writer.element(slot, [entry, pointer])
    writer.exportFunc(`enter ${start}`, entry)
  }
  const [main] = slots.keys()
  const unit = units.byStart.get(main ?? 0)
  if (unit) {
    const func = unitFunc(unit.start)
    writer.exportFunc('repeat', add('repeat', ['i32', 'i32'], undefined, repeatBody(parts, unit, func)))
    writer.exportFunc('batch', add('batch', ['i32', 'i32', 'i32'], undefined, batchBody(parts, unit, func)))
  }
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    writer.body(funcs.get(next.start) as number, emitFunction(parts, next))
  }
  linker.flush()
  return writer.finish()
}

const reg = (register: number): number => TASK.regs + 8 * register

/** Makes a task (local 0) the running one; returns the local that keeps the one before. */
function beginTask(body: Code, taskGlobal: number): number {
  const before = body.local('i32')
  body.globalGet(taskGlobal).set(before).get(0).globalSet(taskGlobal)
  return before
}

/** Pushes the arguments of a function from the task in local 0; calls it. */
function callFromTask(body: Code, unit: Unit, func: number): void {
  for (const register of unit.params) body.get(0).memory('i64.load', reg(register))
  body.get(0).i32(TASK.stack).op('i32.add').call(func)
}

function entryBody({ taskGlobal }: ModuleParts, unit: Unit, func: number): Code {
  const body = new Code(['i32'])
  const before = beginTask(body, taskGlobal)
  body.get(0)
  callFromTask(body, unit, func)
  body.memory('i64.store', reg(0)).get(before).globalSet(taskGlobal)
  return body
}

function pointerBody(unit: Unit, func: number): Code {
  const body = new Code(pointerParams)
  for (const register of unit.params) body.get(register - 1)
  body.get(5).call(func)
  return body
}

function repeatBody({ taskGlobal }: ModuleParts, unit: Unit, func: number): Code {
  const body = new Code(['i32', 'i32'])
  const before = beginTask(body, taskGlobal)
  // Host calls write their arguments into the task's registers.
  const params = unit.params.map((register) => {
    const kept = body.local('i64')
    body.get(0).memory('i64.load', reg(register)).set(kept)
    return kept
  })
  body.block().loop()
  body.get(1).op('i32.eqz').brIf(1)
  body.get(0).i64(0).memory('i64.store', TASK.executed)
  body.get(0)
  for (const kept of params) body.get(kept)
  body.get(0).i32(TASK.stack).op('i32.add').call(func)
  body.memory('i64.store', reg(0)).get(1).i32(1).op('i32.sub').set(1).br(0).end().end()
  body.get(before).globalSet(taskGlobal)
  return body
}

function batchBody({ taskGlobal }: ModuleParts, unit: Unit, func: number): Code {
  const body = new Code(['i32', 'i32', 'i32'])
  const before = beginTask(body, taskGlobal)
  const copy = (from: number, to: number): void => {
    body.get(0).get(1).memory('i32.load', from).memory('i32.store', to)
  }
  body.block().loop()
  body.get(2).op('i32.eqz').brIf(1)
  body.get(0).i64(0).memory('i64.store', TASK.executed)
  copy(BATCH.ctx, TASK.ctx)
  copy(BATCH.packet, TASK.packet)
  copy(BATCH.packetEnd, TASK.packetEnd)
  body.get(0).get(1).memory('i64.load32_u', BATCH.ctx).memory('i64.store', reg(1))
  body.get(1)
  callFromTask(body, unit, func)
  body.memory('i64.store32', BATCH.retval)
  body.get(1).i32(BATCH.size).op('i32.add').set(1)
  body.get(2).i32(1).op('i32.sub').set(2).br(0).end().end()
  body.get(before).globalSet(taskGlobal)
  return body
}
