/** wq-semantics 4a, each fact under its number. */
import { expect, it } from 'vitest'
import { allKinds, VALUE, world } from '../../test/support/runtime.js'
import {
  ASYNC,
  armed,
  clockNs,
  isReleased,
  MACHINE,
  MACHINE_AT,
  NEVER,
  objectIn,
  readObject,
  TASK,
  taskKinds,
  waitFor,
} from './index.js'

const [EPERM, EBUSY, EINVAL, EDEADLK] = [-1, -16, -22, -35]

/** A machine, a map, the address of a value and its timer's cell, and cancel by a task. */
function bench(kind: (typeof allKinds)[number] = 'HASH') {
  const w = world()
  const map = w.map(kind)
  const v = w.value(map, 1)
  const cell = v + VALUE.timer
  return {
    w,
    map,
    v,
    cell,
    init: (clock = 1) => w.calls.timerInit(cell, map, clock),
    bind: (func = w.callback) => w.calls.timerSetCallback(cell, func, w.prog),
    cancel: (task = w.task(0), at = cell) => w.calls.timerCancel(task, at),
    timer: () => objectIn(w.runtime, map, v, 'timer'),
  }
}

it('4.1 init takes clocks 0, 1 and 7 only; a second init is -EBUSY, without user reference -EPERM', () => {
  for (const clock of [2, 3, 8, 9, 11, 16, -1]) expect(bench().init(clock)).toBe(EINVAL)
  for (const clock of [0, 1, 7]) expect(bench().init(clock)).toBe(0)
  const b = bench()
  b.init()
  expect([b.init(), b.init(2)]).toEqual([EBUSY, EINVAL])
  const lost = bench()
  lost.w.calls.mapGet(lost.map)
  lost.w.calls.mapUserPut(lost.map)
  expect(lost.init()).toBe(EPERM)
})

it.each(allKinds)('4.2 before init all is -EINVAL; without callback start is -EINVAL and cancel 0 (%s)', (kind) => {
  const b = bench(kind)
  expect([b.w.arm(b.v, 1n), b.cancel(), b.bind()]).toEqual([EINVAL, EINVAL, EINVAL])
  expect([b.init(), b.w.arm(b.v, 1n), b.cancel()]).toEqual([0, EINVAL, 0])
})

it('4.3 start takes flags 0 to 3', () => {
  const b = bench()
  b.init()
  b.bind()
  expect([0, 1, 2, 3, 4, 8, -1].map((flags) => b.w.arm(b.v, 5n, flags))).toEqual([0, 0, 0, 0, EINVAL, EINVAL, EINVAL])
})

it('4.3 fires once, when its time has come and not before', () => {
  const b = bench()
  expect(b.w.launchTimer(b.map, b.v, 1000n)).toEqual([0, 0, 0])
  const { expiryNs = 0n } = b.timer() ?? {}
  b.w.calls.clockAdvanceTo(expiryNs - 1n)
  expect(b.w.fire()).toEqual([])
  b.w.calls.clockAdvanceTo(expiryNs)
  expect(b.w.fire()).toEqual([b.w.callback])
  b.w.calls.clockAdvanceTo(expiryNs + 10_000n)
  expect(b.w.fire()).toEqual([])
})

it('4.3 start on an armed timer replaces the expiry, earlier and later; the old one never fires', () => {
  const b = bench()
  b.w.launchTimer(b.map, b.v, 1000n)
  b.w.arm(b.v, 5000n)
  expect(armed(b.w.runtime, 0)).toHaveLength(1)
  b.w.calls.clockAdvanceTo(4000n)
  expect(b.w.fire()).toEqual([])
  b.w.arm(b.v, 1n)
  b.w.calls.clockAdvanceTo(4100n)
  expect(b.w.fire()).toHaveLength(1)
  b.w.calls.clockAdvanceTo(10_000n)
  expect(b.w.fire()).toEqual([])
})

it('4.3 an absolute time in the past fires at once; one in the future is that time', () => {
  const b = bench()
  b.w.calls.clockAdvanceTo(500n)
  b.w.launchTimer(b.map, b.v, 0n)
  b.w.arm(b.v, 400n, 1)
  expect(b.w.fire()).toHaveLength(1)
  b.w.arm(b.v, 12_345n, 1)
  expect(b.timer()?.expiryNs).toBe(12_345n)
})

