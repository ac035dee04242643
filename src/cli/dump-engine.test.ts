import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { parseObject } from '../object/index.js'
import { showGraph, showModule } from './dump-engine.js'

const spec = parseObject(readFileSync('examples/heartbeat/heartbeat.bpf.o'))
const program = spec.programs.start

it('shows the graph of each function, for people and for Graphviz', () => {
  if (!program) throw new Error('the example has a program start')
  const text = showGraph(program, false)
  for (const name of ['start', 'tick', 'beat']) expect(text).toContain(name)
  expect(showGraph(program, true)).toMatch(/^digraph [\s\S]*}$/)
})

it('shows the module that a machine makes of it, with the routines that it calls', async () => {
  if (!program) throw new Error('the example has a program start')
  const text = await showModule(spec, program)
  expect(text).toContain('call $wq_init')
  expect(text).toContain('call $timer_start')
})
