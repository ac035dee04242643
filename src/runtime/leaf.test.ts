import { expect, it } from 'vitest'
import { VALUE, world } from '../../test/support/runtime.js'
import { helperIds } from '../uapi/index.js'
import { clockNs, isLeaf, type LeafName, leaves, MACHINE, MACHINE_AT, TASK } from './index.js'

const all = Object.keys(leaves) as LeafName[]

it('every name is a helper of Linux 6.18 or one of the kfuncs known here', () => {
  const kfuncs = all.filter((name) => !(name in helperIds))
  expect(kfuncs.sort()).toEqual([
    'bpf_local_irq_restore',
    'bpf_local_irq_save',
    'bpf_preempt_disable',
    'bpf_preempt_enable',
    'bpf_rcu_read_lock',
    'bpf_rcu_read_unlock',
    'bpf_wq_init',
    'bpf_wq_set_callback',
    'bpf_wq_set_callback_impl',
    'bpf_wq_start',
  ])
  expect(isLeaf('bpf_map_lookup_elem')).toBe(true)
  expect(isLeaf('toString')).toBe(false)
})

it('a shim takes R1 to R5, gives R0, and leaves the rest of the task alone', () => {
  const w = world()
  const map = w.map('HASH')
  w.put(map, 5, 9)
  const task = w.task(1)
  w.runtime.store32(task + TASK.key, 5)
  const before = w.runtime.views.u8.slice(task, task + TASK.size)
  expect(w.shim(task, 'bpf_map_lookup_elem', map, task + TASK.key)).toBe(0)
  expect(w.byte(Number(w.r0(task)))).toBe(9)
  for (const n of [0, 1, 2]) w.runtime.store64(task + TASK.regs + 8 * n, 0n)
  expect(w.runtime.views.u8.slice(task, task + TASK.size)).toEqual(before)
})

it('an int result is sign-extended, an u32 and a pointer are not', () => {
  const w = world()
  const map = w.map('ARRAY')
  const task = w.task()
  w.runtime.store32(task + TASK.key, 99)
  w.shim(task, 'bpf_map_update_elem', map, task + TASK.key, task + TASK.scratch, 0)
  expect(w.r0(task)).toBe(-7n)
  w.shim(task, 'bpf_map_lookup_elem', map, task + TASK.key)
  expect(w.r0(task)).toBe(0n)
  for (let i = 0; i < 20; i++) {
    w.shim(task, 'bpf_get_prandom_u32')
    expect(w.r0(task)).toBeGreaterThanOrEqual(0n)
    expect(w.r0(task)).toBeLessThan(1n << 32n)
  }
})

it('flags of 64 bits are refused where the upper half is set; kfunc flags have 32 bits', () => {
  const w = world()
  const map = w.map('HASH')
  const value = w.value(map, 1)
  const task = w.task()
  w.runtime.store32(task + TASK.key, 1)
  w.shim(task, 'bpf_map_update_elem', map, task + TASK.key, value, 1n << 32n)
  expect(w.r0(task)).toBe(-22n)
  w.shim(task, 'bpf_timer_init', value + VALUE.timer, map, (1n << 32n) | 1n)
  expect(w.r0(task)).toBe(-22n)
  w.shim(task, 'bpf_wq_init', value + VALUE.wq, map, 1n << 32n)
  expect(w.r0(task)).toBe(0n)
})

it.each(['bpf_wq_set_callback', 'bpf_wq_set_callback_impl'] as const)(
  '%s binds in the program that executes',
  (name) => {
    const w = world()
    const map = w.map('HASH')
    const value = w.value(map, 1)
    const task = w.task(1)
    w.shim(task, 'bpf_wq_init', value + VALUE.wq, map, 0)
    w.shim(task, name, value + VALUE.wq, w.callback, 0, 0xdead)
    expect(w.r0(task)).toBe(0n)
    w.shim(task, 'bpf_wq_start', value + VALUE.wq, 0)
    expect([w.drain(0), w.drain(1)]).toEqual([[], [w.callback]])
  },
)

it('timer helpers work through shims, on the CPU of the task', () => {
  const w = world()
  const map = w.map('HASH')
  const cell = w.value(map, 1) + VALUE.timer
  const task = w.task(1)
  const results = [
    w.shim(task, 'bpf_timer_init', cell, map, 1),
    w.r0(task),
    w.shim(task, 'bpf_timer_set_callback', cell, w.callback),
    w.r0(task),
    w.shim(task, 'bpf_timer_start', cell, 1n << 40n, 0),
    w.r0(task),
  ]
  expect(results).toEqual([0, 0n, 0, 0n, 0, 0n])
  w.calls.clockAdvanceTo(1n << 41n)
  expect(w.fire(1)).toEqual([w.callback])
})