it('4.3 times from 2^63 on, relative or absolute, and sums beyond it, are never; the result is 0', () => {
  const b = bench()
  b.w.launchTimer(b.map, b.v, 0n)
  for (const ns of [1n << 63n, (1n << 64n) - 1n, (1n << 63n) - 1n]) {
    expect(b.w.arm(b.v, BigInt.asIntN(64, ns))).toBe(0)
    expect(b.timer()?.expiryNs).toBe(NEVER)
  }
  for (const ns of [1n << 63n, (1n << 64n) - 1n]) expect(b.w.arm(b.v, BigInt.asIntN(64, ns), 1)).toBe(0)
  expect(b.timer()?.expiryNs).toBe(NEVER)
  b.w.calls.clockAdvanceTo(1n << 62n)
  expect(b.w.fire()).toEqual([])
})

it('4.3 CPU_PIN fires on the arming CPU; without it too (defined by us)', () => {
  for (const flags of [0, 2]) {
    const b = bench()
    b.w.launchTimer(b.map, b.v, 0n)
    b.w.arm(b.v, 1n, flags, 1)
    b.w.calls.clockAdvanceTo(100n)
    expect([b.w.fire(0), b.w.fire(1)]).toEqual([[], [b.w.callback]])
  }
})

it('4.5 cancel gives 1 if armed and 0 if not, and drops callback and program: start is -EINVAL until set_callback', () => {
  const b = bench()
  b.w.launchTimer(b.map, b.v, 10n)
  b.w.calls.progPut(b.w.prog)
  expect(b.cancel()).toBe(1)
  expect(isReleased(b.w.runtime, b.w.prog)).toBe(true)
  expect([b.cancel(), b.w.arm(b.v, 1n)]).toEqual([0, EINVAL])
  b.w.calls.clockAdvanceTo(100n)
  expect(b.w.fire()).toEqual([])
})

it('4.5 cancel waits for a callback on another CPU, and then gives 0', () => {
  const b = bench()
  b.w.launchTimer(b.map, b.v, 0n, 1)
  b.w.calls.clockAdvanceTo(100n)
  const object = b.w.calls.timerPick(1)
  const task = b.w.task(0)
  expect(b.w.shim(task, 'bpf_timer_cancel', b.cell)).toBe(1)
  expect(b.w.again(task, 'bpf_timer_cancel')).toBe(1)
  b.w.calls.timerFinish(object)
  expect(b.w.again(task, 'bpf_timer_cancel')).toBe(0)
  expect(b.w.r0(task)).toBe(0n)
  expect(b.w.arm(b.v, 1n)).toBe(EINVAL)
})

it('4.5 a timer that its callback armed again while somebody waited is cancelled: 1', () => {
  const b = bench()
  b.w.launchTimer(b.map, b.v, 0n, 1)
  b.w.calls.clockAdvanceTo(100n)
  const object = b.w.calls.timerPick(1)
  const task = b.w.task(0)
  b.w.shim(task, 'bpf_timer_cancel', b.cell)
  expect([b.bind(), b.w.arm(b.v, 1n, 0, 1)]).toEqual([0, 0])
  b.w.calls.timerFinish(object)
  expect(b.w.again(task, 'bpf_timer_cancel')).toBe(0)
  expect(b.w.r0(task)).toBe(1n)
  expect(armed(b.w.runtime, 1)).toEqual([])
})

it('4.5 the wait survives the end of the element', () => {
  const b = bench()
  b.w.launchTimer(b.map, b.v, 0n, 1)
  b.w.calls.clockAdvanceTo(100n)
  const object = b.w.calls.timerPick(1)
  const task = b.w.task(0)
  b.w.shim(task, 'bpf_timer_cancel', b.cell)
  b.w.remove(b.map, 1)
  b.w.calls.timerFinish(object)
  expect(b.w.again(task, 'bpf_timer_cancel')).toBe(0)
  expect(b.w.r0(task)).toBe(0n)
})

it('4.5 a task that is given up while it waits leaves no trace in the timer', () => {
  const b = bench()
  const twin = b.w.value(b.map, 2)
  b.w.launchTimer(b.map, b.v, 0n, 0)
  b.w.launchTimer(b.map, twin, 0n, 1)
  b.w.calls.clockAdvanceTo(100n)
  const [one, two] = [b.w.calls.timerPick(0), b.w.calls.timerPick(1)]
  const task = b.w.task(0, taskKinds.softirq)
  expect(b.w.shim(task, 'bpf_timer_cancel', twin + VALUE.timer)).toBe(1)
  expect(b.w.runtime.load32(two + ASYNC.cancelling)).toBe(1)
  b.w.calls.taskFree(task)
  expect(b.w.runtime.load32(two + ASYNC.cancelling)).toBe(0)
  b.w.calls.timerFinish(one)
  b.w.calls.timerFinish(two)
  b.w.calls.mapUserPut(b.map)
  expect(b.w.runtime.load32(MACHINE_AT + MACHINE.asyncCount)).toBe(0)
})

