/**
 * What `bpf_wq` and `bpf_timer` share: a cell in a map value that is empty or points to an object, and the object's life
 * (wq-semantics 0.1 to 0.3, imitated from Linux 6.18).
 *
 *     init:            cell -> new object, entered in the map's list
 *     set_callback:    the object takes a reference on the program that asks, drops the one it had (1.5)
 *     cancel-and-free: cell -> empty at once; callback, program and place in queue or heap are given up; a running
 *                      callback goes on; memory goes back when the last user (cell, callback, waiter) is gone
 *
 * Every check comes in the kernel's order: busy, memory, user references.
 */
import { type Arg, type Fn, type Label, routine, type Value } from '../wasm/index.js'
import { alloc, free } from './alloc.js'
import { bump, error, machine } from './common.js'
import { ASYNC, asyncKinds, asyncStates, MACHINE, MAP, PROG } from './layout.js'
import { progGetIfLive, progPut } from './prog.js'
import { queueRemove } from './queue.js'
import { timerRemove } from './timer-heap.js'

const { PENDING, RUNNING, DEFERRED, DEAD } = asyncStates

/** Sets and clears bits of an object's state. */
export function changeState(f: Fn, object: Value<'i32'>, set: number, clear: number): void {
  f.sharedStore32(object, ASYNC.state, object.shared32(ASYNC.state).and(~clear).or(set))
}

/** Whether an object has any of these state bits. */
export function hasState(object: Value<'i32'>, bits: number): Value<'i32'> {
  return object.shared32(ASYNC.state).and(bits)
}

/** Memory for an object; 0 when there is none, or when a test asked for failure (1.15). */
const objectNew = routine('object_new', [], 'i32', (f) => {
  f.if(machine.load32(MACHINE.failAllocations).ne(0), () => {
    bump(f, MACHINE.failAllocations, -1)
    f.return(0)
  })
  const object = f.local(alloc(ASYNC.size))
  f.if(object.eqz(), () => f.return(0))
  f.fill(object, 0, ASYNC.size)
  bump(f, MACHINE.asyncCount, 1)
  bump(f, MACHINE.nextAsync, 1)
  f.store32(object, ASYNC.id, machine.load32(MACHINE.nextAsync))
  f.store32(object, ASYNC.users, 1)
  return object
})

/** Takes a user: the object's memory stays. */
export const objectHold = routine('object_hold', ['i32'], undefined, (f, object) => {
  f.add32(object, ASYNC.users, 1)
})

/** Drops a user; the last one frees the memory. */
export const objectPut = routine('object_put', ['i32'], undefined, (f, object) => {
  f.add32(object, ASYNC.users, -1)
  f.if(object.load32(ASYNC.users).eqz(), () => {
    bump(f, MACHINE.asyncCount, -1)
    f.do(free(object))
  })
})

/** Takes an object out of its map's list. */
const unlink = routine('object_unlink', ['i32'], undefined, (f, object) => {
  const [next, prev] = [f.local(object.load32(ASYNC.mapNext)), f.local(object.load32(ASYNC.mapPrev))]
  f.if(
    prev.ne(0),
    () => f.store32(prev, ASYNC.mapNext, next),
    () => f.store32(object.load32(ASYNC.map), MAP.objects, next),
  )
  f.if(next.ne(0), () => f.store32(next, ASYNC.mapPrev, prev))
})

/**
 * Fills an empty cell: 0, -EBUSY if it is occupied, -ENOMEM, -EPERM if the map has no user reference (1.14).
 * `(kind, cell, map, clockId)`
 */
export const asyncInit = routine('async_init', ['i32', 'i32', 'i32', 'i32'], 'i32', (f, kind, cell, map, clockId) => {
  f.if(cell.load32().ne(0), () => f.return(error.EBUSY))
  const object = f.local(objectNew())
  f.if(object.eqz(), () => f.return(error.ENOMEM))
  f.if(map.load32(MAP.urefs).eqz(), () => {
    f.do(objectPut(object))
    f.return(error.EPERM)
  })
  const offset = kind.eq(asyncKinds.wq).select(map.load32(MAP.wqOffset), map.load32(MAP.timerOffset))
  const first = f.local(map.load32(MAP.objects))
  f.store32(object, ASYNC.kind, kind)
  f.store32(object, ASYNC.map, map)
  f.store32(object, ASYNC.cell, cell)
  f.store32(object, ASYNC.value, cell.sub(offset))
  f.store32(object, ASYNC.clockId, clockId)
  f.store32(object, ASYNC.mapNext, first)
  f.if(first.ne(0), () => f.store32(first, ASYNC.mapPrev, object))
  f.store32(map, MAP.objects, object)
  f.store32(cell, 0, object)
  return 0
})

/**
 * Binds a callback: 0, -EINVAL if the cell is empty, -ENOENT if the program was released meanwhile (its last callback may
 * still run). The state is untouched: a pending object runs the new callback (1.4). `(cell, prog, func)`
 */
