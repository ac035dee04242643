/** wq-semantics 0 and 1, each fact under its number. Linux's [6.18] observations are the expected values. */
import { expect, it } from 'vitest'
import { allKinds, hashKinds, VALUE, world } from '../../test/support/runtime.js'
import { ELEM, isReleased, MACHINE, MACHINE_AT, MAP, objectIn, PROG, queued, readObject, TASK } from './index.js'

const [EPERM, ENOENT, ENOMEM, EBUSY, EINVAL] = [-1, -2, -12, -16, -22]

it.each(allKinds)('1.1 gives the same return codes, in the same order of checks, for %s', (kind) => {
  const w = world()
  const map = w.map(kind)
  const v = w.value(map, 1)
  expect(w.start(v)).toBe(EINVAL)
  expect(w.bind(v)).toBe(EINVAL)
  expect(w.init(map, v, 1)).toBe(EINVAL)
  expect(w.init(map, v)).toBe(0)
  expect(w.init(map, v, 1)).toBe(EINVAL)
  expect(w.init(map, v)).toBe(EBUSY)
  expect(w.start(v)).toBe(EINVAL)
  expect(w.bind(v, w.callback, w.prog, 1)).toBe(EINVAL)
  expect(w.bind(v)).toBe(0)
  expect(w.start(v, 0, 1)).toBe(EINVAL)
  expect(w.start(v)).toBe(0)
})

it('0.1 an empty cell is zero bytes, an occupied one uses its first word only', () => {
  const w = world()
  const map = w.map('ARRAY')
  const v = w.value(map, 0)
  const cell = (): number[] => [0, 4, 8, 12].map((offset) => w.runtime.load32(v + VALUE.wq + offset))
  expect(cell()).toEqual([0, 0, 0, 0])
  w.init(map, v)
  expect(cell()).toEqual([objectIn(w.runtime, map, v, 'wq')?.address, 0, 0, 0])
})

it('0.3 walks IDLE, PENDING, RUNNING, RUNNING+PENDING; 1.2 start gives 0 in all of them', () => {
  const w = world()
  const map = w.map('HASH')
  const v = w.value(map, 1)
  const state = () => objectIn(w.runtime, map, v, 'wq')?.state
  w.init(map, v)
  w.bind(v)
  expect(state()).toBe('idle')
  expect(w.start(v)).toBe(0)
  expect(state()).toBe('pending')
  expect(w.start(v)).toBe(0)
  const object = w.pick()
  expect(state()).toBe('running')
  expect(w.start(v)).toBe(0)
  expect(state()).toBe('running+pending')
  expect(w.start(v)).toBe(0)
  w.calls.wqFinish(object)
  expect(state()).toBe('pending')
  expect(w.drain()).toEqual([w.callback])
  expect(state()).toBe('idle')
})

it('1.3 coalesces: 1000 starts of an idle item are one callback', () => {
  const w = world()
  const map = w.map('ARRAY')
  const v = w.value(map, 0)
  w.launch(map, v)
  for (let i = 1; i < 1000; i++) expect(w.start(v)).toBe(0)
  expect(w.drain()).toHaveLength(1)
  expect(objectIn(w.runtime, map, v, 'wq')).toMatchObject({ starts: 1000, runs: 1 })
})

it('1.3 1000 starts from CPU 1 during the run on CPU 0 are one more callback, again on CPU 0', () => {
  const w = world()
  const map = w.map('ARRAY')
  const v = w.value(map, 0)
  w.launch(map, v, 0)
  const object = w.pick(0)
  for (let i = 0; i < 1000; i++) expect(w.start(v, 1)).toBe(0)
  w.calls.wqFinish(object)
  expect(w.drain(1)).toHaveLength(0)
  expect(w.drain(0)).toHaveLength(1)
})

it('1.4 set_callback is sticky, and the callback is read when the worker picks the item', () => {
  const w = world()
  const map = w.map('ARRAY')
  const v = w.value(map, 0)
  w.launch(map, v)
  expect(w.drain()).toEqual([w.callback])
  w.start(v)
  expect(w.drain()).toEqual([w.callback])
  w.start(v)
  w.bind(v, w.second)
  expect(w.drain()).toEqual([w.second])
  w.start(v)
  const object = w.pick()
  w.bind(v, w.callback)
  expect(w.runs(object)).toBe(w.second)
  w.calls.wqFinish(object)
})

