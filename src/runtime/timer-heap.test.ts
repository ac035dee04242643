import fc from 'fast-check'
import { expect, it } from 'vitest'
import { world } from '../../test/support/runtime.js'
import { armed, CPU, cpuAt, readObject } from './index.js'

/** A machine with timers 0 to 15, initialised and bound, and a model: expiry and order of arming of each armed one. */
function bench() {
  const w = world()
  const map = w.map('ARRAY', { maxEntries: 16 })
  const values = Array.from({ length: 16 }, (_, i) => w.value(map, i))
  for (const value of values) {
    w.calls.timerInit(value + 24, map, 1)
    w.calls.timerSetCallback(value + 24, w.callback, w.prog)
  }
  return { w, map, values }
}

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ arm: fc.nat(15), at: fc.bigInt({ min: 1n, max: 20n }) }) },
  { weight: 1, arbitrary: fc.record({ drop: fc.nat(15) }) },
  { weight: 1, arbitrary: fc.record({ fire: fc.bigInt({ min: 1n, max: 8n }) }) },
)

it('fires in the order of expiry and then of arming, whatever was armed, re-armed, cancelled and fired before', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const { w, map, values } = bench()
      const model = new Map<number, { expiry: bigint; order: number }>()
      const sorted = (): number[] =>
        [...model]
          .sort(([, a], [, b]) => (a.expiry === b.expiry ? a.order - b.order : a.expiry < b.expiry ? -1 : 1))
          .map(([value]) => value)
      let now = 0n
      steps.forEach((action, order) => {
        if ('arm' in action) {
          const value = values[action.arm] as number
          w.arm(value, now + action.at, 1)
          model.set(value, { expiry: now + action.at, order })
        } else if ('drop' in action) {
          const value = values[action.drop] as number
          w.put(map, action.drop)
          model.delete(value)
          w.calls.timerInit(value + 24, map, 1)
          w.calls.timerSetCallback(value + 24, w.callback, w.prog)
        } else {
          now += action.fire
          w.calls.clockAdvanceTo(now)
          const due = sorted().filter((value) => (model.get(value)?.expiry ?? 0n) <= now)
          const fired: number[] = []
          for (let object = w.calls.timerPick(0); object; object = w.calls.timerPick(0)) {
            fired.push(readObject(w.runtime, object).value)
            w.calls.timerFinish(object)
          }
          expect(fired).toEqual(due)
          for (const value of due) model.delete(value)
        }
        expect(armed(w.runtime, 0).map(({ value }) => value)).toEqual(sorted())
        expect(w.runtime.load32(cpuAt(w.runtime, 0) + CPU.timerCount)).toBe(model.size)
      })
    }),
    { numRuns: 100 },
  )
})

it('names the earliest timer over all CPUs', () => {
  const { w, values } = bench()
  const [a, b, c] = values as [number, number, number]
  expect(w.calls.timerNext()).toBe(0)
  w.arm(a, 30n, 1, 0)
  w.arm(b, 10n, 1, 1)
  w.arm(c, 20n, 1, 0)
  expect(readObject(w.runtime, w.calls.timerNext()).value).toBe(b)
})
