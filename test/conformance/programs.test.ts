import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { bareProgram } from '../../src/engine/bare.js'
import { decode } from '../../src/isa/index.js'
import { programInput } from './input.js'

const directory = new URL('programs/', import.meta.url)

/** `NAME R0 EXECUTED` a line: what other engines (native code and the kernel's JIT among them) gave. */
const expected = new Map(
  readFileSync(new URL('expected.txt', directory), 'utf8')
    .split('\n')
    .filter((line) => line && !line.startsWith('#'))
    .map((line) => {
      const [name = '', r0 = '', executed = ''] = line.split(/\s+/)
      return [name, { r0: BigInt(`0x${r0}`), executed: BigInt(executed) }]
    }),
)

const programs = readdirSync(directory)
  .filter((name) => name.endsWith('.hex'))
  .map((name) => {
    const hex = readFileSync(new URL(name, directory), 'utf8').replace(/\s/g, '')
    return { name: name.replace('.hex', ''), insns: decode(Uint8Array.from(Buffer.from(hex, 'hex'))) }
  })

it('has a result for each program', () => {
  expect(programs.map(({ name }) => name)).toEqual([...expected.keys()])
  expect(programs.length).toBe(10)
})

for (const { name, insns } of programs) {
  it(`${name}: R0 and the number of executed instructions are those of other engines, again and again`, () => {
    const program = bareProgram(insns, { input: programInput() })
    for (let i = 0; i < 3; i++) {
      expect({ r0: program.run(), executed: program.executed() }).toEqual(expected.get(name))
    }
  })
}
