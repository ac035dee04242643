import { expect, it } from 'vitest'
import { call, object } from '../../test/support/machine.js'
import { VerifierError } from '../report/index.js'
import { type KfuncPointer, kfunc, Machine, type MachineCollection, ms, TrapError, us } from './index.js'

const noVerify = { verify: false }

/** The kfuncs of kfunc.bpf.o. */
const kfuncs = {
  test_sum: kfunc({}, (a: bigint, b: number, negative: boolean) => (negative ? -1n : 1n) * (a + BigInt(b))),
  test_fill: kfunc({ parameters: ['buf', 'buf__sz'] }, (buffer: Uint8Array, size: number) => {
    buffer.set(new TextEncoder().encode('filled'))
    return size
  }),
  test_move: kfunc({}, (p: KfuncPointer, by: KfuncPointer) => {
    const [a, b] = [p.value as { x: number; y: number }, by.value as { x: number; y: number }]
    p.value = { x: a.x + b.x, y: a.y + b.y }
    return 0
  }),
  test_wait: kfunc({ sleepable: true }, async (value: number) => value + 1),
}

it.each(['wq', 'timer', 'wait', 'kfunc', 'locked', 'basics'])('%s.bpf.o: every program is accepted', async (name) => {
  await using machine = new Machine()
  const app = await machine.load(object(name), { kfuncs })
  expect(Object.keys(app.programs).length).toBeGreaterThan(1)
})

it('runs a program; globals are read and written in place, constants are not', async () => {
  await using machine = new Machine()
  const spec = object('basics')
  spec.variables.step = 5
  const app = await machine.load(spec)
  expect(app.programs.add?.run()).toEqual({ retval: 45 })
  app.globals.total = 100n
  expect(app.programs.add?.run().retval).toBe(105)
  expect(app.globals).toMatchObject({ total: 105n, calls: 2, step: 5 })
  expect(() => {
    app.globals.step = 6
  }).toThrow(expect.objectContaining({ errno: 1, operation: 'map_update_elem' }))
})

it('keeps what programs print, and gives bpf_printk its result', async () => {
  await using machine = new Machine()
  const app = await machine.load(object('basics'), noVerify)
  expect(app.programs.print?.run().retval).toBe(0xffff_ffea)
  expect(machine.printk).toEqual(['hello 42 you', '1 2 3 4'])
})

it('tells a program who and where it is', async () => {
  await using machine = new Machine({ cpus: 4, seed: 7n, startNs: 5000, task: { pid: 5, tgid: 4, uid: 3, comm: 'me' } })
  const app = await machine.load(object('basics'), noVerify)
  expect(app.programs.who?.run({ cpu: 3 }).retval).toBe(3)
  expect(app.globals).toMatchObject({ pid_tgid: (4n << 32n) | 5n, uid_gid: 3n, comm: 'me' })
  expect(app.globals.time).toBeGreaterThan(5000n)
  expect(app.globals.time).toBeLessThan(6000n)
  app.programs.who?.run({ task: { comm: 'other' } })
  expect(app.globals.comm).toBe('other')
  expect(() => app.programs.who?.run({ cpu: 4 })).toThrow(expect.objectContaining({ code: 'no-such-cpu' }))
})

it('runs packet programs: data in and out, repeat, maps', async () => {
  await using machine = new Machine()
  const app = await machine.load(object('basics'), noVerify)
  const data = new Uint8Array(64)
  data[13] = 9
  const made = app.programs.count?.run({ data, repeat: 5 })
  expect(made?.retval).toBe(2)
  expect(made?.data?.[0]).toBe(5)
  expect([...(app.maps.seen ?? [])]).toEqual([[9, 5n]])
  expect(data[0]).toBe(0)
  const marked = app.programs.mark?.run({ data, ctx: { mark: 10 }, repeat: 2 })
  expect(marked?.fields).toMatchObject({ mark: 138, cb: [5, 0, 0, 0, 0] })
})

