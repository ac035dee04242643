/**
 * Work that never leaves WebAssembly: a module of one function which picks queued work, calls its callback through the table
 * that all compiled programs share, and goes on until something needs the machine. A started and finished callback costs some
 * ten nanoseconds so, instead of the microseconds of a way through JavaScript.
 *
 * The order is the scheduler's: of the CPUs asked for, the one whose next item was started first. The loop ends, with that item
 * still queued, where a timer is due (those go first), where the next callback has no compiled code, and where the object still
 * runs elsewhere.
 */
import { asyncBegin, objectHold, objectPut } from '../../runtime/async.js'
import { cpuBlock, guarded, machine } from '../../runtime/common.js'
import { ASYNC, asyncStates, CPU, FRAME, FUNC, MACHINE, TASK } from '../../runtime/layout.js'
import { queueRemove } from '../../runtime/queue.js'
import { taskCallback } from '../../runtime/task.js'
import { timerNext } from '../../runtime/timer.js'
import { wqFinish, wqPick } from '../../runtime/wq.js'
import {
  type AnyRoutine,
  Effect,
  type Mode,
  type Routine,
  routine,
  type ValType,
  type Value,
} from '../../wasm/index.js'
import { beginModule } from './module.js'

/** Where `drain` leaves the number of callbacks that have returned, in its task. */
export const DRAINED = TASK.scratch

/** The CPU of `[first, first + count)` whose next item was started first; -1 where all queues are empty. */
const firstQueue = routine('drain_first_queue', ['i32', 'i32'], 'i32', (f, first, count) => {
  const found = f.var32(-1)
  const earliest = f.var64(0)
  const end = f.local(first.add(count))
  f.while(first.ltU(end), () => {
    const head = f.local(cpuBlock(first).load32(CPU.queueHead))
    f.if(head.ne(0), () => {
      const at = f.local(head.load64(ASYNC.startedAt))
      f.if(found.ltS(0).or(at.ltU(earliest)), () => {
        f.set(found, first)
        f.set(earliest, at)
      })
    })
    f.set(first, first.add(1))
  })
  return found
})

/** Whether a timer has expired by the clock: its callback goes before queued work. */
const timerIsDue = routine('drain_timer_due', [], 'i32', (f) => {
  const timer = f.local(timerNext())
  f.if(timer.eqz(), () => f.return(0))
  return timer.load64(ASYNC.expiry).leU(machine.shared64(MACHINE.clock))
})

/** Whether compiled code can run the next item of a CPU: its callback has a slot, and it does not run already. */
const isReady = routine('drain_ready', ['i32'], 'i32', (f, cpu) => {
  const head = f.local(cpuBlock(cpu).load32(CPU.queueHead))
  f.if(head.shared32(ASYNC.state).and(asyncStates.RUNNING), () => f.return(0))
  const func = f.local(head.load32(ASYNC.func))
  // One without a callback is passed over by the pick.
  f.if(func.eqz(), () => f.return(1))
  return func.load32(FUNC.slot)
})

/** Readies the task of the loop for one more callback. */
const begin = routine('drain_begin', ['i32', 'i32', 'i32'], undefined, (f, task, object, cpu) => {
  const func = object.load32(ASYNC.runningFunc)
  f.store32(task, TASK.cpu, cpu)
  f.store64(task, TASK.executed, 0)
  f.store32(task, TASK.frames + FRAME.func, func)
  f.do(taskCallback(task, object))
})

/** `(task, first CPU, number of CPUs, most callbacks)`; the number that has returned is left in the task (`DRAINED`). */
function drainRoutine(mode: Mode, enter: (slot: Value<'i32'>, task: Value<'i32'>) => Effect) {
  const under = <const P extends readonly ValType[], R extends ValType | undefined>(inner: Routine<P, R>) =>
    guarded(inner, mode) as unknown as Routine<P, R>
  return routine('drain', ['i32', 'i32', 'i32', 'i32'], undefined, (f, task, first, count, most) => {
    const done = f.var32()
    f.forever((end, again) => {
      f.store32(task, DRAINED, done)
      f.breakIf(end, done.geU(most))
      const cpu = f.local(under(firstQueue)(first, count))
      f.breakIf(end, cpu.ltS(0))
      f.breakIf(end, under(timerIsDue)())
      f.breakIf(end, under(isReady)(cpu).eqz())
      const object = f.local(under(wqPick)(cpu))
      f.if(object.eqz(), () => f.break(again))
      f.do(under(begin)(task, object, cpu))
      const block = f.local(cpuBlock(cpu))
      f.store32(task, TASK.interrupted, block.load32(CPU.current))
      f.store32(block, CPU.current, task)
      f.do(enter(object.load32(ASYNC.runningFunc).load32(FUNC.slot), task))
      f.store32(block, CPU.current, task.load32(TASK.interrupted))
      f.do(under(wqFinish)(object))
      f.store32(task, TASK.object, 0)
      f.set(done, done.add(1))
    })
  })
}

/** Written in place of their calls: one callback after the other goes through all of them. */
const hot: ReadonlySet<AnyRoutine> = new Set<AnyRoutine>([
  ...[firstQueue, isReady, timerIsDue, timerNext, begin],
  ...[wqPick, queueRemove, asyncBegin, objectHold, taskCallback, wqFinish, objectPut],
])

const modules = new Map<Mode, WebAssembly.Module>()

/** The module with the export `drain`; its imports are those of programs. Compiled once per mode in a process. */
export function drainModule(mode: Mode): WebAssembly.Module {
  const known = modules.get(mode)
  if (known) return known
  const { writer, linker } = beginModule(mode, hot)
  const type = writer.type({ params: ['i32'], result: undefined })
  const enter = (slot: Value<'i32'>, task: Value<'i32'>): Effect =>
    new Effect((target) => {
      task.emit(target)
      slot.emit(target)
      target.code.callIndirect(type)
    })
  writer.exportFunc('drain', linker.index(drainRoutine(mode, enter)))
  linker.flush()
  const module = new WebAssembly.Module(writer.finish())
  modules.set(mode, module)
  return module
}