it('bpf_spin_lock waits for a held lock and counts what the task holds', () => {
  const w = world()
  const map = w.map('HASH')
  const lock = w.value(map, 1) + VALUE.lock
  const [holder, waiter] = [w.task(0), w.task(1)]
  expect(w.shim(holder, 'bpf_spin_lock', lock)).toBe(0)
  expect(w.runtime.load32(holder + TASK.lockDepth)).toBe(1)
  expect([w.shim(waiter, 'bpf_spin_lock', lock), w.again(waiter, 'bpf_spin_lock')]).toEqual([1, 1])
  expect(w.shim(holder, 'bpf_spin_unlock', lock)).toBe(0)
  expect(w.runtime.load32(holder + TASK.lockDepth)).toBe(0)
  expect(w.again(waiter, 'bpf_spin_lock')).toBe(0)
  expect(w.runtime.load32(waiter + TASK.lockHeld)).toBe(lock)
})

it('an update with BPF_F_LOCK by a program waits while another holds the lock', () => {
  const w = world()
  const map = w.map('HASH')
  const value = w.value(map, 1)
  const [holder, waiter] = [w.task(0), w.task(1)]
  w.runtime.store32(waiter + TASK.key, 1)
  w.shim(holder, 'bpf_spin_lock', value + VALUE.lock)
  const source = w.calls.allocZeroed(VALUE.size)
  w.runtime.store32(source, 6)
  expect(w.shim(waiter, 'bpf_map_update_elem', map, waiter + TASK.key, source, 4)).toBe(1)
  expect(w.byte(value)).toBe(0)
  w.shim(holder, 'bpf_spin_unlock', value + VALUE.lock)
  expect(w.again(waiter, 'bpf_map_update_elem')).toBe(0)
  expect([w.r0(waiter), w.byte(value)]).toEqual([0n, 6])
})

it('clocks advance by each reading; the boot clock adds what the machine slept', () => {
  const w = world()
  const task = w.task()
  w.runtime.store64(MACHINE_AT + MACHINE.bootOffset, 1_000_000n)
  w.shim(task, 'bpf_ktime_get_ns')
  const first = w.r0(task)
  w.shim(task, 'bpf_ktime_get_ns')
  expect(w.r0(task)).toBe(first + 1n)
  w.shim(task, 'bpf_ktime_get_boot_ns')
  expect(w.r0(task)).toBe(first + 1_000_002n)
  expect(clockNs(w.runtime)).toBe(first + 2n)
})

it('bpf_get_prandom_u32 repeats with the seed and differs between CPUs and seeds', () => {
  const draw = (seed: bigint, cpu: number): string => {
    const w = world({ cpus: 2, seed })
    const task = w.task(cpu)
    const next = (): bigint => {
      w.shim(task, 'bpf_get_prandom_u32')
      return w.r0(task)
    }
    return Array.from({ length: 4 }, next).join()
  }
  expect(draw(1n, 0)).toBe(draw(1n, 0))
  expect(new Set([draw(1n, 0), draw(1n, 1), draw(2n, 0), draw(0n, 0)]).size).toBe(4)
})

it('bpf_get_smp_processor_id is the CPU of the task', () => {
  const w = world()
  const task = w.task(1)
  w.shim(task, 'bpf_get_smp_processor_id')
  expect(w.r0(task)).toBe(1n)
})

it('sections count their depth', () => {
  const w = world()
  const task = w.task()
  const depth = (): number[] =>
    [TASK.rcuDepth, TASK.preemptDepth, TASK.irqDepth].map((at) => w.runtime.load32(task + at))
  w.shim(task, 'bpf_rcu_read_lock')
  w.shim(task, 'bpf_rcu_read_lock')
  w.shim(task, 'bpf_preempt_disable')
  w.shim(task, 'bpf_local_irq_save', task + TASK.scratch)
  expect(depth()).toEqual([2, 1, 1])
  w.shim(task, 'bpf_local_irq_restore', task + TASK.scratch)
  w.shim(task, 'bpf_preempt_enable')
  w.shim(task, 'bpf_rcu_read_unlock')
  expect(depth()).toEqual([1, 0, 0])
})