it('traps with program, instruction and source line where unverified code goes wrong', async () => {
  await using machine = new Machine()
  await expect(machine.load(object('basics'), { programs: ['broken'] })).rejects.toMatchObject({
    name: 'VerifierError',
    message: "program broken: R1 invalid mem access 'scalar'",
  })
  const app = await machine.load(object('basics'), { programs: ['broken'], verify: false })
  const error = (() => {
    try {
      app.programs.broken?.run()
    } catch (thrown) {
      return thrown
    }
  })()
  expect(error).toBeInstanceOf(TrapError)
  expect(error).toMatchObject({ code: 'bad-address', program: 'broken', insn: 1 })
  expect(String(error)).toContain('return *(volatile __u32 *)0x10;')
})

it('traps at the call that was given a bad address', async () => {
  await using machine = new Machine()
  const app = await machine.load(object('basics'), { programs: ['broken_call'], verify: false })
  expect(() => app.programs.broken_call?.run()).toThrow(TrapError)
  expect(() => app.programs.broken_call?.run()).toThrow(/instruction 2 .*bpf_get_current_comm.*: 16 bytes at 0x10/)
})

it('refuses a context that is shorter than what the program reads, as test_run does', async () => {
  await using machine = new Machine()
  const app = await machine.load(object('wq'), { programs: ['start_array'] })
  const { start_array } = app.programs
  for (const ctx of [undefined, new Uint8Array(15)]) {
    expect(() => start_array?.run(ctx ? { ctx } : {})).toThrow(
      expect.objectContaining({ errno: 22, operation: 'prog_test_run' }),
    )
  }
  expect(start_array?.run({ ctx: new Uint8Array(16) }).retval).toBe(0)
})

it('calls kfuncs in TypeScript with arguments by type', async () => {
  await using machine = new Machine()
  const app = await machine.load(object('kfunc'), { kfuncs, ...noVerify })
  expect(app.programs.sum?.run({ ctx: { a: 7n } })).toMatchObject({ retval: 3, fields: { ret: -2n } })
  expect(app.programs.fill?.run({ ctx: {} })).toMatchObject({ retval: 16 })
  expect(String.fromCharCode(...(app.programs.fill?.run({ ctx: {} }).ctx?.subarray(16, 22) ?? []))).toBe('filled')
  expect(app.programs.move?.run({ ctx: {} }).fields).toMatchObject({ point: { x: 11, y: 22 } })
  expect(app.programs.maybe?.run({ ctx: {} }).retval).toBe(77)
})

it('suspends for an async kfunc in runAsync, and says so in run', async () => {
  await using machine = new Machine()
  const app = await machine.load(object('kfunc'), { kfuncs, ...noVerify })
  expect(() => app.programs.wait?.run({ ctx: { a: 1n } })).toThrow(expect.objectContaining({ code: 'would-suspend' }))
  const two = [1n, 10n].map((a) => app.programs.wait?.runAsync({ ctx: { a } }))
  expect((await Promise.all(two)).map((result) => result?.fields?.ret)).toEqual([2n, 11n])
})

it('settles: callbacks that wait for promises go on, in the order in which they can', async () => {
  await using machine = new Machine()
  const later = (delay: number) => new Promise((resolve) => setTimeout(resolve, delay))
  const test_wait = kfunc({ sleepable: true }, async (value: number) => {
    await later(value === 40 ? 20 : 1)
    return value * 2
  })
  const app = await machine.load(object('wait'), { kfuncs: { test_wait }, ...noVerify })
  for (const key of [0, 1]) call(app, 'defer_array', { a: BigInt(key) })
  await machine.settle()
  expect([...(app.maps.array ?? [])].map(([, value]) => (value as { got: bigint }).got)).toEqual([80n, 82n, 0n, 0n])
  expect(machine.timeline.filter(({ event }) => event === 'end').map(({ key }) => key)).toEqual([1, 0])
})

it('hands on what a kfunc throws, from a run, a callback and a promise', async () => {
  await using machine = new Machine()
  const failing = (error: Error) =>
    kfunc({ sleepable: true }, async () => {
      throw error
    })
  const error = new Error('no such device')
  const app = await machine.load(object('wait'), { kfuncs: { test_wait: failing(error) }, ...noVerify })
  call(app, 'defer_array')
  await expect(machine.settle()).rejects.toBe(error)
  expect(machine.pending).toEqual([])
  expect(machine.inspect('array', 0)).toMatchObject({ work: { state: 'idle' } })
})