it('1.5 the object holds one reference on the program that set its callback; another program takes it over', () => {
  const w = world()
  const map = w.map('HASH')
  const v = w.value(map, 1)
  const refs = (prog: number): number => w.runtime.load32(prog + PROG.refs)
  w.init(map, v)
  expect(refs(w.prog)).toBe(1)
  w.bind(v)
  w.bind(v, w.second)
  expect(refs(w.prog)).toBe(2)
  w.calls.progPut(w.prog)
  expect(isReleased(w.runtime, w.prog)).toBe(false)
  w.bind(v, w.foreign, w.other)
  expect(isReleased(w.runtime, w.prog)).toBe(true)
  expect(w.runtime.load32(w.prog + PROG.id)).toBe(0)
  expect(refs(w.other)).toBe(2)
})

it('1.6 the callback runs in the program that set it, whoever initialised and started the item', () => {
  const w = world()
  const map = w.map('ARRAY')
  const v = w.value(map, 0)
  w.init(map, v)
  w.bind(v, w.foreign, w.other)
  w.start(v)
  const object = w.pick()
  const task = w.task()
  w.calls.taskCallback(task, object)
  expect(w.runtime.load32(task + TASK.prog)).toBe(w.other)
  expect(w.runs(object)).toBe(w.foreign)
})

it('1.7 closing the last descriptor of a program stops nothing; overwriting the element releases it', () => {
  const w = world()
  const map = w.map('HASH')
  const v = w.value(map, 1)
  w.launch(map, v)
  w.calls.progPut(w.prog)
  expect(isReleased(w.runtime, w.prog)).toBe(false)
  expect(w.drain()).toEqual([w.callback])
  w.start(v)
  expect(w.drain()).toEqual([w.callback])
  w.put(map, 1)
  expect(isReleased(w.runtime, w.prog)).toBe(true)
})

/** Everything that cancels and frees the item of key 1, by kind of map. */
const triggers: Record<string, (w: ReturnType<typeof world>, map: number) => unknown> = {
  'delete by user space': (w, map) => w.remove(map, 1),
  'delete by a program': (w, map) => {
    w.runtime.store32(w.value(map, 3), 0)
    const key = w.calls.allocZeroed(8)
    w.runtime.store32(key, 1)
    return w.calls.mapDelete(map, key)
  },
  lookup_and_delete: (w, map) => w.take(map, 1),
  'update BPF_ANY': (w, map) => w.put(map, 1),
  'update BPF_EXIST': (w, map) => w.put(map, 1, 0, 2),
  'the last user reference': (w, map) => {
    w.calls.mapGet(map)
    w.calls.mapUserPut(map)
  },
  'freeing the map': (w, map) => w.calls.mapUserPut(map),
}
const deletes = /delete/
const cases = allKinds.flatMap((kind) =>
  Object.keys(triggers).flatMap((name) => (kind === 'ARRAY' && deletes.test(name) ? [] : [[name, kind] as const])),
)

it.each(cases)('1.9 1.10 %s of %s: a pending callback never runs, the program goes', (name, kind) => {
  const w = world()
  const map = w.map(kind)
  expect(w.launch(map, w.value(map, 1))).toEqual([0, 0, 0])
  w.calls.progPut(w.prog)
  const before = w.runtime.load32(MACHINE_AT + MACHINE.asyncCount)
  triggers[name]?.(w, map)
  expect(queued(w.runtime, 0)).toEqual([])
  expect(w.drain()).toEqual([])
  expect(isReleased(w.runtime, w.prog)).toBe(true)
  expect(w.runtime.load32(MACHINE_AT + MACHINE.asyncCount)).toBe(before - 1)
})

it.each(allKinds)('1.10 after an update of %s start gives -EINVAL and init 0', (kind) => {
  const w = world()
  const map = w.map(kind)
  w.launch(map, w.value(map, 1))
  w.put(map, 1)
  const v = w.value(map, 1)
  expect(w.start(v)).toBe(EINVAL)
  expect(w.launch(map, v)).toEqual([0, 0, 0])
  expect(w.drain()).toHaveLength(1)
})

it('1.9 eviction from an LRU_HASH cancels the pending item of the victim', () => {
  const w = world()
  const map = w.map('LRU_HASH', { maxEntries: 2 })
  w.launch(map, w.value(map, 1))
  w.put(map, 2)
  w.put(map, 3)
  expect(w.get(map, 1)).toBeUndefined()
  expect(w.drain()).toEqual([])
})

