/**
 * Tasks: the pool of execution contexts, and readying one for a callback. A task is 5 KB of registers, frames and stack;
 * taking one from the pool clears everything but its stack, which keeps what its last user left there, as a kernel stack
 * does. A new task's stack holds seeded poison.
 */
import { routine } from '../wasm/index.js'
import { alloc } from './alloc.js'
import { bump, type I32, machine } from './common.js'
import { ASYNC, ELEM, FRAME_STACK, MACHINE, MAP, MAX_FRAMES, PROG, TASK } from './layout.js'
import { mix64 } from './random.js'
import { stopWaiting } from './timer.js'

const ARRAY = 2

/** Fills a new stack with numbers made from the machine's seed and the task's id. */
const poison = routine('task_poison', ['i32'], undefined, (f, task) => {
  const state = f.local(mix64(mix64(machine.load64(MACHINE.seed)).xor(task.load32(TASK.id).wide())))
  const at = f.local(task.add(TASK.stack))
  const end = f.local(at.add(MAX_FRAMES * FRAME_STACK))
  f.while(at.ne(end), () => {
    f.set(state, mix64(state))
    f.store64(at, 0, state)
    f.set(at, at.add(8))
  })
})

/** A task on a CPU, ready to be filled; 0 without memory. `(cpu, kind)` */
export const taskNew = routine('task_new', ['i32', 'i32'], 'i32', (f, cpu, kind) => {
  const task = f.local(machine.load32(MACHINE.freeTasks))
  f.if(
    task.ne(0),
    () => f.store32(machine, MACHINE.freeTasks, task.load32(TASK.next)),
    () => {
      f.set(task, alloc(TASK.size))
      f.if(task.eqz(), () => f.return(0))
      bump(f, MACHINE.taskCount, 1)
      f.store32(task, TASK.id, machine.load32(MACHINE.taskCount))
      f.do(poison(task))
    },
  )
  const id = f.local(task.load32(TASK.id))
  f.fill(task, 0, TASK.stack)
  f.store32(task, TASK.id, id)
  f.store32(task, TASK.cpu, cpu)
  f.store32(task, TASK.kind, kind)
  f.store32(task, TASK.state, 1)
  return task
})

/** Gives a task back to the pool; if it was waiting for a callback, no longer. */
export const taskFree = routine('task_free', ['i32'], undefined, (f, task) => {
  f.do(stopWaiting(task))
  f.store32(task, TASK.state, 0)
  f.store32(task, TASK.next, machine.load32(MACHINE.freeTasks))
  f.store32(machine, MACHINE.freeTasks, task)
})

const reg = (n: number): number => TASK.regs + 8 * n

/**
 * Readies a task for the callback of a running object (1.13): R1 map, R2 key, R3 value. An array's key is its index, in a
 * word of the task; a hash's lies before the value. `(task, object)`
 */
export const taskCallback = routine('task_callback', ['i32', 'i32'], undefined, (f, task, object) => {
  const map = f.local(object.load32(ASYNC.map))
  const value = f.local(object.load32(ASYNC.value))
  const key = f.local(value.sub(map.load32(MAP.valueOffset)).add(ELEM.size))
  f.if(map.load32(MAP.type).eq(ARRAY), () => {
    f.store32(task, TASK.key, value.sub(map.load32(MAP.storage)).divU(map.load32(MAP.stride)))
    f.set(key, task.add(TASK.key))
  })
  const put = (n: number, what: I32): void => f.store64(task, reg(n), what.wide())
  put(1, map)
  put(2, key)
  put(3, value)
  f.store32(task, TASK.object, object)
  f.store32(task, TASK.prog, object.load32(ASYNC.runningProg))
})

/** A program begins to execute in a task that runs no object's callback: its code stays until `progLeave`. */
export const progEnter = routine('prog_enter', ['i32'], undefined, (f, prog) => {
  f.add32(prog, PROG.running, 1)
})

/** The end of `progEnter`. */
export const progLeave = routine('prog_leave', ['i32'], undefined, (f, prog) => {
  f.add32(prog, PROG.running, -1)
})
