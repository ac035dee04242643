import { Worker } from 'node:worker_threads'
import { expect, it } from 'vitest'
import { allKinds, VALUE, world } from '../../test/support/runtime.js'
import {
  CPU,
  cpuAt,
  createRuntime,
  maps,
  objectIn,
  objectsOf,
  programs,
  queued,
  restore,
  snapshot,
  TASK,
  taskKinds,
} from './index.js'

it('refuses options out of range by name', () => {
  expect(() => createRuntime({ cpus: 0 })).toThrow('cpus: must be a whole number from 1 to 64, not 0')
  expect(() => createRuntime({ maxPages: 40_000 })).toThrow('maxPages')
  expect(() => createRuntime({ memory: new WebAssembly.Memory({ initial: 2, maximum: 2 }) })).toThrow('no machine')
})

it('gives each CPU its block and lists maps and programs in the order of making', () => {
  const w = world({ cpus: 3 })
  expect([0, 1, 2].map((cpu) => w.runtime.load32(cpuAt(w.runtime, cpu) + CPU.id))).toEqual([0, 1, 2])
  const made = allKinds.map((kind) => w.map(kind))
  expect(maps(w.runtime)).toEqual(made)
  w.calls.mapUserPut(made[1] as number)
  expect(maps(w.runtime)).toEqual(made.filter((_, i) => i !== 1))
  expect(programs(w.runtime)).toEqual([w.prog, w.other])
})

it('a snapshot is the whole machine: restored, it goes on as it would have', () => {
  const w = world()
  const map = w.map('HASH')
  w.put(map, 1, 5)
  w.launch(map, w.value(map, 1))
  w.launchTimer(map, w.value(map, 1), 10n)
  const saved = snapshot(w.runtime)
  const future = (): unknown => {
    w.calls.clockAdvanceTo(1000n)
    const ran = [...w.drain(), ...w.fire()]
    const task = w.task()
    w.shim(task, 'bpf_get_prandom_u32')
    w.put(map, 2, 6)
    const large = w.map('ARRAY', { maxEntries: 100_000 })
    return [ran, w.r0(task), w.value(map, 2), large, w.get(large, 99_999), w.calls.clockRead()]
  }
  const first = future()
  restore(w.runtime, saved)
  expect(queued(w.runtime, 0)).toHaveLength(1)
  expect(w.get(map, 2)).toBeUndefined()
  expect(future()).toEqual(first)
  expect(() => restore(w.runtime, new Uint8Array(10))).toThrow('no snapshot')
})

it('the same seed gives the same memory, byte for byte', () => {
  const build = (seed: bigint): Uint8Array => {
    const w = world({ cpus: 2, seed })
    for (const kind of allKinds) w.launch(w.map(kind), w.value(maps(w.runtime).at(-1) as number, 1))
    w.drain()
    w.task()
    return snapshot(w.runtime)
  }
  expect(Buffer.compare(build(5n), build(5n))).toBe(0)
  expect(Buffer.compare(build(5n), build(6n))).not.toBe(0)
})

it('lends tasks from a pool: cleared, but with the stack that the last user left', () => {
  const w = world()
  const task = w.calls.taskNew(1, taskKinds.worker)
  const id = w.runtime.load32(task + TASK.id)
  expect([TASK.cpu, TASK.kind].map((at) => w.runtime.load32(task + at))).toEqual([1, taskKinds.worker])
  const poison = w.runtime.load64(task + TASK.stack + 512)
  expect(poison).not.toBe(w.runtime.load64(task + TASK.stack + 520))
  w.runtime.store64(task + TASK.stack, 42n)
  w.runtime.store64(task + TASK.regs, 42n)
  w.calls.taskFree(task)
  expect(w.calls.taskNew(0, 0)).toBe(task)
  expect(w.runtime.load32(task + TASK.id)).toBe(id)
  expect(w.runtime.load64(task + TASK.regs)).toBe(0n)
  expect(w.runtime.load64(task + TASK.stack)).toBe(42n)
  expect(w.calls.taskNew(0, 0)).not.toBe(task)
})

it('emitted with atomics everything behaves the same', () => {
  const results = (['plain', 'atomic'] as const).map((mode) => {
    const w = world({ cpus: 2, seed: 1n, mode })
    const map = w.map('HASH')
    w.put(map, 1, 3)
    const v = w.value(map, 1)
    const started = [...w.launch(map, v, 1), w.start(v)]
    w.launchTimer(map, v, 5n)
    w.calls.clockAdvanceTo(100n)
    const task = w.task()
    w.shim(task, 'bpf_spin_lock', v + VALUE.lock)
    return [started, w.drain(1), w.fire(), w.get(map, 1), w.shim(w.task(1), 'bpf_spin_lock', v + VALUE.lock)]
  })
  expect(results[1]).toEqual(results[0])
  expect(createRuntime({ mode: 'atomic' }).memory.buffer).toBeInstanceOf(SharedArrayBuffer)
})

it('a second instance over a shared memory is the same machine', () => {
  const w = world({ cpus: 2, mode: 'atomic' })
  const map = w.map('ARRAY')
  w.launch(map, w.value(map, 0), 1)
  const twin = createRuntime({ mode: 'atomic', memory: w.runtime.memory })
  expect(twin.cpus).toBe(2)
  expect(queued(twin, 1)).toEqual(queued(w.runtime, 1))
})

it('7.5 two threads that init, start and delete at once leave one consistent machine', async () => {
  const w = world({ cpus: 2, mode: 'atomic' })
  const map = w.map('HASH')
  const key = w.calls.allocZeroed(16)
  const script = `
    const { workerData: d, parentPort } = require('node:worker_threads')
    const run = new WebAssembly.Instance(d.module, { host: { memory: d.memory, grown() {} } }).exports
    let zero = 0
    for (let i = 0; i < 20000; i++) {
      run.mapUpdate(d.map, d.key, d.key + 8, 1, d.cpu)
      const value = run.mapLookup(d.map, d.key)
      if (value) {
        if (run.wqInit(value + ${VALUE.wq}, d.map, 0) === 0) zero++
        run.wqSetCallback(value + ${VALUE.wq}, d.callback, 0, d.prog)
        run.wqStart(value + ${VALUE.wq}, 0, d.cpu)
      }
      if (i % 3 === 0) run.mapDelete(d.map, d.key)
      const object = run.wqPick(d.cpu)
      if (object) run.wqFinish(object)
    }
    parentPort.postMessage(zero)`
  const shared = { module: w.runtime.module, memory: w.runtime.memory, map, key, callback: w.callback, prog: w.prog }
  const inits = await Promise.all(
    [0, 1].map(
      (cpu) =>
        new Promise<number>((resolve, reject) => {
          const worker = new Worker(script, { eval: true, workerData: { ...shared, cpu } })
          worker.once('message', resolve)
          worker.once('error', reject)
        }),
    ),
  )
  expect(inits.every((count) => count > 0)).toBe(true)
  w.remove(map, 0)
  expect([...w.drain(0), ...w.drain(1)].length).toBeLessThanOrEqual(1)
  expect(objectsOf(w.runtime, map).filter((object) => object.state !== 'idle')).toEqual([])
  expect(w.launch(map, w.value(map, 9))).toEqual([0, 0, 0])
  expect(objectIn(w.runtime, map, w.value(map, 9), 'wq')?.state).toBe('pending')
})
