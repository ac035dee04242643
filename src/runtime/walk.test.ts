import fc from 'fast-check'
import { expect, it } from 'vitest'
import { allKinds, hashKinds, world } from '../../test/support/runtime.js'

it.each(allKinds)('visits every element of %s once', (kind) => {
  const w = world()
  const map = w.map(kind, { maxEntries: 20 })
  for (let key = 0; key < 20; key++) w.put(map, key, key + 1)
  const cursor = w.calls.allocZeroed(8)
  const seen: number[] = []
  for (let value = w.calls.mapWalk(map, cursor); value; value = w.calls.mapWalk(map, cursor)) seen.push(w.byte(value))
  expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1))
  expect(w.calls.mapWalk(map, cursor)).toBe(0)
})

it.each(hashKinds)('ends, and visits nothing twice that stayed, whatever the callback does to %s', (kind) => {
  const action = fc.record({ op: fc.constantFrom('put', 'remove', 'none'), key: fc.nat(11) })
  fc.assert(
    fc.property(fc.array(action, { minLength: 1, maxLength: 30 }), (actions) => {
      const w = world()
      const map = w.map(kind, { maxEntries: 12 })
      for (let key = 0; key < 12; key++) w.put(map, key, key)
      const touched = new Set(actions.filter(({ op }) => op !== 'none').map(({ key }) => key))
      const cursor = w.calls.allocZeroed(8)
      const seen: number[] = []
      let steps = 0
      for (let value = w.calls.mapWalk(map, cursor); value; value = w.calls.mapWalk(map, cursor)) {
        seen.push(w.byte(value))
        const { op, key } = actions[steps % actions.length] ?? { op: 'none', key: 0 }
        if (op === 'put') w.put(map, key, key)
        if (op === 'remove') w.remove(map, key)
        expect(++steps).toBeLessThan(200)
      }
      const untouched = seen.filter((key) => !touched.has(key)).sort((a, b) => a - b)
      expect(untouched).toEqual(Array.from({ length: 12 }, (_, key) => key).filter((key) => !touched.has(key)))
    }),
    { numRuns: 100 },
  )
})