export const asyncSetCallback = routine('async_set_callback', ['i32', 'i32', 'i32'], 'i32', (f, cell, prog, func) => {
  const object = f.local(cell.load32())
  f.if(object.eqz(), () => f.return(error.EINVAL))
  f.if(object.load32(ASYNC.prog).ne(prog), () => {
    f.if(progGetIfLive(prog).eqz(), () => f.return(error.ENOENT))
    f.do(progPut(object.load32(ASYNC.prog)))
    f.store32(object, ASYNC.prog, prog)
  })
  f.store32(object, ASYNC.func, func)
  return 0
})

/** Gives up an object's callback and its reference on the program. */
export const asyncDropCallback = routine('async_drop_callback', ['i32'], undefined, (f, object) => {
  f.do(progPut(object.load32(ASYNC.prog)))
  f.store32(object, ASYNC.prog, 0)
  f.store32(object, ASYNC.func, 0)
})

/** Takes an object out of queue or heap. 1 if it was pending. */
export const asyncUnschedule = routine('async_unschedule', ['i32'], 'i32', (f, object) => {
  f.if(hasState(object, PENDING).eqz(), () => f.return(0))
  f.if(hasState(object, DEFERRED).eqz(), () => {
    f.if(
      object.load32(ASYNC.kind).eq(asyncKinds.wq),
      () => f.do(queueRemove(object)),
      () => f.do(timerRemove(object)),
    )
  })
  changeState(f, object, 0, PENDING | DEFERRED)
  return 1
})

/**
 * cancel-and-free of whatever a cell holds (1.9 to 1.11); an empty cell is left alone. A timer whose callback runs is
 * named in `MACHINE.waitFor`: Linux 6.18 makes the one who cancels wait for it (4.8), a wq it never waits for.
 */
export const asyncCancelFree = routine('async_cancel_free', ['i32'], undefined, (f, cell) => {
  const object = f.local(cell.load32())
  f.if(object.eqz(), () => f.return())
  f.store32(cell, 0, 0)
  f.do(unlink(object))
  f.do(asyncDropCallback(object))
  f.do(asyncUnschedule(object))
  changeState(f, object, DEAD, 0)
  f.if(hasState(object, RUNNING), () => {
    f.if(object.load32(ASYNC.kind).eq(asyncKinds.timer), () => f.store32(machine, MACHINE.waitFor, object))
  })
  f.do(objectPut(object))
})

/**
 * cancel-and-free of everything in a map, elements that left the map included. A cell that a program nobody verified wrote
 * over is put right first, so that the list always comes to its end.
 */
export const asyncCancelAll = routine('async_cancel_all', ['i32'], undefined, (f, map) => {
  f.while(map.load32(MAP.objects).ne(0), () => {
    const object = f.local(map.load32(MAP.objects))
    f.store32(object.load32(ASYNC.cell), 0, object)
    f.do(asyncCancelFree(object.load32(ASYNC.cell)))
  })
})

/** cancel-and-free of the special fields of one value. `(map, value)` */
export const freeFields = routine('free_fields', ['i32', 'i32'], undefined, (f, map, value) => {
  for (const offset of [MAP.timerOffset, MAP.wqOffset]) {
    f.if(map.load32(offset).ne(-1), () => f.do(asyncCancelFree(value.add(map.load32(offset)))))
  }
})

/** Marks an object, already off its queue or heap, as running on its CPU: the callback is read at this moment (0.3). */
export const asyncBegin = routine('async_begin', ['i32'], undefined, (f, object) => {
  const prog = f.local(object.load32(ASYNC.prog))
  changeState(f, object, RUNNING, PENDING)
  f.store32(object, ASYNC.runningFunc, object.load32(ASYNC.func))
  f.store32(object, ASYNC.runningProg, prog)
  f.add32(prog, PROG.running, 1)
  f.add32(object, ASYNC.runs, 1)
  f.do(objectHold(object))
})

/** The end of a callback: the object is no longer running. The caller then drops its user with `objectPut`. */
export function finishRun(f: Fn, object: Value<'i32'>): void {
  f.add32(object.load32(ASYNC.runningProg), PROG.running, -1)
  f.store32(object, ASYNC.runningFunc, 0)
  f.store32(object, ASYNC.runningProg, 0)
  changeState(f, object, 0, RUNNING)
}

/** Leaves `label` with an object that has a callback; others are passed over (0.3: nothing runs). */
export function leaveIfCallable(f: Fn, label: Label, object: Value<'i32'>): void {
  f.breakIf(label, object.load32(ASYNC.func).ne(0))
}

/** A start was accepted: counts it. */
export function countStart(f: Fn, object: Value<'i32'>, by: Arg<'i32'> = 1): void {
  f.add32(object, ASYNC.starts, by)
}