it('refuses an async kfunc that is not declared sleepable', async () => {
  await using machine = new Machine()
  const app = await machine.load(object('wait'), { kfuncs: { test_wait: kfunc({}, async () => 0) }, ...noVerify })
  call(app, 'defer_array')
  expect(() => machine.step()).toThrow(expect.objectContaining({ code: 'kfunc-suspends' }))
})

it('settle gives up: when until never holds, when work has no end, when a promise takes too long', async () => {
  await using machine = new Machine()
  const timers = await machine.load(object('timer'), noVerify)
  await expect(machine.settle({ until: () => false })).rejects.toMatchObject({ code: 'settle-timeout' })
  call(timers, 'arm_cancel_self', { ns: ms(1) })
  await expect(machine.settle({ timeoutMs: 1.01 })).rejects.toMatchObject({ code: 'settle-timeout' })
  expect(() => machine.runUntilIdle({ maxSteps: 100 })).toThrow(expect.objectContaining({ code: 'still-busy' }))
  timers.close()
  const never = kfunc({ sleepable: true }, () => new Promise<number>(() => {}))
  const app = await machine.load(object('wait'), { kfuncs: { test_wait: never }, ...noVerify })
  call(app, 'defer_array')
  await expect(machine.settle({ timeoutMs: 20 })).rejects.toThrow(/async kfuncs took longer than 20 ms/)
})

it('lets time pass for work that never ends, and no more of it than fits', async () => {
  await using machine = new Machine()
  const app = await machine.load(object('wq'), noVerify)
  app.globals.restarts = 2n ** 63n
  call(app, 'arm_again')
  call(app, 'arm_array', { key: 5 })
  const before = machine.nowNs
  machine.advance(us(10))
  expect(machine.nowNs - before).toBeLessThan(us(11))
  expect(app.globals.fired).toBeGreaterThan(10n)
  expect(app.maps.array?.get(5)).toMatchObject({ count: 1n })
  expect(machine.pending).toMatchObject([{ callback: 'again' }])
  await expect(machine.settle({ timeoutMs: 0.1 })).rejects.toMatchObject({ code: 'settle-timeout' })
})

it('runs what is queued when no time passes, however long that takes', async () => {
  await using machine = new Machine()
  const app = await machine.load(object('wq'), noVerify)
  for (const key of [0, 1, 2]) call(app, 'arm_array', { key })
  machine.advance(0)
  expect(app.globals.fired).toBe(3n)
})

it('stops as soon as until holds', async () => {
  await using machine = new Machine()
  const app = await machine.load(object('wq'), noVerify)
  for (const key of [0, 1, 2]) call(app, 'arm_array', { key })
  await machine.settle({ until: () => app.globals.fired === 2n })
  expect(machine.pending).toHaveLength(1)
  expect(machine.runUntilIdle()).toBe('idle')
})

it('says where work was started, when it began, and when it ended', async () => {
  await using machine = new Machine({ cpus: 2 })
  const app = await machine.load(object('wq'), noVerify)
  call(app, 'arm_array', { key: 3 }, 1)
  call(app, 'start_array', { key: 3, times: 1 }, 0)
  expect(machine.step()).toEqual({ kind: 'wq', callback: 'tick', cpu: 1, done: true })
  expect(machine.step()).toBeUndefined()
  const common = { kind: 'wq', id: 1, map: 'array', key: 3, callback: 'tick' }
  expect(machine.timeline).toMatchObject([
    { ...common, event: 'start', cpu: 1, from: 'arm_array' },
    { ...common, event: 'start', cpu: 0, from: 'start_array', again: true },
    { ...common, event: 'begin', cpu: 1, startNs: expect.anything() },
    { ...common, event: 'end', cpu: 1 },
  ])
  const times = machine.timeline.map(({ atNs }) => atNs)
  expect(times).toEqual([...times].sort((a, b) => Number(a - b)))
})

