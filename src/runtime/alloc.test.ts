import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createRuntime, HEAP_BASE, MACHINE, MACHINE_AT } from './index.js'

const sizes = fc.oneof(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 5000 }), fc.constant(100_000))

it('never gives out bytes that are in use, and always 16-byte aligned', () => {
  const runtime = createRuntime()
  const { calls } = runtime
  fc.assert(
    fc.property(fc.array(fc.tuple(sizes, fc.nat(3)), { maxLength: 60 }), (steps) => {
      const live = new Map<number, number>()
      for (const [size, action] of steps) {
        const [oldest] = live.keys()
        if (action === 0 && oldest) {
          calls.free(oldest)
          live.delete(oldest)
          continue
        }
        const address = calls.alloc(size)
        expect(address % 16).toBe(0)
        expect(address).toBeGreaterThanOrEqual(HEAP_BASE)
        for (const [start, length] of live) expect(address + size <= start || start + length <= address).toBe(true)
        live.set(address, size)
      }
      for (const address of live.keys()) calls.free(address)
    }),
    { numRuns: 60 },
  )
})

it('accounts for every byte: after all is freed, as much is in use as before', () => {
  const runtime = createRuntime()
  const used = (): number => runtime.load32(MACHINE_AT + MACHINE.heapUsed)
  const before = used()
  const blocks = [1, 64, 1000, 70_000].map((size) => runtime.calls.alloc(size))
  expect(used()).toBeGreaterThan(before + 71_000)
  for (const block of blocks) runtime.calls.free(block)
  expect(used()).toBe(before)
})

it('gives the block freed last first, and clears it only when asked', () => {
  const { calls, views } = createRuntime()
  const [a, b] = [calls.alloc(100), calls.alloc(100)]
  views.u8.fill(0xee, a, a + 100)
  calls.free(b)
  calls.free(a)
  expect(calls.alloc(101)).toBe(a)
  expect(views.u8[a + 50]).toBe(0xee)
  calls.free(a)
  expect(calls.allocZeroed(99)).toBe(a)
  expect(views.u8.subarray(a, a + 99).some(Boolean)).toBe(false)
  expect(calls.alloc(100)).toBe(b)
})

it('wastes at most a quarter, and 64 bytes for small ones', () => {
  const runtime = createRuntime()
  const end = (): number => runtime.load32(MACHINE_AT + MACHINE.heapBreak)
  for (let size = 1; size < 100_000; size = Math.ceil(size * 1.13) + 1) {
    const before = end()
    runtime.calls.alloc(size)
    const cost = end() - before
    expect(cost).toBeGreaterThanOrEqual(size + 16)
    expect(cost).toBeLessThanOrEqual(Math.max(64, (size + 16) * 1.25 + 16))
  }
})

it('grows the memory up to its limit, then gives 0; views follow the growth', () => {
  const { calls, views, memory } = createRuntime({ maxPages: 64 })
  const before = views.u8
  const large = calls.alloc(0x200000)
  expect(large).toBeGreaterThan(0)
  expect(views.u8 === before).toBe(false)
  expect(views.u8.length).toBe(memory.buffer.byteLength)
  views.data.setUint32(large + 0x1ffffc, 7, true)
  expect(calls.alloc(0x300000)).toBe(0)
  expect(calls.alloc(0x7fffffff)).toBe(0)
  expect(calls.alloc(-1)).toBe(0)
  expect(calls.alloc(64)).toBeGreaterThan(0)
})

it('traps when a block is freed twice or was never given', () => {
  const { calls } = createRuntime()
  const block = calls.alloc(64)
  calls.free(0)
  calls.free(block)
  expect(() => calls.free(block)).toThrow(WebAssembly.RuntimeError)
  expect(() => calls.free(block + 16)).toThrow(WebAssembly.RuntimeError)
})
