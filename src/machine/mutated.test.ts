// Damaged objects, loaded without the verifier and run: whatever happens is a BpfError, and it ends.
import { expect, it } from 'vitest'
import { objectBytes } from '../../test/support/machine.js'
import { BpfError } from '../bits/index.js'
import { parseObject } from '../object/index.js'
import { Machine } from './index.js'

const objects = ['wq', 'timer', 'basics', 'locked'].map(objectBytes)

/** A seeded sequence of numbers below n. */
function numbers(seed: number): (n: number) => number {
  let state = seed
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * n)
  }
}

function damaged(pick: (n: number) => number): Uint8Array {
  const bytes = objects[pick(objects.length)]?.slice() ?? new Uint8Array()
  for (let left = 1 + pick(6); left > 0; left--) bytes[pick(bytes.length)] = pick(256)
  return bytes
}

/** Lets anything but a BpfError through. */
async function tolerant(act: () => unknown): Promise<boolean> {
  try {
    await act()
    return true
  } catch (error) {
    if (!(error instanceof BpfError)) throw error
    return false
  }
}

async function use(bytes: Uint8Array): Promise<boolean> {
  const machine = new Machine({ maxInstructions: 100_000, cpus: 2, maxMemoryBytes: 64 << 20 })
  return tolerant(async () => {
    const app = await machine.load(parseObject(bytes), { verify: false })
    for (const program of Object.values(app.programs)) {
      const syscall = program.spec.type === 'syscall'
      await tolerant(() => program.run(syscall ? { ctx: new Uint8Array(32) } : { data: new Uint8Array(64) }))
    }
    await tolerant(() => machine.runUntilIdle({ maxSteps: 500 }))
    await tolerant(() => machine.pending)
    for (const map of Object.values(app.maps)) await tolerant(() => machine.inspect(map, 0))
    app.close()
    await machine.close()
  })
}

it('throws nothing but BpfError, whatever unverified code does to the machine', async () => {
  const pick = numbers(2026)
  let loaded = 0
  for (let i = 0; i < 400; i++) if (await use(damaged(pick))) loaded += 1
  expect(loaded).toBeGreaterThan(50)
})
