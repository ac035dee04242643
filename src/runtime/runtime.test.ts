import { expect, it } from 'vitest'
import * as rt from './index.js'

it('stands', () => {
  const runtime = rt.createRuntime({ cpus: 2, seed: 1n })
  const map = rt.createMap(runtime, { type: 'hash', keySize: 4, valueSize: 24, maxEntries: 4, special: { wq: 8 } })
  const prog = rt.createProg(runtime, { type: 31 })
  const [, callback] = rt.createFuncs(runtime, prog, [0, 12])
  const key = new Uint8Array([1, 0, 0, 0])
  expect(rt.writeElement(runtime, map, key, new Uint8Array(24).fill(7))).toBe(0)
  const out = new Uint8Array(24)
  expect(rt.readElement(runtime, map, key, out)).toBe(0)
  expect([...out]).toEqual([...Array(8).fill(7), ...Array(16).fill(0)])
  const value = rt.valueAddress(runtime, map, key)
  const { calls } = runtime
  expect(calls.wqInit(value + 8, map, 0)).toBe(0)
  expect(calls.wqSetCallback(value + 8, callback ?? 0, 0, prog)).toBe(0)
  expect(calls.wqStart(value + 8, 0, 1)).toBe(0)
  expect(rt.queued(runtime, 1)).toHaveLength(1)
  const object = calls.wqPick(1)
  expect(rt.readObject(runtime, object).state).toBe('running')
  calls.wqFinish(object)
  expect(rt.readObject(runtime, object).state).toBe('idle')
})
