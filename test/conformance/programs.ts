/** The ten programs of `programs/`: bytecode that clang 19 made, and what other engines say about it. */
import { readdirSync, readFileSync } from 'node:fs'
import { decode, type Insn } from '../../src/isa/index.js'

const directory = new URL('programs/', import.meta.url)

/** A program and its result on the input of `input.ts`. */
export interface FlatProgram {
  readonly name: string
  readonly insns: readonly Insn[]
  readonly r0: bigint
  readonly executed: bigint
}

/** All of them, by name. Throws where one has no result in `expected.txt` (`NAME R0 EXECUTED` a line). */
export function readPrograms(): readonly FlatProgram[] {
  const lines = readFileSync(new URL('expected.txt', directory), 'utf8').split('\n')
  const results = new Map(lines.map((line) => [line.split(' ')[0], line.split(' ')]))
  return readdirSync(directory)
    .filter((file) => file.endsWith('.hex'))
    .sort()
    .map((file) => {
      const name = file.replace('.hex', '')
      const [, r0, executed] = results.get(name) ?? []
      if (!r0 || !executed) throw new Error(`expected.txt has no line for ${name}`)
      const hex = readFileSync(new URL(file, directory), 'utf8').replace(/\s/g, '')
      const insns = decode(Uint8Array.from(Buffer.from(hex, 'hex')))
      return { name, insns, r0: BigInt(`0x${r0}`), executed: BigInt(executed) }
    })
}
