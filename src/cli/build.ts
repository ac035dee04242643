/** `workerbee build FILE.c`: compiles C to an object with the flags and headers that BPF wants. */
import { basename } from 'node:path'
import { compile } from '../clang/index.js'
import { usageError } from './exit.js'
import { openSpec } from './input.js'
import type { Io } from './io.js'

/** Options of `build`. */
export interface BuildOptions {
  readonly file: string
  readonly out?: string
  readonly cpu?: string
  readonly include?: readonly string[]
  readonly define?: readonly string[]
}

const CPUS = ['v1', 'v2', 'v3', 'v4'] as const

/** Compiles, then reads the object once, so that what cannot be read is said now. */
export async function build(options: BuildOptions, io: Io): Promise<number> {
  if (!options.file.endsWith('.c')) throw usageError('FILE', 'C source (.c) is wanted')
  const out = options.out ?? options.file.replace(/\.c$/, '.o')
  const cpu = CPUS.find((known) => known === (options.cpu ?? 'v3'))
  if (!cpu) throw usageError('--cpu', `v1, v2, v3 or v4 is wanted, not '${options.cpu}'`)
  const defines = Object.fromEntries(
    (options.define ?? []).map((text) => {
      const [name = '', ...value] = text.split('=')
      return [name, value.length ? value.join('=') : 1] as const
    }),
  )
  const bytes = compile(options.file, { out, cpu, defines, includes: options.include ?? [] })
  const spec = openSpec(out)
  const programs = Object.keys(spec.programs).length
  const maps = Object.keys(spec.maps).length
  io.out(`${basename(out)}: ${bytes.length} bytes, ${plural(programs, 'program')}, ${plural(maps, 'map')}`)
  return 0
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`
}
