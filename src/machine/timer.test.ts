// Facts about bpf_timer on Linux 6.18, by their numbers in the list of observed behaviour, as one machine shows them. The
// object is verified once, in machine.test.ts, and loaded without that here.
import { expect, it } from 'vitest'
import { call, object } from '../../test/support/machine.js'
import { Machine, type MachineOptions, ms, us } from './index.js'

const EPERM = -1
const EBUSY = -16
const EINVAL = -22
const EDEADLK = -35

async function load(options: MachineOptions = {}) {
  const machine = new Machine(options)
  const app = await machine.load(object('timer'), { verify: false })
  app.maps.hash?.set(1, {})
  return { machine, app, results: () => (app.globals.results as bigint[]).map(Number) }
}

const never = 2n ** 63n - 1n

it.each([0, 1, 7])('4.1 clock %i is a timer clock; a second init is busy', async (clock) => {
  const { app } = await load()
  expect(call(app, 'init_array', { flags: clock })).toBe(0)
  expect(call(app, 'init_array', { flags: clock })).toBe(EBUSY)
})

it.each([2n, 3n, 8n, 9n, 11n, 16n, (1n << 32n) | 1n])('4.1 clock %i is not', async (clock) => {
  const { app } = await load()
  expect(call(app, 'init_array', { flags: clock })).toBe(EINVAL)
})

it('4.1 without user reference init is not permitted', async () => {
  const { app } = await load()
  app.maps.array?.close()
  expect(call(app, 'init_array', { flags: 1 })).toBe(EPERM)
})

it('4.2 nothing works before init; without a callback cancel does and start does not', async () => {
  const { app } = await load()
  expect(['start_array', 'cancel_array', 'set_array'].map((name) => call(app, name))).toEqual([EINVAL, EINVAL, EINVAL])
  expect(call(app, 'init_array', { flags: 1 })).toBe(0)
  expect(['start_array', 'cancel_array'].map((name) => call(app, name))).toEqual([EINVAL, 0])
})

it('4.3 knows the flags ABS and CPU_PIN only', async () => {
  const { app } = await load()
  call(app, 'arm_array')
  const flags = [0n, 1n, 2n, 3n, 4n, 8n, 1n << 32n]
  expect(flags.map((value) => call(app, 'start_array', { flags: value }))).toEqual([0, 0, 0, 0, EINVAL, EINVAL, EINVAL])
})

it('4.3 fires once, when its time has come', async () => {
  const { app, machine } = await load()
  call(app, 'arm_array', { ns: ms(10) })
  machine.advance(ms(9))
  expect(app.globals.fired).toBe(0n)
  machine.advance(ms(1))
  expect(app.globals.fired).toBe(1n)
  machine.advance(ms(100))
  expect(app.globals.fired).toBe(1n)
})

it.each([
  ['later', 5, 20],
  ['earlier', 20, 5],
])('4.3 starting again moves the expiry: %s', async (_how, first, second) => {
  const { app, machine } = await load()
  call(app, 'arm_array', { ns: ms(first) })
  call(app, 'start_array', { ns: ms(second) })
  machine.advance(ms(second) - us(1))
  expect(app.globals.fired).toBe(0n)
  machine.advance(ms(50))
  expect(app.globals.fired).toBe(1n)
})

it('4.3 an absolute time in the past fires at once, a relative one beyond 63 bits never', async () => {
  const { app, machine } = await load()
  call(app, 'arm_array', { key: 1, ns: 5n, flags: 1n })
  machine.advance(0)
  expect(app.globals).toMatchObject({ fired: 1n, last_key: 1n })
  expect(call(app, 'arm_array', { key: 2, ns: 2n ** 64n - 1n })).toBe(0)
  expect(call(app, 'arm_array', { key: 3, ns: 2n ** 63n })).toBe(0)
  expect(machine.pending.map(({ expiryNs }) => expiryNs)).toEqual([never, never])
  expect(machine.runUntilIdle()).toBe('idle')
  expect(app.globals.fired).toBe(1n)
})

it('4.3 a timer pinned to its CPU fires there', async () => {
  const { app, machine } = await load({ cpus: 2 })
  call(app, 'arm_array', { ns: 5n, flags: 2n }, 1)
  machine.runUntilIdle()
  expect(app.globals).toMatchObject({ fired: 1n, last_cpu: 1n })
})

