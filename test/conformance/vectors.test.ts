import { writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { bareProgram, createCompiler, createInterpreter } from '../../src/engine/index.js'
import { opcode, opcodes } from '../../src/isa/index.js'
import { recording } from '../support/paths.js'
import { readVectors, writeVectors } from './vectors.js'

const files = readVectors()

if (recording('conformance')) {
  const { askKernel } = await import('./ask-kernel.js')
  for (const file of files) {
    for (const vector of file.vectors) vector.kernel = askKernel(vector)
    writeFileSync(file.url, writeVectors(file))
  }
}

for (const { url, vectors } of files) {
  const group = url.pathname.replace(/.*\//, '')

  it.each([createInterpreter, createCompiler])(`${group}: the engine of %o leaves the expected R0`, (engine) => {
    const run = ({ insns, mem }: (typeof vectors)[number]) =>
      bareProgram(insns, { engine, ...(mem ? { input: mem } : {}) }).run(1000)
    expect(vectors.map((vector) => [vector.name, run(vector)])).toEqual(vectors.map(({ name, r0 }) => [name, r0]))
  })

  it(`${group}: the kernel gave the expected R0 wherever it accepted the program`, () => {
    const given = vectors.filter(({ kernel }) => kernel?.startsWith('0x'))
    expect(given.map(({ name, kernel = '' }) => [name, BigInt(kernel)])).toEqual(
      given.map(({ name, r0 }) => [name, r0]),
    )
    for (const { name, kernel } of vectors) expect(kernel, name).toMatch(/^(0x|refused: )/)
  })
}

it('has a vector for every operation but those that need a packet or helpers', () => {
  const used = new Set(
    files.flatMap(({ vectors }) => vectors.flatMap(({ insns }) => insns.map((insn) => opcode(insn)))),
  )
  const missing = opcodes
    .filter((row) => !used.has(row))
    .map(({ op, width, source, size }) => `${op} ${width} ${source} ${size}`)
  expect(missing.filter((name) => !/^ld_(abs|ind) /.test(name))).toEqual([])
})
