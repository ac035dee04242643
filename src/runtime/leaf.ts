/**
 * The helpers and kfuncs that are one indivisible step in linear memory: a row says which routine does it and how R1 to R5
 * become its parameters. From each row a shim is emitted: `shim(task)` reads the registers from the task's block, calls the
 * routine, and writes R0. That is all an interpreter needs; a compiler calls the routine with its own values instead.
 *
 * A shim returns 0 when the call is done, and 1 when the task must wait: `bpf_spin_lock` on a held lock,
 * `bpf_timer_cancel` and BPF_F_LOCK likewise, and a delete or update that cancelled a timer whose callback runs on another
 * CPU (Linux 6.18 waits there, 4.8). The engine then stops with `blocked` and executes the same call again later; the
 * effect happens once.
 */
import { type AnyRoutine, type Fn, type Local, type Routine, routine, Value } from '../wasm/index.js'
import { hasState, objectHold } from './async.js'
import { clockRead, clockReadBoot } from './clock.js'
import { cpuBlock, type I32, machine } from './common.js'
import { asyncStates, BLOCKED, CPU, MACHINE, TASK } from './layout.js'
import { mapDelete, mapLookup, mapUpdate } from './map.js'
import { randomU32 } from './random.js'
import { depthChange, irqRestore, irqSave } from './sections.js'
import { spinLock, spinUnlock } from './spin-lock.js'
import { stopWaiting, timerCancel, timerInit, timerSetCallback, timerStart } from './timer.js'
import { wqInit, wqSetCallback, wqStart } from './wq.js'

/**
 * Where a routine's parameter comes from. From the next register: `ptr` (its low half, an address), `u32`, `u64`, `flags`
 * (an u64 of which only the low half is ever valid: anything above becomes 0xffffffff, which every routine refuses). From
 * the context: `task` (address), `cpu` (number), `prog` (address of the program that executes).
 */
export type LeafParam = 'ptr' | 'u32' | 'u64' | 'flags' | 'task' | 'cpu' | 'prog'

/** What R0 becomes: an `int` sign-extended, `u32` and `ptr` zero-extended, an `u64` as it is, 0 for `void`. */
export type LeafResult = 'int' | 'u32' | 'ptr' | 'u64' | 'void'

/** One helper or kfunc. */
export interface Leaf {
  readonly routine: AnyRoutine
  readonly params: readonly LeafParam[]
  readonly result: LeafResult
  /**
   * `never` waits; `before`: the routine may give BLOCKED and is called again; `after`: it may also have cancelled a timer
   * whose callback runs, and the call returns when that has ended.
   */
  readonly waits: 'never' | 'before' | 'after'
}

function leaf(
  routine: AnyRoutine,
  params: readonly LeafParam[],
  result: LeafResult,
  waits: Leaf['waits'] = 'never',
): Leaf {
  return { routine, params, result, waits }
}

const setWqCallback = leaf(wqSetCallback, ['ptr', 'ptr', 'u32', 'prog'], 'int')

/** Every leaf by its kernel name. */
export const leaves = {
  bpf_map_lookup_elem: leaf(mapLookup, ['ptr', 'ptr'], 'ptr'),
  bpf_map_update_elem: leaf(mapUpdate, ['ptr', 'ptr', 'ptr', 'flags', 'cpu'], 'int', 'after'),
  bpf_map_delete_elem: leaf(mapDelete, ['ptr', 'ptr'], 'int', 'after'),
  bpf_ktime_get_ns: leaf(clockRead, [], 'u64'),
  bpf_ktime_get_boot_ns: leaf(clockReadBoot, [], 'u64'),
  bpf_get_prandom_u32: leaf(randomU32, ['cpu'], 'u32'),
  bpf_get_smp_processor_id: leaf(
    routine('cpu_id', ['i32'], 'i32', (_f, cpu) => cpu),
    ['cpu'],
    'u32',
  ),
  bpf_spin_lock: leaf(spinLock, ['task', 'ptr'], 'void', 'before'),
  bpf_spin_unlock: leaf(spinUnlock, ['task', 'ptr'], 'void'),
  bpf_timer_init: leaf(timerInit, ['ptr', 'ptr', 'flags'], 'int'),
  bpf_timer_set_callback: leaf(timerSetCallback, ['ptr', 'ptr', 'prog'], 'int'),
  bpf_timer_start: leaf(timerStart, ['ptr', 'u64', 'flags', 'cpu'], 'int'),
  bpf_timer_cancel: leaf(timerCancel, ['task', 'ptr'], 'int', 'before'),
  bpf_wq_init: leaf(wqInit, ['ptr', 'ptr', 'u32'], 'int'),
  bpf_wq_set_callback_impl: setWqCallback,
  bpf_wq_set_callback: setWqCallback,
  bpf_wq_start: leaf(wqStart, ['ptr', 'u32', 'cpu'], 'int'),
  bpf_rcu_read_lock: leaf(depthChange(TASK.rcuDepth, 1), ['task'], 'void'),
  bpf_rcu_read_unlock: leaf(depthChange(TASK.rcuDepth, -1), ['task'], 'void'),
  bpf_preempt_disable: leaf(depthChange(TASK.preemptDepth, 1), ['task'], 'void'),
  bpf_preempt_enable: leaf(depthChange(TASK.preemptDepth, -1), ['task'], 'void'),
  bpf_local_irq_save: leaf(irqSave, ['task', 'ptr'], 'void'),
  bpf_local_irq_restore: leaf(irqRestore, ['task', 'ptr'], 'void'),
} as const satisfies Record<string, Leaf>

