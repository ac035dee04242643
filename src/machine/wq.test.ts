// Facts about bpf_wq on Linux 6.18, by their numbers in the list of observed behaviour, as one machine shows them. The
// objects are verified once, in machine.test.ts, and loaded without that here.
import { expect, it } from 'vitest'
import { call, object } from '../../test/support/machine.js'
import { getProfile } from '../profile/index.js'
import { kfunc, Machine, type MachineCollection, type MachineOptions } from './index.js'

const EPERM = -1
const ENOMEM = -12
const EBUSY = -16
const EFAULT = -14
const EEXIST = -17
const EINVAL = -22
const mapNames = ['array', 'hash', 'sparse', 'lru'] as const

async function load(name: string, options: MachineOptions = {}) {
  const machine = new Machine(options)
  const app = await machine.load(object(name), { kfuncs: { test_wait: waiter.kfunc }, verify: false })
  for (const map of mapNames) if (map !== 'array') for (const key of [0, 1, 2]) app.maps[map]?.set(key, {})
  return { machine, app, results: () => (app.globals.results as bigint[]).map(Number) }
}

/** A kfunc that takes as long as a test wants: a callback in it is running. */
const waiter = {
  release: [] as ((value: number) => void)[],
  kfunc: kfunc(
    { sleepable: true },
    (value: number) =>
      new Promise<number>((resolve) => {
        waiter.release.push(() => resolve(value))
      }),
  ),
  /** Lets the callbacks that wait go on; they do so at the next step. */
  async let() {
    for (const release of waiter.release.splice(0)) release(0)
    await new Promise((resolve) => setTimeout(resolve, 0))
  },
}

/** The state of the wq in an element. */
const state = (machine: Machine, map: string, key: number) => machine.inspect(map, key).work?.state

const run = (app: MachineCollection, name: string, data = new Uint8Array(64)) =>
  app.programs[name]?.run({ data }).retval

it.each(mapNames)('1.1 %s: what each step returns, before and after the one that it needs', async (map) => {
  const { app } = await load('wq')
  const returned = [
    call(app, `start_${map}`, { times: 1 }),
    call(app, `set_${map}`),
    call(app, `init_${map}`, { flags: 1 }),
    call(app, `init_${map}`),
    call(app, `init_${map}`),
    call(app, `start_${map}`, { times: 1 }),
    call(app, `set_${map}`, { flags: 1 }),
    call(app, `set_${map}`),
    call(app, `start_${map}`, { times: 1, flags: 1 }),
    call(app, `start_${map}`, { times: 1 }),
  ]
  expect(returned).toEqual([EINVAL, EINVAL, EINVAL, 0, EBUSY, EINVAL, EINVAL, 0, EINVAL, 0])
})

it('1.2 start gives 0 while idle, pending and running', async () => {
  const { machine, app } = await load('wait', { cpus: 2 })
  expect(call(app, 'defer_array')).toBe(0)
  expect(state(machine, 'array', 0)).toBe('pending')
  expect(call(app, 'start_array')).toBe(0)
  machine.step()
  expect(state(machine, 'array', 0)).toBe('running')
  expect(call(app, 'start_array')).toBe(0)
  expect(state(machine, 'array', 0)).toBe('running+pending')
})

it('1.3 a thousand starts of an idle item run its callback once', async () => {
  const { machine, app } = await load('wq')
  call(app, 'init_array')
  call(app, 'set_array')
  call(app, 'start_array', { times: 1000 })
  machine.runUntilIdle()
  expect(app.globals.fired).toBe(1n)
  expect(machine.inspect('array', 0).work).toEqual({ state: 'idle', callback: 'tick', starts: 1000, runs: 1 })
})

it('1.3 starts from CPU 1 while it runs on CPU 0 run it once more, afterwards, on CPU 0', async () => {
  const { machine, app } = await load('wait', { cpus: 2 })
  call(app, 'defer_array', {}, 0)
  machine.step()
  call(app, 'start_array', {}, 1)
  expect(machine.pending).toMatchObject([{ kind: 'wq', key: 0, cpu: 0 }])
  machine.runUntilIdle()
  expect(app.globals.began).toBe(1n)
  await waiter.let()
  machine.runUntilIdle()
  expect(app.globals).toMatchObject({ began: 2n, ended: 1n })
  expect(machine.timeline.filter(({ event }) => event === 'begin').map(({ cpu }) => cpu)).toEqual([0, 0])
})

it('1.4 the callback stays bound, and a new one replaces it even when the item is pending', async () => {
  const { machine, app } = await load('wq')
  call(app, 'arm_array')
  machine.runUntilIdle()
  expect(call(app, 'start_array', { times: 1 })).toBe(0)
  expect(call(app, 'set_other_array')).toBe(0)
  expect(machine.pending).toMatchObject([{ callback: 'other' }])
  machine.runUntilIdle()
  expect(app.globals).toMatchObject({ fired: 1n, other_fired: 1n })
})

