import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parseObject } from '../object/index.js'
import { kfunc, Machine, type MachineOptions } from './index.js'

const example = (name: string) => parseObject(readFileSync(`examples/${name}/${name}.bpf.o`), { name: `${name}.bpf.o` })
const udp = new Uint8Array(64)
udp.set([0x08, 0x00, 0x45], 12)

async function rateLimited(options: MachineOptions) {
  await using machine = new Machine(options)
  const app = await machine.load(example('ratelimit'))
  const { retval } = app.programs.limit?.run({ data: udp, repeat: 8 }) ?? {}
  machine.runUntilIdle()
  return {
    retval,
    passed: app.globals.passed,
    sources: [...(app.maps.sources?.entries() ?? [])],
    printk: machine.printk,
  }
}

describe('one program on either engine', () => {
  it.each([[100], [0]])('leaves the same after a repeated run, timeline of %i events', async (timelineLimit) => {
    const interpreted = await rateLimited({ engine: 'interpreter', timelineLimit })
    expect(interpreted).toMatchObject({ retval: 1, passed: 5n })
    expect(await rateLimited({ engine: 'compiler', timelineLimit })).toEqual(interpreted)
  })

  it('interprets what may wait for a promise, and drains it beside compiled work', async () => {
    await using machine = new Machine({ engine: 'compiler', timelineLimit: 0 })
    const kfuncs = {
      backend_store: kfunc({ sleepable: true, parameters: ['id', 'data', 'data__sz'] }, async () => 7),
      backend_log: kfunc({}, () => undefined),
    }
    const upload = await machine.load(example('upload'), { kfuncs })
    const heartbeat = await machine.load(example('heartbeat'))
    upload.programs.from_hash?.run()
    heartbeat.programs.start?.run()
    await machine.settle()
    expect(upload.globals.stored).toBe(1)
    expect(heartbeat.globals.fired).toBe(3n)
  })

  it('runs a batch of packets as it runs them one by one', async () => {
    const packets = [0, 1, 2, 3].map((last) => Uint8Array.from(udp, (byte, i) => (i === 29 ? last >> 1 : byte)))
    const outcome = async (engine: 'interpreter' | 'compiler') => {
      await using machine = new Machine({ engine })
      const app = await machine.load(example('ratelimit'))
      const batch = app.programs.limit?.runBatch([...packets, ...packets, ...packets]) ?? []
      return { batch, passed: app.globals.passed, sources: app.maps.sources?.size }
    }
    const compiled = await outcome('compiler')
    expect(compiled.batch).toHaveLength(12)
    expect(compiled.sources).toBe(2)
    expect(compiled.batch.map(({ retval }) => retval)).toContain(1)
    expect(compiled).toEqual(await outcome('interpreter'))
  })

  it('says which engines there are', () => {
    expect(() => new Machine({ engine: 'jit' as 'compiler' })).toThrow(/interpreter or compiler, not jit/)
  })
})
