/** A machine's limits: instructions, real time, memory. Whatever hits one, the machine is as it was and goes on working. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { objectSpec } from '../../src/bench/catalogue.js'
import {
  Machine,
  type MachineCollection,
  type MachineOptions,
  type MachineRunOptions,
} from '../../src/machine/index.js'
import { parseObject } from '../../src/object/index.js'
import { root } from '../support/paths.js'

type EngineName = NonNullable<MachineOptions['engine']>

const bytes = new Uint8Array(readFileSync(join(root, 'test/stopping/endless.bpf.o')))
const endless = () => parseObject(bytes, { name: 'endless' })

async function loaded(options: MachineOptions = {}): Promise<{ machine: Machine; app: MachineCollection }> {
  const machine = new Machine(options)
  // may_goto is not judged yet, and what a deadline does has nothing to do with verdicts.
  return { machine, app: await machine.load(endless(), { verify: false }) }
}

/** Runs it and expects it to be stopped; afterwards the machine has what it had before, and runs programs. */
async function expectStopped(
  engine: EngineName,
  name: string,
  options: MachineRunOptions,
  code: string,
): Promise<void> {
  const { machine, app } = await loaded({ engine })
  app.programs.answer?.run()
  const used = machine.memoryUsed
  for (let times = 0; times < 3; times++) {
    expect(() => app.programs[name]?.run(options)).toThrow(expect.objectContaining({ code }))
    expect(machine.memoryUsed).toBe(used)
  }
  expect(app.programs.answer?.run().retval).toBe(42)
  await machine.close()
}

const engines = ['interpreter', 'compiler'] as const
const both = engines.flatMap((engine) => ['nested', 'patient'].map((name) => [engine, name] as const))

it('counts the rounds of each of many compiled runs, not of all of them', async () => {
  const { app } = await loaded({ engine: 'compiler' })
  const options = { data: new Uint8Array(64), maxInstructions: 200_000 }
  expect(app.programs.finite?.run({ ...options, repeat: 100 }).retval).toBe(2)
})

it.each(both)('%s: %s ends after as many instructions, or rounds, as a run may execute', async (engine, name) => {
  await expectStopped(engine, name, { maxInstructions: 100_000 }, 'too-many-instructions')
})

it.each(both)('%s: %s ends at its deadline, and not long after', async (engine, name) => {
  const start = performance.now()
  await expectStopped(engine, name, { timeoutMs: 50 }, 'deadline')
  expect(performance.now() - start).toBeGreaterThan(150)
  expect(performance.now() - start).toBeLessThan(5_000)
})

it('counts exactly: a program of two instructions may execute two', async () => {
  const { app } = await loaded()
  expect(app.programs.answer?.run({ maxInstructions: 2 }).retval).toBe(42)
  const tooFew = () => app.programs.answer?.run({ maxInstructions: 1 })
  expect(tooFew).toThrow(/it executed 1 instructions and has not ended/)
})

it.each(engines)('%s: limits each of many runs in instructions, and all of them together in time', async (engine) => {
  const { programs } = await new Machine({ engine }).load(objectSpec('empty'))
  const options = { data: new Uint8Array(64), maxInstructions: 2 }
  expect(programs.entry?.run({ ...options, repeat: 1000 }).retval).toBe(2)
  const forever = () => programs.entry?.run({ ...options, repeat: 1e9, timeoutMs: 50 })
  expect(forever).toThrow(expect.objectContaining({ code: 'deadline' }))
})

it.each(engines.flatMap((engine) => [0, 1000].map((timelineLimit) => [engine, timelineLimit] as const)))(
  '%s, timeline of %d: ends work that goes on for too long, in the way of nobody else',
  async (engine, timelineLimit) => {
    const { machine, app } = await loaded({ engine, timelineLimit, maxInstructions: 1_000_000 })
    app.programs.start_slow?.run()
    expect(() => machine.runUntilIdle()).toThrow(expect.objectContaining({ code: 'too-many-instructions' }))
    expect(machine.pending).toEqual([])
    expect(app.programs.answer?.run().retval).toBe(42)
  },
)

it.each(engines)('%s: ends work that always starts itself again after as many steps as it may take', async (engine) => {
  const { machine, app } = await loaded({ engine, timelineLimit: 0 })
  app.programs.start_again?.run()
  expect(() => machine.runUntilIdle({ maxSteps: 500 })).toThrow(expect.objectContaining({ code: 'still-busy' }))
  expect(app.maps.elems?.get(0)).toMatchObject({ runs: 500n })
})

it.each([-1, Number.NaN])('refuses %d as a limit', async (limit) => {
  const { app } = await loaded()
  for (const options of [{ maxInstructions: limit }, { timeoutMs: limit }]) {
    expect(() => app.programs.answer?.run(options)).toThrow(expect.objectContaining({ code: 'bad-option' }))
  }
})

it.each(engines)('%s: fails like Linux where a map does not fit, and keeps nothing of it', async (engine) => {
  const { machine } = await loaded({ engine, maxMemoryBytes: 4 << 20 })
  const used = machine.memoryUsed
  const large = endless()
  const map = large.maps.elems
  if (!map) throw new Error('no map')
  for (const maxEntries of [1 << 18, 1 << 24, 1 << 26]) {
    map.maxEntries = maxEntries
    const failure = { name: 'ErrnoError', operation: 'map_create', place: 'map elems' }
    await expect(machine.load(large, { verify: false })).rejects.toMatchObject(failure)
    expect(machine.memoryUsed).toBe(used)
  }
  map.maxEntries = 1000
  const app = await machine.load(large, { verify: false })
  expect(app.programs.answer?.run().retval).toBe(42)
  expect(machine.memory().length).toBeLessThan(4 << 20)
})
