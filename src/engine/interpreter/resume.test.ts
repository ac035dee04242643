import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { assemble, decode, type Insn } from '../../isa/index.js'
import { TASK } from '../../runtime/layout.js'
import { type BareProgram, bareProgram } from '../bare.js'

/** Runs in slices of the given budgets, over and over; the number of stops. */
function runSliced(program: BareProgram, budgets: readonly number[]): number {
  program.enter()
  for (let stops = 0; ; stops++) {
    const stop = program.engine.resume(program.task, budgets[stops % budgets.length] ?? 1)
    if (stop === 'done') return stops
    expect(stop).toBe('budget')
  }
}

/** A program that touches everything a task has: registers, stack, frames, a loop, memory. */
const text = `
    r6 = r1
    r7 = 0
  again:
    r1 = r7
    r2 = r6
    call mix
    *(u64 *)(r10 -8) = r0
    r0 = atomic64_fetch_add((u64 *)(r10 -8), r0)
    r8 ^= r0
    r7 += 1
    if r7 < 0x14 goto again
    r0 = r8
    exit
  mix:
    r6 = r1
    *(u64 *)(r10 -16) = r6
    r1 &= 7
    r2 += r1
    r3 = *(u8 *)(r2 +0)
    r3 *= 0x1234567
    r1 = r10
    r1 += -16
    call deeper
    r0 += r3
    r0 /= 3
    *(u8 *)(r2 +0) = r0
    exit
  deeper:
    r0 = *(u64 *)(r1 +0)
    r0 <<= 33
    r0 = be64 r0
    exit`

it('gives the same memory, however a run is cut into slices', () => {
  const input = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)
  const whole = bareProgram(assemble(text), { input })
  const r0 = whole.run()
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 8 }), (budgets) => {
      const sliced = bareProgram(assemble(text), { input })
      runSliced(sliced, budgets)
      expect(sliced.r0()).toBe(r0)
      expect(Buffer.compare(sliced.whole(), whole.whole())).toBe(0)
    }),
    { numRuns: 30 },
  )
})

it('keeps nothing outside the memory: a copy taken in the middle goes on elsewhere', () => {
  const insns = assemble(text)
  const input = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)
  const first = bareProgram(insns, { input })
  first.enter()
  first.engine.resume(first.task, 123)
  const second = bareProgram(insns)
  expect(second.whole().length).toBe(first.whole().length)
  second.whole().set(first.whole())
  first.engine.resume(first.task, 1e6)
  second.engine.resume(second.task, 1e6)
  expect(Buffer.compare(second.whole(), first.whole())).toBe(0)
  expect(second.executed()).toBe(first.executed())
})

it('one instruction at a time says at which it stands', () => {
  const program = bareProgram(assemble('r0 = 1\ngoto pc+1\nr0 = 2\nr0 += 1\nexit'))
  program.enter()
  const trail: number[] = []
  do trail.push(new DataView(program.whole().buffer).getUint32(program.task + TASK.pc, true))
  while (program.engine.resume(program.task, 1) === 'budget')
  expect(trail).toEqual([0, 1, 3, 4])
  expect(program.r0()).toBe(2n)
})

it('runs real programs one instruction at a time', () => {
  const directory = new URL('../../../test/conformance/programs/', import.meta.url)
  const small = ['calls.hex', 'divmod.hex', 'pktparse.hex', 'murmur3.hex']
  for (const name of readdirSync(directory).filter((file) => small.includes(file))) {
    const hex = readFileSync(new URL(name, directory), 'utf8').replace(/\s/g, '')
    const insns: Insn[] = decode(Uint8Array.from(Buffer.from(hex, 'hex')))
    const input = new Uint8Array(16384).map((_, index) => (index * 31) >> 3)
    const [whole, stepped] = [bareProgram(insns, { input }), bareProgram(insns, { input })]
    whole.run()
    expect(BigInt(runSliced(stepped, [1]) + 1)).toBe(whole.executed())
    expect(stepped.r0()).toBe(whole.r0())
    expect(Buffer.compare(stepped.whole(), whole.whole())).toBe(0)
  }
})