it('keeps a bounded timeline, or none', async () => {
  await using machine = new Machine({ timelineLimit: 2 })
  await using silent = new Machine({ timelineLimit: 0 })
  for (const each of [machine, silent]) {
    call(await each.load(object('wq'), noVerify), 'arm_array')
    each.runUntilIdle()
  }
  expect([machine.timeline.length, machine.timelineDropped, silent.timeline.length]).toEqual([2, 1, 0])
})

it('inspects a field by its name, of a map by name or itself', async () => {
  await using machine = new Machine()
  const app = await machine.load(object('wq'), noVerify)
  app.maps.hash?.set(1, {})
  expect(machine.inspect('hash', 1)).toEqual({ work: { state: 'empty' } })
  call(app, 'arm_hash', { key: 1 })
  expect(machine.inspect(app.maps.hash ?? '', 1)).toEqual({
    work: { state: 'pending', callback: 'tick', starts: 1, runs: 0 },
  })
  machine.step()
  expect(machine.inspect('hash', 1)).toMatchObject({ work: { state: 'idle', runs: 1 } })
  await machine.load(object('basics'), { programs: [] })
  expect(machine.inspect('nested', 0)).toEqual({
    'state.timer': { state: 'empty' },
    'state.deep.work': { state: 'empty' },
  })
  expect(() => machine.inspect('hash', 2)).toThrow(expect.objectContaining({ code: 'no-element' }))
  expect(() => machine.inspect('nonsense', 2)).toThrow(expect.objectContaining({ code: 'unknown-map' }))
})

/** A run that uses everything random or timed. */
async function scenario(seed: bigint): Promise<{ memory: Uint8Array; timeline: unknown; printk: readonly string[] }> {
  const machine = new Machine({ cpus: 2, seed })
  const [wq, timers, basics] = [
    await machine.load(object('wq'), noVerify),
    await machine.load(object('timer'), noVerify),
    await machine.load(object('basics'), noVerify),
  ] as [MachineCollection, MachineCollection, MachineCollection]
  for (let key = 0; key < 30; key++) wq.maps.lru?.set(key, { note: BigInt(key) })
  for (const key of [5, 2]) call(wq, 'arm_array', { key }, key % 2)
  for (const key of [1, 3]) call(timers, 'arm_array', { key, ns: us(key) }, key % 2)
  basics.programs.who?.run({ cpu: 1 })
  basics.programs.print?.run()
  machine.advance(ms(1))
  return { memory: machine.memory(), timeline: machine.timeline, printk: machine.printk }
}

it('is deterministic: the same object, seed and calls give the same memory and timeline', async () => {
  const [a, b, c] = [await scenario(1n), await scenario(1n), await scenario(2n)]
  expect(a).toEqual(b)
  expect(Buffer.compare(a.memory, c.memory)).not.toBe(0)
})

it('keeps its memory flat over a thousand loads', async () => {
  await using machine = new Machine()
  const spec = object('wait')
  const cycle = async () => {
    const app = await machine.load(spec, { kfuncs, ...noVerify })
    call(app, 'defer_array')
    app.close()
    await app[Symbol.asyncDispose]()
  }
  for (let i = 0; i < 10; i++) await cycle()
  const { used, size } = { used: machine.memoryUsed, size: machine.memory().length }
  for (let i = 0; i < 1000; i++) await cycle()
  expect([machine.memoryUsed, machine.memory().length]).toEqual([used, size])
})

it('undoes a load that fails half way', async () => {
  await using machine = new Machine()
  const before = machine.memoryUsed
  const spec = object('kfunc')
  await expect(machine.load(spec, { kfuncs: { test_sum: kfuncs.test_sum }, ...noVerify })).rejects.toMatchObject({
    code: 'unknown-kfunc',
  })
  await expect(machine.load(object('basics'), { programs: ['nonsense'] })).rejects.toThrow(/no program nonsense/)
  expect(machine.memoryUsed).toBe(before)
})

it('refuses work once something is closed', async () => {
  const machine = new Machine()
  const app = await machine.load(object('wq'), noVerify)
  const { arm_array } = app.programs
  arm_array?.close()
  expect(() => arm_array?.run()).toThrow(expect.objectContaining({ errno: 9 }))
  app.close()
  expect(() => app.maps.array?.get(0)).toThrow(expect.objectContaining({ errno: 9, operation: 'map_lookup_elem' }))
  await machine.close()
  expect(() => machine.step()).toThrow(expect.objectContaining({ code: 'machine-closed' }))
  await expect(machine.load(object('wq'))).rejects.toMatchObject({ code: 'machine-closed' })
})