it('1.9 is not triggered by a failed update, an array delete, a lookup, or a HASH update with BPF_F_LOCK', () => {
  const w = world()
  for (const kind of allKinds) {
    const map = w.map(kind)
    w.launch(map, w.value(map, 1))
    expect(w.put(map, 1, 0, 1)).toBe(-17)
    w.get(map, 1)
    if (kind === 'ARRAY') expect(w.remove(map, 1)).toBe(EINVAL)
    if (kind.startsWith('HASH')) expect(w.put(map, 1, 9, 4)).toBe(0)
    expect(w.drain(), kind).toEqual([w.callback])
  }
})

it.each(allKinds)('1.11 update of a running element of %s returns at once and the callback goes on', (kind) => {
  const w = world()
  const map = w.map(kind)
  const v = w.value(map, 1)
  w.launch(map, v)
  const object = w.pick()
  w.put(map, 1, 5)
  expect(readObject(w.runtime, object)).toMatchObject({ state: 'running', dead: true, runningFunc: w.callback })
  w.runtime.store32(v, 77)
  w.calls.wqFinish(object)
  expect(w.byte(w.value(map, 1))).toBe(kind === 'ARRAY' ? 77 : 5)
  expect(w.drain()).toEqual([])
})

it('1.12 a callback that starts itself runs again: five restarts are six runs', () => {
  const w = world()
  const map = w.map('HASH')
  const v = w.value(map, 1)
  w.launch(map, v)
  let runs = 0
  for (let object = w.pick(); object; object = w.pick()) {
    if (runs++ < 5) expect(w.start(v)).toBe(0)
    w.calls.wqFinish(object)
  }
  expect(runs).toBe(6)
})

it('1.12 a callback may set another callback and start; its own init is -EBUSY', () => {
  const w = world()
  const map = w.map('HASH')
  const v = w.value(map, 1)
  w.launch(map, v)
  const object = w.pick()
  expect(w.init(map, v)).toBe(EBUSY)
  expect([w.bind(v, w.second), w.start(v)]).toEqual([0, 0])
  w.calls.wqFinish(object)
  expect(w.drain()).toEqual([w.second])
})

it.each(hashKinds)(
  '1.12 a callback that deletes its element of %s: the stale pointer gives -EINVAL, but init 0',
  (kind) => {
    const w = world()
    const map = w.map(kind)
    const v = w.value(map, 1)
    w.launch(map, v)
    const object = w.pick()
    expect(w.remove(map, 1)).toBe(0)
    expect(w.get(map, 1)).toBeUndefined()
    expect([w.start(v), w.bind(v)]).toEqual([EINVAL, EINVAL])
    expect([w.init(map, v), w.bind(v), w.start(v)]).toEqual([0, 0, 0])
    w.calls.wqFinish(object)
    expect(w.drain()).toEqual([w.callback])
  },
)

it('1.12 the next key in a preallocated HASH that gets the memory finds its wq busy', () => {
  const w = world()
  const map = w.map('HASH')
  const v = w.value(map, 1)
  w.launch(map, v)
  w.remove(map, 1)
  expect(w.init(map, v)).toBe(0)
  expect(w.value(map, 2)).toBe(v)
  expect(w.init(map, v)).toBe(EBUSY)
})

it('1.12 with NO_PREALLOC insertion clears the cell, and what it held is cancelled (defined by us)', () => {
  const w = world()
  const map = w.map('HASH|NO_PREALLOC')
  const v = w.value(map, 1)
  w.remove(map, 1)
  expect(w.launch(map, v)).toEqual([0, 0, 0])
  expect(w.value(map, 2)).toBe(v)
  expect(w.drain()).toEqual([])
  expect(w.init(map, v)).toBe(0)
})

it('1.12 an update of the own key: the old pointer shows new bytes in an ARRAY, old bytes in a HASH', () => {
  const w = world()
  for (const kind of allKinds) {
    const map = w.map(kind)
    w.put(map, 1, 1)
    const v = w.value(map, 1)
    w.launch(map, v)
    const object = w.pick()
    w.put(map, 1, 2)
    expect(w.start(v)).toBe(EINVAL)
    expect(w.byte(v), kind).toBe(kind === 'ARRAY' ? 2 : 1)
    w.calls.wqFinish(object)
  }
})

it.each(allKinds)('1.13 the callback gets map, key and value of %s', (kind) => {
  const w = world()
  const map = w.map(kind)
  const v = w.value(map, 3)
  w.launch(map, v)
  const task = w.task()
  w.calls.taskCallback(task, w.pick())
  const [r1, r2, r3] = [1, 2, 3].map((n) => Number(w.runtime.load64(task + TASK.regs + 8 * n)))
  expect([r1, r3]).toEqual([map, v])
  expect(w.runtime.load32(r2 ?? 0)).toBe(3)
  if (kind === 'ARRAY') expect(r2).toBe(task + TASK.key)
  else expect(r2).toBe(v - 8)
  expect(w.runtime.load32(map + MAP.valueOffset)).toBe(kind === 'ARRAY' ? 0 : ELEM.size + 8)
})