it('4.4 the callback gets map, key and value', async () => {
  const { app, machine } = await load()
  call(app, 'arm_array', { key: 6, ns: 5n })
  call(app, 'arm_hash', { key: 1, ns: 50n })
  machine.runUntilIdle()
  expect(app.maps.array?.get(6)).toMatchObject({ count: 1n })
  expect(app.maps.hash?.get(1)).toMatchObject({ count: 1n })
  expect(app.globals.last_key).toBe(1n)
})

it('timers fire in the order of their expiries, whatever the order of arming and the CPU', async () => {
  const { app, machine } = await load({ cpus: 3 })
  const delays = [70, 20, 50, 10, 60, 30]
  for (const [key, delay] of delays.entries()) call(app, 'arm_array', { key, ns: us(delay) }, key % 3)
  machine.runUntilIdle()
  const order = (app.globals.order as number[]).slice(0, 6)
  expect(order.map((key) => delays[key])).toEqual([10, 20, 30, 50, 60, 70])
})

it('a timer sees the time of its expiry or later, never earlier', async () => {
  const { app, machine } = await load()
  const armedAt = machine.nowNs
  call(app, 'arm_array', { ns: ms(10) })
  machine.advance(ms(500))
  const last = (app.maps.array?.get(0) as { last: { at: bigint } } | undefined)?.last ?? { at: 0n }
  expect(last.at).toBeGreaterThanOrEqual(armedAt + ms(10))
  expect(last.at).toBeLessThan(armedAt + ms(11))
})

it('4.5 cancel says whether it was armed, and drops the callback', async () => {
  const { app, machine } = await load()
  call(app, 'arm_array', { ns: 100n })
  expect([call(app, 'cancel_array'), call(app, 'cancel_array')]).toEqual([1, 0])
  expect(call(app, 'start_array')).toBe(EINVAL)
  expect([call(app, 'set_array'), call(app, 'start_array', { ns: 5n })]).toEqual([0, 0])
  machine.runUntilIdle()
  expect(app.globals.fired).toBe(1n)
})

it('4.5 cancelling itself is a deadlock that changes nothing: it can start again', async () => {
  const { app, machine, results } = await load()
  call(app, 'arm_cancel_self', { ns: 5n })
  machine.step()
  machine.advance(100)
  expect(results().slice(0, 2)).toEqual([EDEADLK, 0])
  expect(app.globals.fired).toBeGreaterThan(1n)
})

it('4.7 a callback that deletes its element: everything through the old value fails', async () => {
  const { app, machine, results } = await load()
  call(app, 'arm_delete_self', { key: 1, ns: 5n })
  machine.runUntilIdle()
  expect(results().slice(0, 4)).toEqual([0, EINVAL, EINVAL, EINVAL])
  expect(app.maps.hash?.has(1)).toBe(false)
})

it('4.7 a timer may arm itself again', async () => {
  const { app, machine } = await load()
  app.globals.rearm = 5n
  call(app, 'arm_again', { ns: 1000n })
  machine.runUntilIdle()
  expect(app.globals.fired).toBe(6n)
})

it.each([
  ['array', 'an update', 'set'],
  ['hash', 'an update', 'set'],
  ['hash', 'a delete', 'delete'],
  ['array', 'closing the map', 'close'],
] as const)('1.9 %s: %s cancels an armed timer', async (map, _what, act) => {
  const { app, machine } = await load()
  call(app, `arm_${map}`, { key: 1, ns: 5n })
  if (act === 'set') app.maps[map]?.set(1, {})
  else if (act === 'delete') app.maps[map]?.delete(1)
  else app.maps[map]?.close()
  expect(machine.pending).toEqual([])
  machine.advance(ms(1))
  expect(app.globals.fired).toBe(0n)
})

it('1.18 a timer hands over to a workqueue', async () => {
  const { app, machine, results } = await load()
  call(app, 'arm_handover', { ns: ms(1) })
  expect(machine.inspect('array', 0)).toMatchObject({ timer: { state: 'pending' }, work: { state: 'empty' } })
  machine.advance(ms(1))
  expect(results().slice(0, 3)).toEqual([0, 0, 0])
  expect(app.globals).toMatchObject({ fired: 1n, worked: 1n })
  expect(machine.timeline.map(({ event, kind, from }) => [event, kind, from])).toEqual([
    ['start', 'timer', 'arm_handover'],
    ['begin', 'timer', undefined],
    ['start', 'wq', 'handover'],
    ['end', 'timer', undefined],
    ['begin', 'wq', undefined],
    ['end', 'wq', undefined],
  ])
})
