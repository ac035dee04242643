/** BPF_MAP_CREATE: the expected errno of each row was observed on Linux 6.18.44. */
import { expect, it } from 'vitest'
import { type MapType, mapFlags } from '../uapi/index.js'
import { checkMap, createMap, createRuntime, MACHINE, MACHINE_AT, MAP, type NewMap, RANGE } from './index.js'

const base = { keySize: 4, valueSize: 8, maxEntries: 4 } as const
const three = ['array', 'hash', 'lru_hash'] as const
const [EINVAL, E2BIG, EACCES, EOPNOTSUPP, ENOTSUPP] = [22, 7, 13, 95, 524]

/** What to change, and the errno for array, hash and lru_hash. */
const rows: readonly [Partial<NewMap>, number, number, number][] = [
  [{}, 0, 0, 0],
  [{ keySize: 0 }, EINVAL, EINVAL, EINVAL],
  [{ keySize: 1 }, EINVAL, 0, 0],
  [{ keySize: 8 }, EINVAL, 0, 0],
  [{ keySize: 513 }, EINVAL, 0, 0],
  [{ keySize: 1 << 30 }, EINVAL, E2BIG, E2BIG],
  [{ valueSize: 0 }, EINVAL, EINVAL, EINVAL],
  [{ valueSize: 4194251 }, 0, 0, 0],
  [{ valueSize: 4194252 }, 0, E2BIG, E2BIG],
  [{ valueSize: 0x7fffffff }, 0, E2BIG, E2BIG],
  [{ valueSize: 0x80000000 }, E2BIG, E2BIG, E2BIG],
  [{ maxEntries: 0 }, EINVAL, EINVAL, EINVAL],
  [{ maxEntries: 0x8000001 }, 0, E2BIG, E2BIG],
  [{ maxEntries: 0xffffffff }, 0, E2BIG, E2BIG],
  [{ extra: 1n }, EINVAL, EINVAL, EINVAL],
  [{ flags: 8 | 16 }, EINVAL, EINVAL, EINVAL],
  [{ flags: 0x180 }, EINVAL, EINVAL, EINVAL],
  [{ flags: 0x100000 }, EINVAL, EINVAL, EINVAL],
  [{ flags: 0x41 }, EINVAL, 0, ENOTSUPP],
  [{ flags: 3 }, EINVAL, EINVAL, ENOTSUPP],
  [{ flags: 4, numaNode: 99 }, EINVAL, EINVAL, EINVAL],
  [{ numaNode: 1 }, 0, 0, 0],
]

it.each(rows)('%o: array %i, hash %i, lru_hash %i', (change, ...expected) => {
  expect(three.map((type) => checkMap({ type, ...base, ...change }))).toEqual(expected)
})

/** The flags that 6.18 takes alone, for array, hash and lru_hash; no_prealloc of an LRU is -ENOTSUPP. */
const accepted: Record<(typeof three)[number], readonly number[]> = {
  array: [2, 3, 4, 7, 8, 10, 12],
  hash: [0, 2, 3, 4, 6, 7, 8],
  lru_hash: [1, 2, 3, 4, 6, 7, 8],
}
it.each(three)('takes exactly the flags that Linux takes for %s', (type) => {
  const ok = Array.from({ length: 32 }, (_, bit) => bit).filter(
    (bit) => checkMap({ type, ...base, flags: 1 << bit }) === 0,
  )
  expect(ok).toEqual(accepted[type])
})

it('2.2 special fields: allowed in HASH, ARRAY and LRU_HASH, refused elsewhere and for programs that cannot write', () => {
  const withField = (type: MapType, flags = 0): number[] =>
    [{ wq: 0 }, { timer: 0 }, { taskWork: 0 }].map((special) =>
      checkMap({ type, ...base, valueSize: 64, special, flags }),
    )
  for (const type of three) expect(withField(type)).toEqual([0, 0, 0])
  const refused: MapType[] = [
    'percpu_hash',
    'percpu_array',
    'lru_percpu_hash',
    'lpm_trie',
    'sk_storage',
    'bloom_filter',
  ]
  for (const type of refused) expect(withField(type)).toEqual([EOPNOTSUPP, EOPNOTSUPP, EOPNOTSUPP])
  for (const type of ['queue', 'stack'] as const) expect(withField(type)).toEqual([EINVAL, EINVAL, EINVAL])
  for (const flag of [mapFlags.rdonly_prog, mapFlags.wronly_prog]) {
    expect(withField('hash', flag)).toEqual([EACCES, EACCES, EACCES])
  }
  expect(checkMap({ type: 'array', ...base, maxEntries: 0, special: { wq: 0 }, flags: mapFlags.rdonly_prog })).toBe(
    EINVAL,
  )
})

it('a spin lock may be in HASH and ARRAY, not in LRU_HASH', () => {
  expect(three.map((type) => checkMap({ type, ...base, special: { lock: 0 } }))).toEqual([0, 0, EOPNOTSUPP])
})

it('throws the errno with its operation, and names a type that is not supported yet', () => {
  const runtime = createRuntime()
  expect(() => createMap(runtime, { type: 'hash', ...base, maxEntries: 0 })).toThrow(
    'map_create failed with EINVAL (22)',
  )
  expect(() => createMap(runtime, { type: 'ringbuf', ...base })).toThrow('maps of type ringbuf are not supported yet')
  expect(() => createMap(runtime, { type: 'array', ...base, valueSize: 0x7fffffff })).toThrow('ENOMEM')
})

it('a map that does not fit the memory leaves nothing behind', () => {
  const runtime = createRuntime({ maxPages: 64 })
  const used = runtime.load32(MACHINE_AT + MACHINE.heapUsed)
  expect(() => createMap(runtime, { type: 'hash', ...base, valueSize: 4000, maxEntries: 10_000 })).toThrow('ENOMEM')
  expect(runtime.load32(MACHINE_AT + MACHINE.heapUsed)).toBe(used)
  expect(runtime.load32(MACHINE_AT + MACHINE.maps)).toBe(0)
})

it('2.1 cuts the value into what special fields take (4, 16, 16 and 8 bytes) and what is copied', () => {
  const runtime = createRuntime()
  const special = { wq: 8, timer: 24, lock: 40, taskWork: 48 }
  const map = createMap(runtime, { type: 'array', ...base, valueSize: 60, special })
  const ranges = (at: number, count: number): number[][] =>
    Array.from({ length: runtime.load32(map + count) }, (_, i) => [
      runtime.load32(map + at + i * RANGE.size),
      runtime.load32(map + at + i * RANGE.size + 4),
    ])
  expect(ranges(MAP.special, MAP.specialCount)).toEqual([
    [8, 16],
    [24, 16],
    [40, 4],
    [48, 8],
  ])
  expect(ranges(MAP.copies, MAP.copyCount)).toEqual([
    [0, 8],
    [44, 4],
    [56, 4],
  ])
  expect(() => createMap(runtime, { type: 'array', ...base, valueSize: 20, special: { wq: 8 } })).toThrow(
    'leave the value',
  )
})

it('gives ids 1, 2, ... to maps', () => {
  const runtime = createRuntime()
  const ids = three.map((type) => runtime.load32(createMap(runtime, { type, ...base }) + MAP.id))
  expect(ids).toEqual([1, 2, 3])
})
