/** HASH and LRU_HASH against plain models: errno, contents, order of use, and what happens to memory (8b.1). */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { bytes32, hashKinds, type MapKind, world } from '../../test/support/runtime.js'
import { createMap, createRuntime, MAP, nextKey, readElement, writeElement } from './index.js'

const [ENOENT, E2BIG, EEXIST, EINVAL] = [-2, -7, -17, -22]
const MAX = 6

/** A model of a hash: keys to the byte that fills the value, least recently used first. */
class Model {
  readonly elements = new Map<number, number>()
  readonly lru: boolean
  constructor(lru: boolean) {
    this.lru = lru
  }
  update(key: number, byte: number, flags: number): number {
    const known = this.elements.has(key)
    if (flags > 7 || (flags & 3) === 3 || (this.lru && flags & 4)) return EINVAL
    if (known && flags & 1) return EEXIST
    if (!known && flags & 2) return ENOENT
    if (!known && this.elements.size === MAX) {
      if (!this.lru) return E2BIG
      this.elements.delete([...this.elements.keys()][0] as number)
    }
    this.elements.delete(key)
    this.elements.set(key, byte)
    return 0
  }
  touch(key: number): void {
    const byte = this.elements.get(key)
    if (byte === undefined || !this.lru) return
    this.elements.delete(key)
    this.elements.set(key, byte)
  }
}

const key = fc.nat(9)
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('update' as const),
      key,
      flags: fc.constantFrom(0, 0, 0, 1, 2, 3, 4, 5, 6, 8),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), key }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('take' as const), key }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('lookup' as const), key }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('read' as const), key }) },
)

/** All keys by get_next_key. */
function keysOf(w: ReturnType<typeof world>, map: number): number[] {
  const keys: number[] = []
  const next = bytes32(0)
  for (let last: Uint8Array | undefined; nextKey(w.runtime, map, last, next) === 0; last = next.slice()) {
    keys.push(new Uint32Array(next.slice().buffer)[0] as number)
  }
  return keys
}

it.each(hashKinds)('%s behaves as its model after any sequence of operations', (kind: MapKind) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const w = world()
      const map = w.map(kind, { maxEntries: MAX })
      const lookupKey = w.calls.allocZeroed(8)
      const model = new Model(kind === 'LRU_HASH')
      steps.forEach((action, i) => {
        if (action.kind === 'update') {
          expect(w.put(map, action.key, i, action.flags)).toBe(model.update(action.key, i, action.flags))
        } else if (action.kind === 'delete') {
          expect(w.remove(map, action.key)).toBe(model.elements.delete(action.key) ? 0 : ENOENT)
        } else if (action.kind === 'take') {
          expect(w.take(map, action.key)).toBe(model.elements.delete(action.key) ? 0 : ENOENT)
        } else if (action.kind === 'lookup') {
          w.runtime.store32(lookupKey, action.key)
          const value = w.calls.mapLookup(map, lookupKey)
          expect(value ? w.byte(value) : undefined).toBe(model.elements.get(action.key))
          model.touch(action.key)
        } else {
          expect(w.get(map, action.key)?.[0]).toBe(model.elements.get(action.key))
        }
        expect(keysOf(w, map).sort()).toEqual([...model.elements.keys()].sort())
        expect(w.runtime.load32(map + MAP.count)).toBe(model.elements.size)
      })
      for (const [item, byte] of model.elements) expect(w.get(map, item)?.[0]).toBe(byte)
    }),
    { numRuns: 150 },
  )
})

it('keeps keys of every length apart, and does not look behind them', () => {
  const runtime = createRuntime()
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.uint8Array({ minLength: 40, maxLength: 40 }),
      fc.nat(39),
      (keySize, bytes, at) => {
        const map = createMap(runtime, { type: 'hash', keySize, valueSize: 1, maxEntries: 4 })
        const [one, other] = [bytes.slice(0, keySize), bytes.slice(0, keySize)]
        other[at % keySize] = (other[at % keySize] as number) ^ 0x10
        expect(writeElement(runtime, map, one, new Uint8Array([1]))).toBe(0)
        const out = new Uint8Array(1)
        expect(readElement(runtime, map, other, out)).toBe(ENOENT)
        expect(writeElement(runtime, map, other, new Uint8Array([2]))).toBe(0)
        expect(readElement(runtime, map, one, out)).toBe(0)
        expect(out[0]).toBe(1)
        runtime.calls.mapUserPut(map)
      },
    ),
  )
})

/** Mean number of elements that a lookup of a present key looks at. */
function meanProbes(keys: readonly Uint8Array[], seed: bigint): number {
  const runtime = createRuntime({ seed })
  const keySize = keys[0]?.length ?? 0
  const map = createMap(runtime, { type: 'hash', keySize, valueSize: 8, maxEntries: keys.length })
  for (const item of keys) expect(writeElement(runtime, map, item, new Uint8Array(8))).toBe(0)
  const buckets = runtime.load32(map + MAP.buckets)
  let probes = 0
  for (let i = 0; i <= runtime.load32(map + MAP.bucketMask); i++) {
    let depth = 0
    for (let at = runtime.load32(buckets + 4 * i); at; at = runtime.load32(at)) probes += ++depth
  }
  return probes / keys.length
}

