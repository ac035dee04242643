/**
 * `bpf_timer`: a callback at a time, in softirq context of the CPU that armed it (wq-semantics 4a, imitated from Linux
 * 6.18). Defined by us: an unpinned timer never moves to another CPU, and equal expiries fire in the order of arming.
 *
 * One-shot. A start while armed replaces the expiry; a start while the callback runs arms it again on the CPU where it
 * runs. `cancel` gives up the callback too: a later start is -EINVAL until set_callback (4.5).
 */
import { i64, routine } from '../wasm/index.js'
import {
  asyncBegin,
  asyncDropCallback,
  asyncInit,
  asyncSetCallback,
  asyncUnschedule,
  changeState,
  countStart,
  finishRun,
  hasState,
  leaveIfCallable,
  objectHold,
  objectPut,
} from './async.js'
import { clockRead } from './clock.js'
import { bump, cpuBlock, error, machine } from './common.js'
import { ASYNC, asyncKinds, asyncStates, BLOCKED, CPU, MACHINE, TASK } from './layout.js'
import { timerBefore, timerInsert, timerRemove } from './timer-heap.js'

const { PENDING, RUNNING } = asyncStates

/** The expiry of a timer that will never fire: KTIME_MAX (4.3). */
export const NEVER = 0x7fff_ffff_ffff_ffffn

/** Clock ids that `bpf_timer_init` accepts (4.1). */
export const clockIds = { realtime: 0, monotonic: 1, boottime: 7 } as const

/** Flags of `bpf_timer_start`. */
export const timerFlags = { abs: 1, cpuPin: 2 } as const

/** `bpf_timer_init(timer, map, clockid)`: the clock is looked at first. */
export const timerInit = routine('timer_init', ['i32', 'i32', 'i32'], 'i32', (f, cell, map, clockId) => {
  const known = clockId.eq(clockIds.realtime).or(clockId.eq(clockIds.monotonic)).or(clockId.eq(clockIds.boottime))
  f.if(known.eqz(), () => f.return(error.EINVAL))
  return asyncInit(asyncKinds.timer, cell, map, clockId)
})

/** `bpf_timer_set_callback(timer, func)` by a program. */
export const timerSetCallback = routine('timer_set_callback', ['i32', 'i32', 'i32'], 'i32', (_f, cell, func, prog) =>
  asyncSetCallback(cell, prog, func),
)

/**
 * An absolute time of the timer's own clock as monotonic time; 0 for what lies before the machine's start. From 2^63 on it
 * is `NEVER` (observed on 6.18: it returns 0 and does not fire).
 */
const monotonic = routine('timer_monotonic', ['i64', 'i32'], 'i64', (f, time, clockId) => {
  f.if(time.ltS(0), () => f.return(i64(NEVER)))
  f.if(clockId.eq(clockIds.realtime), () => f.set(time, time.sub(machine.load64(MACHINE.realtimeOffset))))
  f.if(clockId.eq(clockIds.boottime), () => f.set(time, time.sub(machine.load64(MACHINE.bootOffset))))
  return time.ltS(0).select(i64(0), time)
})

/** Now plus a number of nanoseconds, saturating to `NEVER`. */
const fromNow = routine('timer_from_now', ['i64'], 'i64', (f, ns) => {
  f.if(ns.ltS(0), () => f.return(i64(NEVER)))
  const sum = f.local(clockRead().add(ns))
  return sum.ltS(0).select(i64(NEVER), sum)
})

/** `bpf_timer_start(timer, ns, flags)` on a CPU. */
export const timerStart = routine('timer_start', ['i32', 'i64', 'i32', 'i32'], 'i32', (f, cell, ns, flags, cpu) => {
  f.if(flags.and(~(timerFlags.abs | timerFlags.cpuPin)), () => f.return(error.EINVAL))
  const object = f.local(cell.load32())
  f.if(object.eqz(), () => f.return(error.EINVAL))
  f.if(object.load32(ASYNC.func).eqz(), () => f.return(error.EINVAL))
  f.do(asyncUnschedule(object))
  f.if(
    flags.and(timerFlags.abs),
    () => f.store64(object, ASYNC.expiry, monotonic(ns, object.load32(ASYNC.clockId))),
    () => f.store64(object, ASYNC.expiry, fromNow(ns)),
  )
  bump(f, MACHINE.nextAsync, 1)
  f.store64(object, ASYNC.sequence, machine.load32(MACHINE.nextAsync).wide())
  f.if(hasState(object, RUNNING).eqz(), () => f.store32(object, ASYNC.cpu, cpu))
  changeState(f, object, PENDING, 0)
  countStart(f, object)
  f.store64(object, ASYNC.startedAt, machine.shared64(MACHINE.clock))
  f.do(timerInsert(object))
  return 0
})