it('shares global data: both collections see the same variables', async () => {
  await using machine = new Machine()
  const app = await machine.load(object('basics'), noVerify)
  const name = Object.keys(app.maps).find((map) => map.endsWith('.data')) ?? ''
  const data = app.maps[name]
  if (!data) throw new Error('no .data')
  const second = await machine.load(object('basics'), { ...noVerify, maps: { [name]: data } })
  app.globals.total = 7n
  expect(second.globals.total).toBe(7n)
  second.programs.add?.run()
  expect([app.globals.total, app.globals.calls, second.globals.calls]).toEqual([9n, 0, 1])
})

it('shares maps only where they fit', async () => {
  await using machine = new Machine()
  await using other = new Machine()
  const app = await machine.load(object('wq'), noVerify)
  const { array, hash } = app.maps
  if (!array || !hash) throw new Error('no maps')
  const options = { programs: ['arm_array'], ...noVerify }
  const reject = (load: Promise<unknown>, code: string) => expect(load).rejects.toMatchObject({ code })
  await reject(machine.load(object('wq'), { ...options, maps: { array: hash } }), 'map-mismatch')
  await reject(other.load(object('wq'), { ...options, maps: { array } }), 'foreign-map')
  await reject(machine.load(object('wq'), { ...options, maps: { nonsense: array } }), 'unknown-map')
})

it.each([{ kernel: '4.4' }, { cpus: 0 }, { cpus: 65 }, { maxMemoryBytes: 1 }, { startNs: -1 }])(
  'refuses the options %o',
  (options) => {
    expect(() => new Machine(options)).toThrow(expect.objectContaining({ name: 'BpfError' }))
  },
)

it('ends what runs too long', async () => {
  await using machine = new Machine({ maxInstructions: 100 })
  const app = await machine.load(object('wq'), noVerify)
  call(app, 'init_array')
  call(app, 'set_array')
  expect(() => call(app, 'start_array', { times: 1000 })).toThrow(
    expect.objectContaining({ code: 'too-many-instructions' }),
  )
})

it.each([
  ['7.0', 'wq', 'set_array', /bpf_wq_set_callback\b/],
  ['6.18', 'kfunc', 'sum', /no kfunc test_sum; it can be supplied in TypeScript/],
])(
  'Linux %s refuses %s.bpf.o %s, which calls a kfunc that it lacks, with a hint',
  async (kernel, name, program, hint) => {
    await using machine = new Machine({ kernel })
    const error = await machine.load(object(name), { programs: [program] }).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(VerifierError)
    expect(error).toMatchObject({ code: 'verifier-reject', report: { kernel } })
    expect((error as VerifierError).detail()).toMatch(hint)
  },
)

it('refuses a declaration that disagrees with the kernel, in its prototype or its flags', async () => {
  await using machine = new Machine()
  await expect(machine.load(object('disagree'))).rejects.toMatchObject({
    code: 'kfunc-prototype',
    place: 'kfunc bpf_wq_start',
  })
  const mine = { bpf_wq_start: kfunc({ sleepable: true }, () => 0) }
  const programs = ['start_array']
  await expect(machine.load(object('wq'), { programs, kfuncs: mine })).rejects.toMatchObject({ code: 'kfunc-flags' })
})

it('lets a kfunc in TypeScript stand in for one of the kernel', async () => {
  await using machine = new Machine()
  const seen: (number | undefined)[] = []
  const bpf_wq_start = kfunc({}, (wq: KfuncPointer, flags: number) => {
    seen.push(wq.bytes.length, flags)
    return -16
  })
  const app = await machine.load(object('wq'), { programs: ['init_array', 'start_array'], kfuncs: { bpf_wq_start } })
  expect([call(app, 'init_array'), call(app, 'start_array', { times: 1, flags: 3 })]).toEqual([0, -16])
  expect(seen).toEqual([16, 3])
})