it('spreads keys that differ in any few of their bits: sequential, strided, in their last bytes only, in 4 to 16 bytes', () => {
  const count = 1024
  for (const size of [4, 8, 12, 16]) {
    for (let shift = 0; shift <= 8 * size - 10; shift += 7) {
      const keys = Array.from({ length: count }, (_, i) => {
        const whole = new Uint8Array(16)
        const value = BigInt(i) << BigInt(shift)
        new DataView(whole.buffer).setBigUint64(0, BigInt.asUintN(64, value), true)
        new DataView(whole.buffer).setBigUint64(8, value >> 64n, true)
        return whole.slice(0, size)
      })
      // A perfectly random function gives 1.5 in a full map.
      expect(meanProbes(keys, BigInt(shift)), `${size} bytes, shifted by ${shift}`).toBeLessThan(2.5)
    }
  }
})

it('8b.1 a deleted element is reused at once: a stale pointer reads the next key', () => {
  for (const kind of hashKinds) {
    const w = world()
    const map = w.map(kind)
    const value = w.value(map, 1)
    w.remove(map, 1)
    w.put(map, 2, 9)
    expect(w.byte(value), kind).toBe(9)
  }
})

it('8b.1 updates, deletes and insertions use the same elements in the order in which Linux 6.18 did', () => {
  for (const kind of hashKinds) {
    const w = world()
    const map = w.map(kind)
    const seen: number[] = []
    const place = (item: number, update = true): number => {
      if (update) w.put(map, item)
      const address = w.value(map, item)
      if (!seen.includes(address)) seen.push(address)
      return seen.indexOf(address)
    }
    w.put(map, 1)
    w.put(map, 2)
    const places = [place(1, false), place(2, false), place(1), place(2), place(1), place(2)]
    w.remove(map, 1)
    w.remove(map, 2)
    expect([...places, place(3), place(4)], kind).toEqual([0, 1, 2, 0, 1, 2, 2, 1])
  }
})

it('8b.1 two updates of one key bring the first address back', () => {
  for (const kind of hashKinds) {
    const w = world()
    const map = w.map(kind)
    const first = w.value(map, 1)
    w.put(map, 1)
    expect(w.value(map, 1), kind).not.toBe(first)
    w.put(map, 1)
    expect(w.value(map, 1), kind).toBe(first)
  }
})

it('an existing key can be updated in a full map, on every CPU', () => {
  for (const kind of hashKinds) {
    const w = world()
    const map = w.map(kind, { maxEntries: 2 })
    w.put(map, 1)
    w.put(map, 2)
    const [keyAt, value] = [w.calls.allocZeroed(8), w.calls.allocZeroed(64)]
    w.runtime.store32(keyAt, 1)
    for (const cpu of [0, 1, 0, 1]) expect(w.calls.mapUpdate(map, keyAt, value, 0, cpu)).toBe(0)
    expect(keysOf(w, map).sort()).toEqual([1, 2])
  }
})

it('1.9 LRU_HASH evicts the one least recently used; user lookups are no use (defined by us)', () => {
  const w = world()
  const map = w.map('LRU_HASH', { maxEntries: 3 })
  for (const item of [1, 2, 3]) w.put(map, item)
  const keyAt = w.calls.allocZeroed(8)
  w.runtime.store32(keyAt, 1)
  w.calls.mapLookup(map, keyAt)
  w.get(map, 2)
  w.put(map, 4)
  expect(keysOf(w, map).sort()).toEqual([1, 3, 4])
})

it('8b.3 BPF_F_ZERO_SEED maps iterate in the same order whatever the seed; others do not', () => {
  const order = (seed: bigint, flags: number): string => {
    const w = world({ seed })
    const map = w.map('HASH', { flags, maxEntries: 64 })
    for (let i = 0; i < 40; i++) w.put(map, i)
    return keysOf(w, map).join()
  }
  expect(order(1n, 64)).toBe(order(2n, 64))
  expect(order(1n, 0)).toBe(order(1n, 0))
  expect(order(1n, 0)).not.toBe(order(2n, 0))
})

it('get_next_key of a key that is gone starts from the beginning', () => {
  const w = world()
  const map = w.map('HASH')
  w.put(map, 1)
  w.put(map, 2)
  const next = bytes32(0)
  expect(nextKey(w.runtime, map, bytes32(99), next)).toBe(0)
  expect([...next]).toEqual([...bytes32(keysOf(w, map)[0] as number)])
})

it('gives -ENOMEM, not garbage, when memory is exhausted in the middle of an insertion', () => {
  const runtime = createRuntime({ maxPages: 32 })
  const map = createMap(runtime, { type: 'hash', keySize: 4, valueSize: 60_000, maxEntries: 1000, flags: 1 })
  const value = new Uint8Array(60_000)
  let stored = 0
  let result = 0
  for (; result === 0 && stored < 1000; stored++) result = writeElement(runtime, map, bytes32(stored), value)
  expect(result).toBe(-12)
  expect(stored).toBeGreaterThan(10)
  expect(runtime.load32(map + MAP.count)).toBe(stored - 1)
})
