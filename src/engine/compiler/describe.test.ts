import { expect, it } from 'vitest'
import { assemble } from '../../isa/index.js'
import type { Code } from '../engine.js'
import { cfgToDot, describeCfg, describeWasm } from './index.js'

function codeOf(text: string, functions: readonly number[] = [0]): Code {
  const insns = assemble(text)
  return {
    name: 'p',
    prog: 0x20000,
    insns,
    functions: functions.map((start) => ({ name: `f${start}`, start })),
    calls: new Map(),
  }
}

const sum = codeOf(`
  r0 = 0
  again: r0 += r1
  r1 += -1
  if r1 != 0 goto again
  exit`)

it('lists blocks with instructions, ways, dominators and loops', () => {
  expect(describeCfg(sum)).toBe(`f0(r1), instruction 0, 5 instructions, 4 blocks
  block 0, dominated by 0
    -> goto 1
  block 1, dominated by 0
        0: (b7) r0 = 0
    -> goto 2
  block 2 (loop), dominated by 1
        1: (0f) r0 += r1
        2: (07) r1 += -1
    -> 2 if r1 != 0x0, else 3
  block 3 (label), dominated by 2
    -> exit
  webs r0: i64, r1: i64
`)
})

it('draws the same for Graphviz', () => {
  const dot = cfgToDot(sum)
  expect(dot).toContain('f0b2 -> f0b2\n    f0b2 -> f0b3')
  expect(dot).toContain('f0b3 [label="exit\\l"]')
  expect(dot.split('\n').filter((line) => line.includes('label=')).length).toBe(5)
})

it('says of a loop with two ways in how its dispatcher is reached', () => {
  const text = describeCfg(
    codeOf('if r1 == 0 goto b\na: r1 += 1\nif r1 > 9 goto out\nb: r1 += 2\ngoto a\nout: r0 = r1\nexit'),
  )
  expect(text).toMatch(/selector 0 = 0/)
  expect(text).toMatch(/one of \d+, \d+ by selector 0/)
})

it('reads the instructions back from the module that was emitted', () => {
  const text = describeWasm(sum)
  const body = text.slice(text.indexOf('(func $f0 '))
  expect(body).toContain(
    ['    loop', '      local.get 2', '      local.get 0', '      i64.add', '      local.set 2'].join('\n'),
  )
  expect(body).toContain('      br_if 0\n')
  expect(text).not.toContain('unknown instruction')
})

it('names the functions that are called', () => {
  const text = describeWasm(codeOf(`call f\ncall f\nexit\nf: r0 = 1\n${'r0 *= 3\n'.repeat(80)}exit`, [0, 3]))
  expect(text).toContain('call $f3')
})