it('1.5 1.6 the callback runs in the program that set it last, which the item alone keeps', async () => {
  const machine = new Machine()
  const first = await machine.load(object('wq'), { programs: ['init_array', 'set_array'], verify: false })
  const maps = { array: first.maps.array as NonNullable<typeof first.maps.array> }
  const second = await machine.load(object('wq'), { programs: ['set_other_array', 'start_array'], maps, verify: false })
  call(first, 'init_array')
  call(first, 'set_array')
  const before = machine.memoryUsed
  first.programs.init_array?.close()
  first.programs.set_array?.close()
  const whileHeld = machine.memoryUsed
  expect(whileHeld).toBeLessThan(before)
  expect(call(second, 'start_array', { times: 1 })).toBe(0)
  machine.runUntilIdle()
  expect(first.globals.fired).toBe(1n)
  call(second, 'set_other_array')
  expect(machine.memoryUsed).toBeLessThan(whileHeld)
  call(second, 'start_array', { times: 1 })
  machine.runUntilIdle()
  expect([first.globals.fired, second.globals.other_fired]).toEqual([1n, 1n])
})

it('1.7 closing its program stops no work; overwriting the element frees the program', async () => {
  const { machine, app } = await load('wq')
  call(app, 'arm_array')
  for (const program of Object.values(app.programs)) program.close()
  machine.runUntilIdle()
  expect(app.globals.fired).toBe(1n)
  const before = machine.memoryUsed
  app.maps.array?.set(0, {})
  expect(machine.memoryUsed).toBeLessThan(before)
})

it.each([
  ['6.18', ['bpf_wq_init', 'bpf_wq_set_callback_impl', 'bpf_wq_start']],
  ['7.0', ['bpf_wq_init', 'bpf_wq_set_callback', 'bpf_wq_start']],
])('1.8 Linux %s has no kfunc that cancels a wq', (kernel, names) => {
  const all = [...getProfile(kernel).kfuncs.values()].map(({ name }) => name)
  expect(all.filter((name) => name.startsWith('bpf_wq_')).sort()).toEqual(names)
})

/** Ways to make a pending item disappear, and whether the element is there afterwards. */
const cancels: readonly [string, string, (app: MachineCollection) => void][] = [
  ['hash', 'user delete', (app) => app.maps.hash?.delete(1)],
  ['sparse', 'user delete', (app) => app.maps.sparse?.delete(1)],
  ['lru', 'user delete', (app) => app.maps.lru?.delete(1)],
  ['hash', 'program delete', (app) => call(app, 'delete_hash', { key: 1 })],
  ['array', 'user update', (app) => app.maps.array?.set(1, {})],
  ['array', 'user update with EXIST', (app) => app.maps.array?.set(1, {}, 2)],
  ['array', 'program update', (app) => call(app, 'update_array', { key: 1 })],
  ['hash', 'user update', (app) => app.maps.hash?.set(1, {})],
  ['sparse', 'program update', (app) => call(app, 'update_sparse', { key: 1, flags: 2 })],
  ['lru', 'user update with EXIST', (app) => app.maps.lru?.set(1, {}, 2)],
  ['hash', 'lookup and delete', (app) => app.maps.hash?.lookupAndDelete(1)],
  ['sparse', 'lookup and delete', (app) => app.maps.sparse?.lookupAndDelete(1)],
  ['lru', 'lookup and delete', (app) => app.maps.lru?.lookupAndDelete(1)],
  ['array', 'closing the map', (app) => app.maps.array?.close()],
  ['lru', 'closing the map', (app) => app.maps.lru?.close()],
]

it.each(cancels)('1.9 1.10 %s: %s cancels a pending item for good', async (map, _what, act) => {
  const { machine, app } = await load('wq')
  call(app, `arm_${map}`, { key: 1 })
  act(app)
  expect(machine.pending).toEqual([])
  machine.runUntilIdle()
  expect(app.globals.fired).toBe(0n)
})

it.each(['array', 'hash', 'lru'])(
  '1.10 %s: after an update the cell is empty: start fails, init succeeds',
  async (map) => {
    const { app } = await load('wq')
    call(app, `arm_${map}`)
    call(app, `update_${map}`)
    expect(call(app, `start_${map}`, { times: 1 })).toBe(EINVAL)
    expect(call(app, `init_${map}`)).toBe(0)
  },
)

it('1.9 eviction from an LRU map cancels', async () => {
  const { machine, app } = await load('wq')
  call(app, 'arm_lru', { key: 0 })
  for (let key = 100; key < 200; key++) app.maps.lru?.set(key, {})
  expect(app.maps.lru?.has(0)).toBe(false)
  machine.runUntilIdle()
  expect(app.globals.fired).toBe(0n)
})

