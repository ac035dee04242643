/**
 * Instruction vectors: small programs in assembly with the R0 that they must leave. A file holds paragraphs:
 *
 *     == name
 *     mem: f1 f2            bytes that r1 points to (r2 is their number); absent: r1 = r2 = 0
 *     r0: 0x2a              what the author expects
 *     kernel: 0x2a          what the reference kernel gave, or `refused: ` and its message; written by `npm run record`
 *     r0 = 42               the instructions
 *     exit
 */
import { readdirSync, readFileSync } from 'node:fs'
import { assemble, type Insn } from '../../src/isa/index.js'

/** One vector. */
export interface Vector {
  readonly name: string
  readonly mem: Uint8Array | undefined
  readonly r0: bigint
  /** As written after `kernel: `; `undefined` before it was recorded. */
  kernel: string | undefined
  readonly text: string
  readonly insns: readonly Insn[]
}

/** A file of vectors. */
export interface VectorFile {
  readonly url: URL
  readonly header: string
  readonly vectors: readonly Vector[]
}

function parseVector(paragraph: string): Vector {
  const [first = '', ...lines] = paragraph.trimEnd().split('\n')
  const field = (name: string): string | undefined =>
    lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2)
  const text = lines.filter((line) => !/^(?:mem|r0|kernel): /.test(line)).join('\n')
  const mem = field('mem')
  return {
    name: first.trim(),
    mem: mem === undefined ? undefined : Uint8Array.from(mem.split(' '), (byte) => Number.parseInt(byte, 16)),
    r0: BigInt(field('r0') ?? ''),
    kernel: field('kernel'),
    text,
    insns: assemble(text),
  }
}

/** All files of `vectors/`, by name. */
export function readVectors(): readonly VectorFile[] {
  const directory = new URL('vectors/', import.meta.url)
  return readdirSync(directory)
    .filter((name) => name.endsWith('.txt'))
    .sort()
    .map((name) => {
      const url = new URL(name, directory)
      const [header = '', ...paragraphs] = readFileSync(url, 'utf8').split('\n== ')
      return { url, header, vectors: paragraphs.map(parseVector) }
    })
}

/** The file's text. */
export function writeVectors({ header, vectors }: VectorFile): string {
  const paragraphs = vectors.map(({ name, mem, r0, kernel, text }) =>
    [
      `== ${name}`,
      ...(mem ? [`mem: ${[...mem].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')}`] : []),
      `r0: 0x${r0.toString(16)}`,
      ...(kernel === undefined ? [] : [`kernel: ${kernel}`]),
      text,
    ].join('\n'),
  )
  return `${header.trimEnd()}\n\n${paragraphs.join('\n\n')}\n`
}