it('4.5 cancel from the own callback is -EDEADLK and drops nothing', () => {
  const b = bench()
  b.w.launchTimer(b.map, b.v, 0n)
  b.w.calls.clockAdvanceTo(100n)
  const object = b.w.calls.timerPick(0)
  expect(b.cancel(b.w.task(0, taskKinds.softirq))).toBe(EDEADLK)
  expect(b.w.arm(b.v, 1n)).toBe(0)
  b.w.calls.timerFinish(object)
  b.w.calls.clockAdvanceTo(1000n)
  expect(b.w.fire()).toHaveLength(1)
})

it('4.5 two callbacks that cancel each other do not lock up: the second gets -EDEADLK', () => {
  const b = bench()
  const twin = b.w.value(b.map, 2)
  b.w.launchTimer(b.map, b.v, 0n, 0)
  b.w.launchTimer(b.map, twin, 0n, 1)
  b.w.calls.clockAdvanceTo(100n)
  const [one, two] = [b.w.calls.timerPick(0), b.w.calls.timerPick(1)]
  const [here, there] = [b.w.task(0, taskKinds.softirq), b.w.task(1, taskKinds.softirq)]
  expect(b.w.shim(here, 'bpf_timer_cancel', twin + VALUE.timer)).toBe(1)
  expect(b.cancel(there)).toBe(EDEADLK)
  b.w.calls.timerFinish(two)
  expect(b.w.again(here, 'bpf_timer_cancel')).toBe(0)
  expect(b.w.r0(here)).toBe(0n)
  expect(b.w.runtime.load32(two + ASYNC.cancelling)).toBe(0)
  b.w.calls.timerFinish(one)
})

it('4.7 a callback that deletes its element: delete 0, then start, cancel and set_callback are -EINVAL', () => {
  const b = bench()
  b.w.launchTimer(b.map, b.v, 0n)
  b.w.calls.clockAdvanceTo(100n)
  const object = b.w.calls.timerPick(0)
  const task = b.w.task(0, taskKinds.softirq)
  const key = task + TASK.key
  b.w.runtime.store32(key, 1)
  expect(b.w.shim(task, 'bpf_map_delete_elem', b.map, key)).toBe(0)
  expect(b.w.r0(task)).toBe(0n)
  expect([b.w.arm(b.v, 1n), b.cancel(task), b.bind()]).toEqual([EINVAL, EINVAL, EINVAL])
  b.w.calls.timerFinish(object)
  expect(b.w.fire()).toEqual([])
})

it('4.7 a callback may arm its timer again', () => {
  const b = bench()
  b.w.launchTimer(b.map, b.v, 0n)
  let runs = 0
  for (let time = 100n; time < 1000n; time += 100n) {
    b.w.calls.clockAdvanceTo(time)
    const object = b.w.calls.timerPick(0)
    if (object === 0) break
    if (runs++ < 5) b.w.arm(b.v, 1n)
    expect(readObject(b.w.runtime, object).state).toBe(runs < 6 ? 'running+pending' : 'running')
    b.w.calls.timerFinish(object)
  }
  expect(runs).toBe(6)
})

it('4.7 armed again during its run it stays on the CPU where it runs', () => {
  const b = bench()
  b.w.launchTimer(b.map, b.v, 0n, 0)
  b.w.calls.clockAdvanceTo(100n)
  const object = b.w.calls.timerPick(0)
  b.w.arm(b.v, 1n, 0, 1)
  b.w.calls.timerFinish(object)
  expect(armed(b.w.runtime, 0)).toHaveLength(1)
  expect(armed(b.w.runtime, 1)).toHaveLength(0)
})