it('1.9 what fails, and what only looks, cancels nothing', async () => {
  const { machine, app } = await load('wq')
  const { array, hash } = app.maps
  call(app, 'arm_array')
  call(app, 'arm_hash')
  expect(() => array?.set(0, {}, 1)).toThrow(expect.objectContaining({ errno: -EEXIST }))
  expect(() => hash?.set(0, {}, 1)).toThrow(expect.objectContaining({ errno: -EEXIST }))
  expect(() => array?.delete(0)).toThrow(expect.objectContaining({ errno: -EINVAL }))
  expect(call(app, 'delete_array')).toBe(EINVAL)
  expect([array?.get(0), hash?.has(0)]).toMatchObject([{ count: 0n }, true])
  machine.runUntilIdle()
  expect(app.globals.fired).toBe(2n)
})

it('1.9 2.8 BPF_F_LOCK: a hash element stays where it is and keeps its work, an array element loses it', async () => {
  const machine = new Machine()
  const app = await machine.load(object('locked'), { verify: false })
  app.maps.hash?.set(0, {})
  call(app, 'arm_array')
  call(app, 'arm_hash')
  app.maps.hash?.set(0, { count: 5n }, 4)
  app.maps.array?.set(0, { count: 5n }, 4)
  expect([call(app, 'start_hash'), call(app, 'init_hash')]).toEqual([0, EBUSY])
  expect([call(app, 'start_array'), call(app, 'init_array')]).toEqual([EINVAL, 0])
  machine.runUntilIdle()
  expect(app.maps.hash?.get(0)).toMatchObject({ count: 6n })
  expect(app.globals.fired).toBe(1n)
})

it('1.11 a running callback goes on to its end; in an array its stores are seen, in a hash they are not', async () => {
  const { machine, app } = await load('wait')
  call(app, 'defer_array')
  call(app, 'defer_hash')
  machine.runUntilIdle()
  expect(app.globals.began).toBe(2n)
  app.maps.array?.set(0, { got: 7n })
  app.maps.hash?.set(0, { got: 7n })
  await waiter.let()
  machine.runUntilIdle()
  expect(app.globals.ended).toBe(2n)
  expect(app.maps.array?.get(0)).toMatchObject({ got: 40n })
  expect(app.maps.hash?.get(0)).toMatchObject({ got: 7n })
})

it('1.12 a callback that starts itself five times runs six times', async () => {
  const { machine, app } = await load('wq')
  app.globals.restarts = 5n
  call(app, 'arm_again')
  machine.runUntilIdle()
  expect(app.globals.fired).toBe(6n)
})

it('1.12 a callback may bind another one to its own item and start that', async () => {
  const { machine, app, results } = await load('wq')
  call(app, 'arm_rebind')
  machine.runUntilIdle()
  expect(results().slice(0, 3)).toEqual([EBUSY, 0, 0])
  expect(app.globals).toMatchObject({ fired: 1n, other_fired: 1n })
})

it('1.12 a callback that deletes its element: the cell is empty, init works, and the next key finds it occupied', async () => {
  const { app, machine, results } = await load('wq')
  call(app, 'arm_suicide', { key: 1 })
  machine.runUntilIdle()
  expect(results().slice(0, 5)).toEqual([0, 0, EINVAL, EINVAL, 0])
  expect(app.maps.hash?.has(1)).toBe(false)
  app.maps.hash?.set(5, {})
  expect(call(app, 'init_hash', { key: 5 })).toBe(EBUSY)
})

it('1.12 a callback that replaces its element keeps the old value in a hash and sees the new one in an array', async () => {
  const { app, machine, results } = await load('wq')
  call(app, 'arm_replace_hash', { key: 1 })
  machine.runUntilIdle()
  expect(results().slice(0, 3)).toEqual([0, EINVAL, 0])
  call(app, 'arm_replace_array', { key: 1 })
  machine.runUntilIdle()
  expect(results().slice(0, 4)).toEqual([0, EINVAL, 77, EINVAL])
})

it.each(mapNames)('1.13 %s: the callback gets map, key and value', async (map) => {
  const { app, machine } = await load('wq')
  call(app, `arm_${map}`, { key: 2 })
  machine.runUntilIdle()
  expect(app.globals.last_key).toBe(2n)
  expect(app.maps[map]?.get(2)).toMatchObject({ count: 1n })
})

it('1.14 without user references nothing can be armed, though programs hold the map', async () => {
  const { app, machine } = await load('wq')
  call(app, 'arm_array')
  app.maps.array?.close()
  expect(machine.pending).toEqual([])
  expect(call(app, 'start_array', { times: 1 })).toBe(EINVAL)
  expect(call(app, 'init_array')).toBe(EPERM)
  expect(call(app, 'set_array')).toBe(EINVAL)
})