/** A helper or kfunc that the leaf table has. */
export type LeafName = keyof typeof leaves

/** Whether the leaf table has a helper or kfunc of that name. */
export function isLeaf(name: string): name is LeafName {
  return Object.hasOwn(leaves, name)
}

/** The values of a leaf's parameters, from a task's registers. */
function arguments_(f: Fn, task: Local<'i32'>, params: readonly LeafParam[]): Value<'i32' | 'i64'>[] {
  let next = 1
  const register = (): number => TASK.regs + 8 * next++
  const sources: Record<LeafParam, () => Value<'i32' | 'i64'>> = {
    ptr: () => task.load32(register()),
    u32: () => task.load32(register()),
    u64: () => task.load64(register()),
    flags: () => {
      const value = f.local(task.load64(register()))
      return value.high().eqz().select(value.low(), -1)
    },
    task: () => task,
    cpu: () => task.load32(TASK.cpu),
    prog: () => task.load32(TASK.prog),
  }
  return params.map((param) => sources[param]())
}

/** Ends the wait for the callback of an object that this task cancelled: 1 while it runs. */
const stillWaiting = routine('leaf_still_waiting', ['i32'], 'i32', (f, task) => {
  const object = f.local(task.load32(TASK.waiting))
  f.if(hasState(object, asyncStates.RUNNING), () => f.return(1))
  f.do(stopWaiting(task))
  f.store64(task, TASK.regs, task.load32(TASK.waitResult).wideSigned())
  return 0
})

/** Whether a task that cancelled a running timer must wait for it (4.8): a timer's own callback never waits. `(task)` */
export const mustWait = routine('leaf_must_wait', ['i32'], 'i32', (_f, task) =>
  machine
    .load32(MACHINE.waitFor)
    .ne(0)
    .and(cpuBlock(task.load32(TASK.cpu)).load32(CPU.runningTimer).eqz()),
)

/** Begins to wait for the object in `MACHINE.waitFor`, where it must. `(task, result)` */
const beginWaiting = routine('leaf_begin_waiting', ['i32', 'i32'], 'i32', (f, task, result) => {
  const object: I32 = machine.load32(MACHINE.waitFor)
  f.if(mustWait(task).eqz(), () => f.return(0))
  f.store32(task, TASK.waiting, object)
  f.store32(task, TASK.waitResult, result)
  f.do(objectHold(object))
  return 1
})

const shims = new Map<Leaf, Routine<readonly ['i32'], 'i32'>>()

/** The shim of a leaf. */
export function shimOf(name: LeafName): Routine<readonly ['i32'], 'i32'> {
  const row: Leaf = leaves[name]
  const known = shims.get(row)
  if (known) return known
  const made = routine(`shim_${name}`, ['i32'], 'i32', (f, task) => {
    if (row.waits === 'after') f.if(task.load32(TASK.waiting), () => f.return(stillWaiting(task)))
    const call = (row.routine as Routine<readonly ('i32' | 'i64')[], 'i32' | 'i64' | undefined>)(
      ...arguments_(f, task, row.params),
    )
    if (!(call instanceof Value)) throw new Error(`leaf ${name} has a routine without result`)
    const result = f.local(call)
    const narrow = result as Local<'i32'>
    if (row.waits !== 'never') f.if(narrow.eq(BLOCKED), () => f.return(1))
    const extended: Record<LeafResult, () => Value<'i64'> | number> = {
      int: () => narrow.wideSigned(),
      u32: () => narrow.wide(),
      ptr: () => narrow.wide(),
      u64: () => result as Local<'i64'>,
      void: () => 0,
    }
    f.store64(task, TASK.regs, extended[row.result]())
    if (row.waits === 'after') f.if(machine.load32(MACHINE.waitFor), () => f.return(beginWaiting(task, narrow)))
    return 0
  })
  shims.set(row, made)
  return made
}