it('4.8 a program that deletes or updates an element whose timer runs on another CPU waits; the effect is at once', () => {
  for (const name of ['bpf_map_delete_elem', 'bpf_map_update_elem'] as const) {
    const b = bench()
    b.w.launchTimer(b.map, b.v, 0n, 1)
    b.w.calls.clockAdvanceTo(100n)
    const object = b.w.calls.timerPick(1)
    const task = b.w.task(0)
    b.w.runtime.store32(task + TASK.key, 1)
    expect(b.w.shim(task, name, b.map, task + TASK.key, b.v, 0)).toBe(1)
    expect(readObject(b.w.runtime, object).dead).toBe(true)
    expect(b.w.again(task, name)).toBe(1)
    b.w.calls.timerFinish(object)
    expect(b.w.again(task, name)).toBe(0)
    expect(b.w.r0(task)).toBe(0n)
  }
})

it('4.8 user space learns whom to wait for; a running wq is never waited for (1.11)', () => {
  const b = bench()
  b.w.launchTimer(b.map, b.v, 0n, 1)
  b.w.launch(b.map, b.v)
  const item = b.w.pick()
  b.w.calls.clockAdvanceTo(100n)
  const object = b.w.calls.timerPick(1)
  b.w.put(b.map, 1)
  expect(waitFor(b.w.runtime)).toEqual([1])
  b.w.put(b.map, 1)
  expect(waitFor(b.w.runtime)).toEqual([])
  b.w.calls.timerFinish(object)
  b.w.calls.wqFinish(item)
})

it('4.8 closing a map names every CPU on which one of its timers runs', () => {
  const b = bench()
  b.w.launchTimer(b.map, b.v, 0n, 0)
  b.w.launchTimer(b.map, b.w.value(b.map, 2), 0n, 1)
  b.w.calls.clockAdvanceTo(100n)
  const objects = [b.w.calls.timerPick(0), b.w.calls.timerPick(1)]
  b.w.calls.mapGet(b.map)
  b.w.calls.mapUserPut(b.map)
  expect(waitFor(b.w.runtime)).toEqual([0, 1])
  for (const object of objects) b.w.calls.timerFinish(object)
  expect(waitFor(b.w.runtime)).toEqual([])
})

it('4.8 a timer callback never waits', () => {
  const b = bench()
  const twin = b.w.value(b.map, 2)
  b.w.launchTimer(b.map, b.v, 0n, 0)
  b.w.launchTimer(b.map, twin, 0n, 1)
  b.w.calls.clockAdvanceTo(100n)
  b.w.calls.timerPick(0)
  b.w.calls.timerPick(1)
  const task = b.w.task(0, taskKinds.softirq)
  b.w.runtime.store32(task + TASK.key, 2)
  expect(b.w.shim(task, 'bpf_map_delete_elem', b.map, task + TASK.key)).toBe(0)
})

it('5.8 timer callbacks of one CPU are serial, those of two are not', () => {
  const b = bench()
  const [second, third] = [b.w.value(b.map, 2), b.w.value(b.map, 3)]
  b.w.launchTimer(b.map, b.v, 0n, 0)
  b.w.launchTimer(b.map, second, 0n, 0)
  b.w.launchTimer(b.map, third, 0n, 1)
  b.w.calls.clockAdvanceTo(100n)
  const first = b.w.calls.timerPick(0)
  expect(b.w.calls.timerPick(0)).toBe(0)
  expect(b.w.calls.timerPick(1)).toBeGreaterThan(0)
  b.w.calls.timerFinish(first)
  expect(b.w.calls.timerPick(0)).toBeGreaterThan(0)
})

it('an absolute time of CLOCK_REALTIME or CLOCK_BOOTTIME is a time of that clock', () => {
  for (const [clock, offset] of [
    [0, MACHINE.realtimeOffset],
    [7, MACHINE.bootOffset],
  ] as const) {
    const b = bench()
    b.w.runtime.store64(MACHINE_AT + offset, 1_000_000n)
    b.init(clock)
    b.bind()
    b.w.arm(b.v, 1_000_500n, 1)
    expect(b.timer()?.expiryNs).toBe(500n)
    b.w.arm(b.v, 999n, 1)
    expect(b.timer()?.expiryNs).toBe(0n)
  }
})

it('reading the clock advances it by 1, moving it back does nothing', () => {
  const { w } = bench()
  const { calls, runtime } = w
  const now = calls.clockRead()
  expect(calls.clockRead()).toBe(now + 1n)
  calls.clockAdvanceTo(now + 50n)
  calls.clockAdvanceTo(now)
  expect(clockNs(runtime)).toBe(now + 50n)
  expect(clockNs(runtime)).toBe(now + 50n)
})
