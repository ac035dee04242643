/** One sample of `tier-up.ts`, in a process of its own: arguments are the program and the mode, the answer is one line of JSON. */
import { optimiseNow } from '../node/index.js'
import { nowNs } from './measure.js'
import { machineSide } from './sides.js'
import { optimisedAt, type Sample } from './tier-up.js'

/** How long to look, and how long a batch is, in nanoseconds. */
const LOOK_NS = 150e6
const BATCH_NS = 30e3

const [name = '', mode = ''] = process.argv.slice(2)
// Whatever else V8 must compile at its first use is out of the way then.
const other = await machineSide('empty', 'compiler')
for (let i = 0; i < 50; i++) other.batch(20)

const side = await machineSide(name, 'compiler', mode === 'now' ? optimiseNow : undefined)
const start = nowNs()
const firstNs = side.batch(1)
const samples: [at: number, each: number][] = [[0, firstNs]]
for (let each = firstNs; nowNs() - start < LOOK_NS; ) {
  const runs = Math.max(1, Math.round(BATCH_NS / each))
  const at = nowNs() - start
  each = side.batch(runs) / runs
  samples.push([at, each])
}
const answer: Sample = {
  loadNs: side.loadNs,
  firstNs,
  steadyNs: Math.min(...samples.map(([, each]) => each)),
  optimisedNs: optimisedAt(samples),
}
process.stdout.write(JSON.stringify(answer))