/** Ends a task's wait for an object's callback, if it waits, and forgets the object. */
export const stopWaiting = routine('timer_stop_waiting', ['i32'], undefined, (f, task) => {
  const object = f.local(task.load32(TASK.waiting))
  f.if(object.eqz(), () => f.return())
  f.if(task.load32(TASK.waitCounted), () => f.add32(object, ASYNC.cancelling, -1))
  f.store32(task, TASK.waiting, 0)
  f.store32(task, TASK.waitCounted, 0)
  f.do(objectPut(object))
})

/**
 * `bpf_timer_cancel(timer)` by a task: 1 if it was armed, 0 if not, -EINVAL if the cell is empty, -EDEADLK from its own
 * callback, and from another timer's callback that is itself being cancelled by one (4.5). BLOCKED while the callback runs
 * on another CPU: the retry goes on where this call stopped, whatever became of the cell.
 */
export const timerCancel = routine('timer_cancel', ['i32', 'i32'], 'i32', (f, task, cell) => {
  const object = f.local(task.load32(TASK.waiting))
  f.if(object.ne(0), () => {
    f.if(hasState(object, RUNNING), () => f.return(BLOCKED))
    const wasArmed = f.local(asyncUnschedule(object))
    f.do(stopWaiting(task))
    f.return(wasArmed)
  })
  f.set(object, cell.load32())
  f.if(object.eqz(), () => f.return(error.EINVAL))
  const own = f.local(cpuBlock(task.load32(TASK.cpu)).load32(CPU.runningTimer))
  f.if(own.eq(object), () => f.return(error.EDEADLK))
  f.if(own.ne(0).andThen(own.load32(ASYNC.cancelling).ne(0)), () => f.return(error.EDEADLK))
  f.do(asyncDropCallback(object))
  f.if(hasState(object, RUNNING), () => {
    f.if(own.ne(0), () => f.add32(object, ASYNC.cancelling, 1))
    f.do(objectHold(object))
    f.store32(task, TASK.waiting, object)
    f.store32(task, TASK.waitCounted, own.ne(0))
    f.return(BLOCKED)
  })
  return asyncUnschedule(object)
})

/** The timer that expires next over all CPUs; 0 if none is armed. */
export const timerNext = routine('timer_next', [], 'i32', (f) => {
  const best = f.var32()
  const block = f.local(machine.load32(MACHINE.cpus))
  const left = f.local(machine.load32(MACHINE.cpuCount))
  f.while(left.ne(0), () => {
    const root = f.local(block.load32(CPU.timerRoot))
    f.if(root.ne(0), () => {
      f.if(best.eqz().orElse(timerBefore(root, best)), () => f.set(best, root))
    })
    f.set(block, block.add(CPU.size))
    f.set(left, left.sub(1))
  })
  return best
})

/**
 * The timer of this CPU that has expired by the clock and fires now, taken off the heap and marked running; 0 if there is
 * none, or if a timer's callback runs on this CPU already (5.8).
 */
export const timerPick = routine('timer_pick', ['i32'], 'i32', (f, cpu) => {
  const block = f.local(cpuBlock(cpu))
  const object = f.var32()
  f.if(block.load32(CPU.runningTimer), () => f.return(0))
  f.forever((found) => {
    f.set(object, block.load32(CPU.timerRoot))
    f.if(object.eqz(), () => f.return(0))
    f.if(object.load64(ASYNC.expiry).gtU(machine.shared64(MACHINE.clock)), () => f.return(0))
    f.do(timerRemove(object))
    changeState(f, object, 0, PENDING)
    leaveIfCallable(f, found, object)
  })
  f.do(asyncBegin(object))
  f.store32(block, CPU.runningTimer, object)
  return object
})

/** The callback has returned. */
export const timerFinish = routine('timer_finish', ['i32'], undefined, (f, object) => {
  f.store32(cpuBlock(object.load32(ASYNC.cpu)), CPU.runningTimer, 0)
  finishRun(f, object)
  f.do(objectPut(object))
})
