/** A host that loads other people's programs all day must not grow: nothing of a closed collection stays. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { objectBytes } from '../../src/bench/catalogue.js'
import { Machine } from '../../src/machine/index.js'
import { parseObject } from '../../src/object/index.js'

const LOADS = 10_000
/** Between two looks; the first of them are for caches to fill and for the garbage collector to find its pace. */
const LOOK_EVERY = 1_000

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** What is there after everything that can be collected has been. Code of WebAssembly goes a turn of the loop later. */
async function look(machine: Machine): Promise<{ heap: number; outside: number; guest: number; extent: number }> {
  for (let i = 0; i < 3; i++) {
    collect()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const { heapUsed, external, rss } = process.memoryUsage()
  return { heap: heapUsed + external, outside: rss, guest: machine.memoryUsed, extent: machine.memory().length }
}

const MIB = 1 << 20

it.each(['interpreter', 'compiler'] as const)(
  `%s: ${LOADS} loads and closes leave memory as it was`,
  { timeout: 600_000 },
  async (engine) => {
    const bytes = objectBytes('load')
    const machine = new Machine({ engine, timelineLimit: 0 })
    const looks: Awaited<ReturnType<typeof look>>[] = []
    for (let load = 1; load <= LOADS; load++) {
      const app = await machine.load(parseObject(bytes, { name: 'load' }), { verify: load % 100 === 0 })
      expect(app.programs.filter?.run({ data: new Uint8Array(64) }).retval).toBe(1)
      app.close()
      if (load % LOOK_EVERY === 0) looks.push(await look(machine))
    }
    const [, , third, ...later] = looks
    const last = later.at(-1)
    if (!third || !last) throw new Error('nothing was looked at')
    // The machine's own memory to the byte; JavaScript's with room for a collector that takes its time: 7,000 loads lie between,
    // and a leak of the whole program would be 20 KB each.
    expect([last.guest, last.extent]).toEqual([third.guest, third.extent])
    expect(last.heap - third.heap, 'heap').toBeLessThan(2 * MIB)
    expect(last.outside - third.outside, 'resident memory').toBeLessThan(48 * MIB)
    await machine.close()
  },
)
