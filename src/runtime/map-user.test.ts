/** What user space does to maps: errno as observed on Linux 6.18.44, and the copy rules of wq-semantics 2.7 to 2.9. */
import { expect, it } from 'vitest'
import { allKinds, bytes32, type MapKind, VALUE, world } from '../../test/support/runtime.js'
import {
  BLOCKED,
  deleteElement,
  freezeMap,
  nextKey,
  objectIn,
  readElement,
  takeElement,
  writeElement,
} from './index.js'

const [EPERM, ENOENT, E2BIG, EEXIST, EINVAL, ENOTSUPP] = [-1, -2, -7, -17, -22, -524]
const allFlags = [0, 1, 2, 3, 4, 5, 6, 7, 8, 2 ** 32, 2 ** 32 + 1]

/** Results of an update with each of `allFlags`: of a value with a lock, of one without; absent and existing key. */
const updates: Record<string, { lock: boolean; existing: boolean; expected: readonly number[] }> = {
  'hash, lock, absent': {
    lock: true,
    existing: false,
    expected: [0, 0, ENOENT, EINVAL, 0, 0, ENOENT, EINVAL, EINVAL, EINVAL, EINVAL],
  },
  'hash, lock, existing': {
    lock: true,
    existing: true,
    expected: [0, EEXIST, 0, EINVAL, 0, EEXIST, 0, EINVAL, EINVAL, EINVAL, EINVAL],
  },
  'hash, plain, absent': {
    lock: false,
    existing: false,
    expected: [0, 0, ENOENT, EINVAL, EINVAL, EINVAL, EINVAL, EINVAL, EINVAL, EINVAL, EINVAL],
  },
  'hash, plain, existing': {
    lock: false,
    existing: true,
    expected: [0, EEXIST, 0, EINVAL, EINVAL, EINVAL, EINVAL, EINVAL, EINVAL, EINVAL, EINVAL],
  },
}

it.each(Object.entries(updates))('update flags: %s', (_name, { lock, existing, expected }) => {
  const kinds: MapKind[] = lock ? ['HASH', 'HASH|NO_PREALLOC'] : ['HASH', 'HASH|NO_PREALLOC', 'LRU_HASH']
  for (const kind of kinds) {
    const results = allFlags.map((flags) => {
      const w = world()
      const map = w.map(kind, lock ? {} : { special: {} })
      if (existing) w.put(map, 1)
      return w.put(map, 1, 0, flags)
    })
    expect(results, kind).toEqual(expected)
  }
})

it('2.8 update flags of an ARRAY: its elements exist', () => {
  const results = (special: object | undefined): number[] => {
    const w = world()
    const map = w.map('ARRAY', special ? { special } : {})
    return allFlags.map((flags) => w.put(map, 1, 0, flags))
  }
  expect(results(undefined)).toEqual([0, EEXIST, 0, EINVAL, 0, EEXIST, 0, EINVAL, EINVAL, EINVAL, EINVAL])
  const noLock = [0, EEXIST, 0, ...Array<number>(8).fill(EINVAL)]
  expect(results({})).toEqual(noLock)
})

it('keys outside an ARRAY: update -E2BIG, lookup -ENOENT, delete -EINVAL, next key starts anew', () => {
  const w = world()
  const map = w.map('ARRAY', { maxEntries: 2 })
  const next = bytes32(7)
  expect([w.put(map, 2), w.put(map, 2, 0, 1), w.put(map, 2, 0, 2)]).toEqual([E2BIG, E2BIG, E2BIG])
  expect(w.get(map, 2)).toBeUndefined()
  expect([w.remove(map, 0), w.remove(map, 9), w.take(map, 0)]).toEqual([EINVAL, EINVAL, ENOTSUPP])
  expect([nextKey(w.runtime, map, bytes32(9), next), ...next]).toEqual([0, 0, 0, 0, 0])
  expect([nextKey(w.runtime, map, bytes32(0), next), ...next]).toEqual([0, 1, 0, 0, 0])
  expect(nextKey(w.runtime, map, bytes32(1), next)).toBe(ENOENT)
})

it('lookup takes BPF_F_LOCK only, and only with a lock in the value', () => {
  const w = world()
  const out = new Uint8Array(VALUE.size)
  const results = (special: object | undefined): number[] => {
    const map = w.map('HASH', special ? { special } : {})
    w.put(map, 1)
    return [0, 1, 2, 4, 8, 2 ** 32].map((flags) => readElement(w.runtime, map, bytes32(1), out, flags))
  }
  expect(results(undefined)).toEqual([0, EINVAL, EINVAL, 0, EINVAL, EINVAL])
  expect(results({})).toEqual([0, EINVAL, EINVAL, EINVAL, EINVAL, EINVAL])
})

