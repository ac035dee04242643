import fc from 'fast-check'
import { expect, it } from 'vitest'
import { world } from '../../test/support/runtime.js'
import { CPU, cpuAt, queued } from './index.js'

it('5.4 is first in, first out, and a cancelled item leaves from any place', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom('start', 'cancel', 'run'), fc.nat(7)), { maxLength: 60 }),
      (steps) => {
        const w = world()
        const map = w.map('ARRAY', { maxEntries: 8 })
        const values = Array.from({ length: 8 }, (_, i) => w.value(map, i))
        const ready = (value: number): void => {
          w.init(map, value)
          w.bind(value)
        }
        values.forEach(ready)
        let model: number[] = []
        for (const [action, index] of steps) {
          const value = values[index] as number
          if (action === 'start') {
            w.start(value)
            if (!model.includes(value)) model.push(value)
          } else if (action === 'cancel') {
            w.put(map, index)
            ready(value)
            model = model.filter((item) => item !== value)
          } else {
            const object = w.pick()
            if (object) w.calls.wqFinish(object)
            model.shift()
          }
          expect(queued(w.runtime, 0).map((object) => object.value)).toEqual(model)
          expect(w.runtime.load32(cpuAt(w.runtime, 0) + CPU.queueLength)).toBe(model.length)
        }
      },
    ),
    { numRuns: 100 },
  )
})