it('1.14 another user reference keeps the work', async () => {
  const { app, machine } = await load('wq')
  const maps = { array: app.maps.array as NonNullable<typeof app.maps.array> }
  const second = await machine.load(object('wq'), { maps, programs: ['start_array'], verify: false })
  call(app, 'arm_array')
  app.maps.array?.close()
  machine.runUntilIdle()
  expect(second.maps.array?.get(0)).toMatchObject({ count: 1n })
  second.maps.array?.close()
  expect(call(second, 'start_array', { times: 1 })).toBe(EINVAL)
})

it('1.15 init may run out of memory; what follows says so', async () => {
  const { app, machine } = await load('wq')
  machine.failInits(1)
  expect(call(app, 'init_array')).toBe(ENOMEM)
  expect(call(app, 'set_array')).toBe(EINVAL)
  expect(call(app, 'init_array')).toBe(0)
})

it('1.16 5.5 a callback runs as the worker of the CPU that started it', async () => {
  const { app, machine } = await load('wq', { cpus: 2 })
  call(app, 'arm_array', { key: 0 }, 1)
  machine.runUntilIdle()
  expect(app.globals).toMatchObject({ last_cpu: 1n, last_pid: 11n })
})

it('1.17 a callback cannot read user memory: -EFAULT and zeros (defined by us, Linux leaves it to chance)', async () => {
  const { app, machine, results } = await load('wq')
  call(app, 'arm_copying')
  machine.runUntilIdle()
  expect(results().slice(0, 2)).toEqual([EFAULT, 0])
})

it('1.18 tc, xdp and socket filters may do all three; so may code in RCU, preemption-off and irq-off sections', async () => {
  const { app, machine } = await load('wq')
  expect(['kick_tc', 'kick_xdp', 'kick_socket'].map((name) => run(app, name))).toEqual([0, 0, 0])
  machine.runUntilIdle()
  expect(app.globals.fired).toBe(3n)
  const programs = ['arm_array', 'start_rcu', 'start_preempt', 'start_irq']
  const locked = await machine.load(object('locked'), { programs, verify: false })
  call(locked, 'arm_array')
  machine.runUntilIdle()
  for (const name of ['start_rcu', 'start_preempt', 'start_irq']) {
    expect(run(locked, name)).toBe(0)
    machine.runUntilIdle()
  }
  expect(locked.globals.fired).toBe(4n)
})

it('1.20 an item is freed when its cell is emptied, a running one when its callback ends', async () => {
  const { app, machine } = await load('wait')
  const finish = async () => {
    await waiter.let()
    machine.runUntilIdle()
    return machine.memoryUsed
  }
  call(app, 'defer_array')
  machine.step()
  await finish()
  app.maps.array?.set(0, {})
  const without = machine.memoryUsed
  call(app, 'defer_array')
  expect(machine.memoryUsed).toBeGreaterThan(without)
  app.maps.array?.set(0, {})
  expect(machine.memoryUsed).toBe(without)
  call(app, 'defer_array')
  machine.step()
  app.maps.array?.set(0, {})
  expect(machine.memoryUsed).toBeGreaterThan(without)
  expect(await finish()).toBe(without)
})

it('1.21 a callback finishes although its program is gone', async () => {
  const { app, machine } = await load('wait')
  call(app, 'defer_array')
  machine.step()
  app.maps.array?.set(0, {})
  app.close()
  const whileItRuns = machine.memoryUsed
  await waiter.let()
  machine.runUntilIdle()
  expect(machine.timeline.at(-1)).toMatchObject({ event: 'end', callback: 'waiting' })
  expect(machine.memoryUsed).toBeLessThan(whileItRuns)
})

it('5.2 after an update during a run, the same key runs in parallel with its old callback', async () => {
  const { app, machine } = await load('wait', { cpus: 2 })
  call(app, 'defer_array', {}, 0)
  machine.step()
  app.maps.array?.set(0, {})
  expect(call(app, 'defer_array', {}, 1)).toBe(0)
  machine.step()
  expect(app.globals).toMatchObject({ began: 2n, ended: 0n })
  expect(machine.timeline.filter(({ event }) => event === 'begin').map(({ cpu }) => cpu)).toEqual([0, 1])
})

it('5.4 items of one CPU run in the order of their starts', async () => {
  const { app, machine } = await load('wq')
  for (const key of [4, 1, 7, 2]) call(app, 'arm_array', { key })
  machine.runUntilIdle()
  expect(machine.timeline.filter(({ event }) => event === 'begin').map(({ key }) => key)).toEqual([4, 1, 7, 2])
})
