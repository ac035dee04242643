/** wq-semantics 5: where and in which order work runs, each fact under its number. */
import { expect, it } from 'vitest'
import { VALUE, world } from '../../test/support/runtime.js'
import { queued, readObject, TASK, taskKinds } from './index.js'

it('5.1 one object never overlaps itself: a second worker of the CPU hands it to the first, which runs it next', () => {
  const w = world()
  const map = w.map('ARRAY')
  const [a, b] = [w.value(map, 0), w.value(map, 1)]
  w.launch(map, a)
  const first = w.pick()
  w.start(a, 1)
  w.launch(map, b)
  const second = w.pick()
  expect(readObject(w.runtime, second).value).toBe(b)
  expect(w.pick()).toBe(0)
  expect(readObject(w.runtime, first).state).toBe('running+pending')
  w.calls.wqFinish(first)
  expect(queued(w.runtime, 0).map(({ value }) => value)).toEqual([a])
  w.calls.wqFinish(second)
  expect(w.drain()).toHaveLength(1)
})

it('5.1 an item that restarts itself goes behind what is queued already', () => {
  const w = world()
  const map = w.map('ARRAY')
  const [a, b] = [w.value(map, 0), w.value(map, 1)]
  w.launch(map, a)
  w.launch(map, b)
  const object = w.pick()
  w.start(a)
  w.calls.wqFinish(object)
  expect(queued(w.runtime, 0).map(({ value }) => value)).toEqual([b, a])
})

it('0.4 5.2 the guarantee belongs to the object: after an update the key runs a new callback beside the old one', () => {
  const w = world()
  const map = w.map('HASH')
  w.launch(map, w.value(map, 1), 0)
  const old = w.pick(0)
  w.put(map, 1)
  expect(w.launch(map, w.value(map, 1), 1)).toEqual([0, 0, 0])
  const young = w.pick(1)
  expect([old, young].map((object) => readObject(w.runtime, object).state)).toEqual(['running', 'running'])
})

it('5.4 5.5 eight items started in order from one CPU run in that order, on that CPU', () => {
  const w = world()
  const map = w.map('ARRAY', { maxEntries: 8 })
  const values = Array.from({ length: 8 }, (_, i) => w.value(map, i))
  for (const value of values) w.launch(map, value, 1)
  expect(queued(w.runtime, 1).map(({ value }) => value)).toEqual(values)
  expect(w.drain(0)).toEqual([])
  expect(w.drain(1)).toHaveLength(8)
})

it('1.18 all three kfuncs work from a softirq and with interrupts, preemption or RCU held', () => {
  const sections = ['bpf_rcu_read_lock', 'bpf_preempt_disable', 'bpf_local_irq_save'] as const
  for (const kind of [taskKinds.process, taskKinds.worker, taskKinds.softirq]) {
    const w = world()
    const map = w.map('HASH')
    const cell = w.value(map, 1) + VALUE.wq
    const task = w.task(0, kind)
    for (const name of sections) w.shim(task, name, task + TASK.scratch)
    const results = [
      [w.shim(task, 'bpf_wq_init', cell, map, 0), w.r0(task)],
      [w.shim(task, 'bpf_wq_set_callback', cell, w.callback, 0), w.r0(task)],
      [w.shim(task, 'bpf_wq_start', cell, 0), w.r0(task)],
    ]
    expect(results).toEqual([
      [0, 0n],
      [0, 0n],
      [0, 0n],
    ])
    expect(w.drain()).toEqual([w.callback])
  }
})