it('1.14 without user references init is -EPERM, start and set_callback -EINVAL, whoever else holds the map', () => {
  const w = world()
  const map = w.map('HASH')
  const [v, fresh] = [w.value(map, 1), w.value(map, 2)]
  w.calls.mapGet(map)
  w.launch(map, v)
  w.calls.mapUserPut(map)
  expect([w.start(v), w.bind(v), w.init(map, v)]).toEqual([EINVAL, EINVAL, EPERM])
  expect(w.init(map, fresh)).toBe(EPERM)
  expect(w.runtime.load32(v + VALUE.wq)).toBe(0)
  w.calls.mapUserGet(map)
  expect(w.launch(map, v)).toEqual([0, 0, 0])
  expect(w.drain()).toHaveLength(1)
})

it('1.14 a pin counts like a descriptor', () => {
  const w = world()
  const map = w.map('ARRAY')
  w.calls.mapGet(map)
  w.calls.mapUserGet(map)
  w.launch(map, w.value(map, 0))
  w.calls.mapUserPut(map)
  expect(w.drain()).toHaveLength(1)
  w.calls.mapUserPut(map)
  expect(w.init(map, w.value(map, 0))).toBe(EPERM)
})

it('1.14 dropping the last user reference breaks the cycle map, program, map', () => {
  const w = world()
  const map = w.map('ARRAY')
  w.calls.mapGet(map)
  w.launch(map, w.value(map, 0))
  w.calls.progPut(w.prog)
  expect(isReleased(w.runtime, w.prog)).toBe(false)
  w.calls.mapUserPut(map)
  expect(isReleased(w.runtime, w.prog)).toBe(true)
  w.calls.mapPut(map)
  expect(w.runtime.load32(MACHINE_AT + MACHINE.maps)).toBe(0)
})

it('1.15 -ENOMEM from init leaves the cell empty; it comes after -EBUSY and before -EPERM', () => {
  const w = world()
  const map = w.map('ARRAY')
  const [v, busy] = [w.value(map, 0), w.value(map, 1)]
  const fail = (times: number): void => w.runtime.store32(MACHINE_AT + MACHINE.failAllocations, times)
  w.init(map, busy)
  fail(2)
  expect([w.init(map, busy), w.init(map, v), w.start(v), w.bind(v)]).toEqual([EBUSY, ENOMEM, EINVAL, EINVAL])
  w.calls.mapGet(map)
  w.calls.mapUserPut(map)
  expect(w.init(map, v)).toBe(ENOMEM)
  expect(w.init(map, v)).toBe(EPERM)
})

it('1.21 a program may be released while its callback runs; its code stays until the callback returns', () => {
  const w = world()
  const map = w.map('ARRAY')
  const v = w.value(map, 0)
  w.launch(map, v)
  const object = w.pick()
  w.calls.progPut(w.prog)
  w.put(map, 0)
  expect(isReleased(w.runtime, w.prog)).toBe(true)
  expect(w.runtime.load32(w.prog + PROG.running)).toBe(1)
  expect(w.init(map, v)).toBe(0)
  expect(w.bind(v)).toBe(ENOENT)
  w.calls.wqFinish(object)
  expect(w.runtime.load32(w.prog + PROG.running)).toBe(0)
})

it('7.1 of two values in one map each has its own item', () => {
  const w = world()
  const map = w.map('HASH')
  w.launch(map, w.value(map, 1))
  w.launch(map, w.value(map, 2))
  w.remove(map, 1)
  expect(w.drain()).toHaveLength(1)
})

it('leaves nothing behind: after the maps are gone no object, no reference and no heap byte is left', () => {
  const w = world()
  const used = w.runtime.load32(MACHINE_AT + MACHINE.heapUsed)
  for (const kind of allKinds) {
    const map = w.map(kind)
    for (const key of [0, 1, 2]) w.launch(map, w.value(map, key))
    const object = w.pick()
    w.put(map, 0)
    w.start(w.value(map, 1))
    w.calls.mapUserPut(map)
    w.calls.wqFinish(object)
  }
  expect(w.runtime.load32(MACHINE_AT + MACHINE.asyncCount)).toBe(0)
  expect(w.runtime.load32(w.prog + PROG.refs)).toBe(1)
  expect(w.runtime.load32(MACHINE_AT + MACHINE.heapUsed)).toBe(used)
})
