// Where a bpf_wq may live on Linux 6.18, and what copies do to it; by the facts' numbers, as wq.test.ts.
import { expect, it } from 'vitest'
import { call, object } from '../../test/support/machine.js'
import { Machine } from './index.js'

const EINVAL = -22
const mapNames = ['array', 'hash', 'sparse', 'lru'] as const

/** The object of wq.test.ts, an element in each map. */
async function load() {
  const app = await new Machine().load(object('wq'), { verify: false })
  for (const map of mapNames) if (map !== 'array') for (const key of [0, 1]) app.maps[map]?.set(key, {})
  return app
}

it.each([
  ['percpu_array', 0, 95],
  ['percpu_hash', 0, 95],
  ['lru_percpu_hash', 0, 95],
  ['lpm_trie', 1, 95],
  ['queue', 0, 22],
  ['stack', 0, 22],
  ['array', 1 << 7, 13],
  ['hash', 1 << 8, 13],
] as const)('2.2 a wq in a %s with flags %i: errno %i', async (type, flags, errno) => {
  const spec = object('wq')
  const { array } = spec.maps
  if (array) Object.assign(array, { type, flags })
  await expect(new Machine().load(spec, { verify: false })).rejects.toMatchObject({ errno, operation: 'map_create' })
})

it.each([1 << 3, 1 << 10, 1 << 12])('2.2 an array with flags %i may hold a wq', async (flags) => {
  const spec = object('wq')
  const { array } = spec.maps
  if (array) array.flags = flags
  const app = await new Machine().load(spec, { verify: false })
  expect(call(app, 'arm_array')).toBe(0)
})

it('2.4 a wq as a global variable cannot be loaded: its map cannot be mapped', async () => {
  await expect(new Machine().load(object('global'), { verify: false })).rejects.toMatchObject({ errno: 524 })
})

it('2.7 the bytes of a wq are never copied, in or out', async () => {
  const app = await load()
  for (const map of mapNames) {
    call(app, `arm_${map}`)
    expect(app.maps[map]?.get(0)).toMatchObject({ work: { opaque: 'bpf_wq' } })
    app.maps[map]?.set(1, app.maps[map]?.get(0))
    expect(call(app, `start_${map}`, { key: 1, times: 1 })).toBe(EINVAL)
    expect(call(app, `init_${map}`, { key: 1 })).toBe(0)
  }
  expect(app.maps.hash?.lookupAndDelete(0)).toMatchObject({ work: { opaque: 'bpf_wq' } })
})

it('2.8 array updates: NOEXIST is EEXIST, F_LOCK needs a lock; an LRU map takes no F_LOCK', async () => {
  const app = await load()
  const errno = (map: 'array' | 'lru' | 'hash', flags: number) => {
    try {
      app.maps[map]?.set(0, {}, flags)
      return 0
    } catch (error) {
      return (error as { errno?: number }).errno
    }
  }
  expect([errno('array', 1), errno('array', 4), errno('lru', 4), errno('hash', 4), errno('array', 3)]).toEqual([
    17, 22, 22, 22, 22,
  ])
})