it('BPF_F_RDONLY and BPF_F_WRONLY bind user space; frozen maps are read-only for it', () => {
  const w = world()
  const out = new Uint8Array(VALUE.size)
  const next = bytes32(0)
  const all = (map: number): number[] => [
    w.put(map, 0),
    readElement(w.runtime, map, bytes32(0), out),
    nextKey(w.runtime, map, undefined, next),
    takeElement(w.runtime, map, bytes32(0), out),
    deleteElement(w.runtime, map, bytes32(0)),
    freezeMap(w.runtime, map),
  ]
  expect(all(w.map('HASH', { flags: 8, special: {} }))).toEqual([EPERM, ENOENT, ENOENT, EPERM, EPERM, EPERM])
  expect(all(w.map('HASH', { flags: 16, special: {} }))).toEqual([0, EPERM, EPERM, EPERM, 0, 0])
  const frozen = w.map('ARRAY', { special: {} })
  expect(freezeMap(w.runtime, frozen)).toBe(0)
  expect(all(frozen)).toEqual([EPERM, 0, 0, EPERM, EPERM, EPERM])
})

it('2.4 a map with special fields cannot be frozen', () => {
  const w = world()
  expect(allKinds.map((kind) => freezeMap(w.runtime, w.map(kind)))).toEqual([ENOTSUPP, ENOTSUPP, ENOTSUPP, ENOTSUPP])
})

it.each(allKinds)('2.7 user space reads special fields of %s as zeros and its bytes for them are ignored', (kind) => {
  const w = world()
  const map = w.map(kind)
  w.put(map, 1, 0xee)
  const value = w.value(map, 1)
  const bytes = [...w.runtime.views.u8.slice(value, value + VALUE.size)]
  const special = (at: number): boolean => at >= VALUE.wq && at < (kind === 'LRU_HASH' ? VALUE.lock : VALUE.tail)
  const expected = bytes.map((_, at) => (special(at) ? 0 : 0xee))
  expect(bytes).toEqual(expected)
  expect(w.launch(map, value)).toEqual([0, 0, 0])
  expect(w.get(map, 1)).toEqual(expected)
  if (kind !== 'LRU_HASH') expect(w.get(map, 1, 4)).toEqual(expected)
  if (kind === 'ARRAY') return
  const out = new Uint8Array(VALUE.size).fill(0xff)
  expect(takeElement(w.runtime, map, bytes32(1), out)).toBe(0)
  expect([...out]).toEqual(expected)
})

it('2.8 BPF_F_LOCK cancels in an ARRAY, not in a HASH where it writes in place', () => {
  const w = world()
  for (const kind of ['ARRAY', 'HASH', 'HASH|NO_PREALLOC'] as const) {
    const map = w.map(kind)
    const value = w.value(map, 1)
    w.launch(map, value)
    expect(w.put(map, 1, 3, 4)).toBe(0)
    expect(w.value(map, 1)).toBe(value)
    expect([w.byte(value), w.start(value), w.init(map, value)]).toEqual(kind === 'ARRAY' ? [3, EINVAL, 0] : [3, 0, -16])
  }
})

it('2.9 an update frees timer and workqueue of the old value together', () => {
  const w = world()
  for (const kind of allKinds) {
    const map = w.map(kind)
    const value = w.value(map, 1)
    w.launch(map, value)
    w.launchTimer(map, value, 5n)
    w.put(map, 1)
    const fields = (['wq', 'timer'] as const).map((field) => objectIn(w.runtime, map, w.value(map, 1), field))
    expect(fields, kind).toEqual([undefined, undefined])
    w.calls.clockAdvanceTo(1000n)
    expect([...w.drain(), ...w.fire()]).toEqual([])
  }
})

it('an operation with BPF_F_LOCK cannot go on while a program holds the lock', () => {
  const w = world()
  for (const kind of ['ARRAY', 'HASH'] as const) {
    const map = w.map(kind)
    const value = w.value(map, 1)
    const out = new Uint8Array(VALUE.size)
    expect(w.calls.spinTryLock(value + VALUE.lock)).toBe(1)
    expect(w.put(map, 1, 8, 4)).toBe(BLOCKED)
    expect(readElement(w.runtime, map, bytes32(1), out, 4)).toBe(BLOCKED)
    expect(writeElement(w.runtime, map, bytes32(2), out, 4)).toBe(0)
    w.calls.spinRelease(value + VALUE.lock)
    expect(w.put(map, 1, 8, 4)).toBe(0)
    expect(w.byte(value)).toBe(8)
    expect(w.runtime.load32(value + VALUE.lock)).toBe(0)
  }
})
