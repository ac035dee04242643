import { expect, it } from 'vitest'
import { calibrate, geometricMean, interleave, percentile, type Subject, warmUp } from './measure.js'

/** A subject that takes `eachNs` a run and `fixedNs` a batch, and keeps the order of all batches in `log`. */
function fake(eachNs: number | (() => number), fixedNs = 0, log: string[] = [], name = ''): Subject {
  return {
    batch(runs) {
      log.push(name)
      return runs * (typeof eachNs === 'number' ? eachNs : eachNs()) + fixedNs
    },
  }
}

it('fills a batch with as many runs as it holds, whatever a run takes', () => {
  for (const each of [0.3, 30, 4_000, 200_000]) {
    expect((calibrate(fake(each), 2_500_000) * each) / 2_500_000).toBeCloseTo(1, 1)
  }
  expect(calibrate(fake(9_000_000), 2_500_000)).toBe(1)
  expect(calibrate(fake(0), 2_500_000)).toBe(20_000_000)
})

it('is not misled by an interruption', () => {
  let calls = 0
  const interrupted: Subject = { batch: (runs) => runs * 100 + (calls++ % 3 === 1 ? 5_000_000 : 0) }
  expect(calibrate(interrupted, 2_500_000)).toBe(25_000)
})

it('waits until optimised code has taken over before it calibrates', () => {
  let runs = 0
  const tiering: Subject = {
    batch(n) {
      const each = runs > 3_000 ? 100 : 1_000
      runs += n
      return n * each
    },
  }
  expect(warmUp(tiering, 2_500_000)).toBeCloseTo(25_000, -3)
})

it('gives up waiting for something that always gets faster', () => {
  let each = 1e9
  const subject = fake(() => {
    each *= 0.9
    return each
  })
  expect(warmUp(subject, 2_500_000)).toBeGreaterThan(0)
})

it('takes turns, and lets the fastest batch of each count', () => {
  const log: string[] = []
  let calls = 0
  const noisy = fake(() => (++calls % 3 === 0 ? 100 : 250), 0, log, 'a')
  const [a, b] = interleave([noisy, fake(70, 0, log, 'b')], { batchNs: 2_500_000, rounds: 30 })
  expect([a, b]).toEqual([100, 70])
  expect(log.slice(-60)).toEqual(Array.from({ length: 30 }, () => ['a', 'b']).flat())
})

it('computes percentiles and geometric means', () => {
  expect([0, 50, 90].map((n) => percentile([5, 1, 4, 2, 3], n))).toEqual([1, 3, 5])
  expect(geometricMean([0.5, 2, 8])).toBeCloseTo(2)
  expect(geometricMean([])).toBeNaN()
})
