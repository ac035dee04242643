/**
 * `workerbee bench`: programs, map operations, workqueues, loading and tier-up on a machine, beside the kernel's JIT where
 * bpf(2) can be used.
 */
import { accessSync, constants, existsSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { bench, choices, type EngineName, facts, jsonLines, LEAST_ROUNDS, markdown, tables } from '../bench/index.js'
import { BpfError } from '../bits/index.js'
import { parseCount } from './arguments.js'
import { exitCodes, usageError } from './exit.js'
import type { Io } from './io.js'
import { table } from './show.js'

/** Options of `bench`. */
export interface BenchCommandOptions {
  readonly engine?: EngineName
  readonly rounds?: string
  readonly only?: string
  readonly json?: boolean
  readonly write?: string
}

/** Measures, prints, and writes the document where `--write` says so. */
export async function benchCommand(options: BenchCommandOptions, io: Io): Promise<number> {
  const { only, json } = options
  const rounds = parseCount('--rounds', options.rounds ?? '60', LEAST_ROUNDS, 100_000)
  if (only !== undefined && !choices().includes(only)) {
    throw usageError('--only', `there is no benchmark '${only}'; there are ${choices().join(', ')}`)
  }
  if (options.write !== undefined) checkWritable(options.write)
  const results = await bench({
    engine: options.engine ?? 'compiler',
    rounds,
    ...(only === undefined ? {} : { only }),
    progress: (name) => io.status(`measuring ${name}`),
  })
  io.status('')
  if (json) for (const line of jsonLines(results)) io.out(line)
  else {
    const lines = table(facts(results)).map(io.colors.dim)
    for (const { section, rows } of tables(results)) {
      lines.push('', io.colors.bold(section), ...table(rows, [1, 2, 3]).map((line) => `  ${line}`))
    }
    io.out(lines.join('\n'))
  }
  if (options.write !== undefined) writeFileSync(options.write, markdown(results, commandLine(options)))
  return exitCodes.yes
}

/** The command as it would be written again. */
function commandLine({ engine, rounds, only, write: path }: BenchCommandOptions): string {
  const given = { engine, rounds, only, write: path }
  const words = Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [`--${name} ${value}`]))
  return ['workerbee bench', ...words].join(' ')
}

/** Says now what would go wrong in the end. */
function checkWritable(path: string): void {
  try {
    accessSync(existsSync(path) ? path : dirname(path), constants.W_OK)
  } catch (cause) {
    throw new BpfError('unwritable', `cannot write ${path}: ${(cause as Error).message}`, { place: '--write', cause })
  }
}
