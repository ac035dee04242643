/**
 * The command line: what may be written there, and which exit code answers it. `main` is a function of its arguments and
 * outlets; only `bin/workerbee.js` touches the process.
 */
import { readFileSync } from 'node:fs'
import { Command, CommanderError, Option } from 'commander'
import { parseTime } from './arguments.js'
import type { BenchCommandOptions } from './bench.js'
import type { BuildOptions } from './build.js'
import { perform, type Request } from './commands.js'
import type { DumpOptions } from './dump.js'
import { exitCodes, report, unsupported } from './exit.js'
import type { FeaturesOptions } from './features.js'
import type { Io } from './io.js'
import { performIsolated } from './isolate.js'
import type { RunCommandOptions } from './run.js'
import type { VerifyOptions } from './verify.js'

export { createIo, type Io } from './io.js'

/** How `main` works. */
export interface MainOptions {
  /** Run programs in a worker with a deadline (default). Without, in this thread: there is no deadline then. */
  readonly isolate?: boolean
}

const TIMEOUT = '10s'
/** Commands of later versions: named, and refused by name. */
const LATER: Readonly<Record<string, string>> = {
  diff: "verdicts and results: ours beside the running kernel's",
  explore: 'search the interleavings of a scenario',
  replay: 'play one interleaving back',
  types: 'TypeScript types from BTF',
}

/** Executes one command line (without `node` and the script); gives the exit code. Never throws. */
export async function main(argv: readonly string[], io: Io, options: MainOptions = {}): Promise<number> {
  let answer: Promise<number> | number = exitCodes.yes
  const isolate = options.isolate ?? true
  const submit = (request: Request, timeout?: string): void => {
    const timeoutMs = Number(parseTime('--timeout', timeout ?? TIMEOUT) / 1_000_000n)
    answer = timeout !== undefined && isolate ? performIsolated(request, io, timeoutMs) : perform(request, io)
  }
  try {
    commandLine(submit, io).parse(argv, { from: 'user' })
    return await answer
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.yes : exitCodes.usage
    return report(error, io)
  }
}

type Submit = (request: Request, timeout?: string) => void
/** Options as commander gives them, with those that `main` itself keeps. */
type Given<T, Positional extends keyof T> = Omit<T, Positional> & { timeout: string; schedule?: string }

function commandLine(submit: Submit, io: Io): Command {
  const program = new Command('workerbee')
    .description('eBPF for TypeScript: parse, verify, run and schedule eBPF objects anywhere JavaScript runs')
    .version(version(), '-V, --version')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.out(text.trimEnd()),
      writeErr: (text) => io.err(text.trimEnd()),
      getOutHasColors: () => io.colors.isColorSupported,
      getErrHasColors: () => io.colors.isColorSupported,
    })
    .showHelpAfterError('(workerbee --help tells more)')

  const repeated = (flags: string, text: string): Option =>
    new Option(flags, text).argParser((value: string, before?: string[]) => [...(before ?? []), value])
  const on = (): Option => new Option('--on <host>', 'who decides').choices(['machine', 'linux']).default('machine')
  const kernel = (): Option => new Option('--kernel <version>', 'the Linux that it is for').default('6.18')
  const set = (): Option => repeated('--set <variable=value>', 'set a global variable before loading (repeatable)')
  const timeout = (): Option => new Option('--timeout <time>', 'give up after this much real time').default(TIMEOUT)
  const engine = (): Option => new Option('--engine <name>', 'who executes').choices(['interpreter', 'compiler'])
  const kfuncs = (): Option => new Option('--kfuncs <file>', 'a module whose exports are kfuncs')

  program
    .command('run')
    .description('verify, load and run programs, drain their work, show what happened')
    .argument('<file>', 'object, or C source')
    .argument('[program]', 'one program; default: all of them, in order')
    .addOption(on())
    .addOption(kernel())
    .addOption(engine())
    .option('--ctx <json>', 'the context by members, or @file')
    .option('--data <hex>', 'the packet, or @file')
    .option('--repeat <n>', 'how often to run each program', '1')
    .option('--cpus <n>', 'CPUs of the machine', '1')
    .option('--cpu <n>', 'the CPU that runs the programs', '0')
    .option('--seed <n>', 'what random numbers and addresses come from', '0')
    .option('--until <when>', 'how long to let work happen afterwards: idle, or a time such as 10ms', 'idle')
    .option('--schedule <schedule>', 'the interleaving to follow')
    .addOption(kfuncs())
    .addOption(set())
    .addOption(timeout())
    .option('--json', 'one object a line')
    .action((file: string, name: string | undefined, options: Given<RunCommandOptions, 'file' | 'program'>) => {
      const { timeout, schedule, ...rest } = options
      if (schedule !== undefined) throw unsupported('--schedule')
      submit({ command: 'run', options: { file, ...optional('program', name), ...rest } }, timeout)
    })

  program
    .command('verify')
    .description('would Linux accept it? One verdict a program')
    .argument('<file>', 'object, or C source')
    .argument('[program]', 'one program; default: all of them')
    .addOption(on())
    .addOption(kernel())
    .option('--btf <file>', "the kernel's types: raw BTF")
    .option('--log <level>', "print the kernel's log: 1 the path to the error, 2 everything")
    .addOption(kfuncs())
    .addOption(set())
    .addOption(timeout())
    .option('--json', 'one object a line')
    .option('--sarif', 'one SARIF document')
    .action((file: string, name: string | undefined, options: Given<VerifyOptions, 'file' | 'program'>) => {
      const { timeout, ...rest } = options
      submit({ command: 'verify', options: { file, ...optional('program', name), ...rest } }, timeout)
    })

  program
    .command('dump')
    .description('show what an object holds, and what becomes of a program')
    .argument('<what>', 'insns, btf, maps, elf, cfg, wasm')
    .argument('<file>', 'object, or C source; for btf also a raw blob')
    .argument('[name]', 'one program, type or map')
    .option('--source', 'insns: with source lines')
    .option('--c', 'btf: as C declarations')
    .option('--dot', 'cfg: for Graphviz')
    .action((what: string, file: string, name: string | undefined, rest: Pick<DumpOptions, 'source' | 'c' | 'dot'>) => {
      submit({ command: 'dump', options: { what, file, ...optional('name', name), ...rest } })
    })

  program
    .command('build')
    .description('compile C to an object')
    .argument('<file>', 'C source')
    .option('-o, --out <file>', 'where to write it; default: beside the source')
    .option('--cpu <version>', 'instruction set: v1, v2, v3 or v4', 'v3')
    .addOption(repeated('-I, --include <directory>', "searched before Workerbee's headers (repeatable)"))
    .addOption(repeated('-D, --define <name=value>', 'define a macro (repeatable)'))
    .action((file: string, rest: Omit<BuildOptions, 'file'>) => {
      submit({ command: 'build', options: { file, ...rest } })
    })

  program
    .command('features')
    .description('what this build supports, beside what the kernel offers')
    .argument('[kind]', 'helpers, kfuncs, maps or programs; default: a summary')
    .addOption(kernel())
    .option('--json', 'one object a line')
    .action((kind: string | undefined, rest: Omit<FeaturesOptions, 'kind'>) => {
      submit({ command: 'features', options: { ...optional('kind', kind), ...rest } })
    })

  program
    .command('bench')
    .description("programs, map operations, workqueues and loading, beside the kernel's JIT")
    .addOption(engine())
    .option('--rounds <n>', 'batches of each, of which the fastest counts', '60')
    .option('--only <name>', 'one section, or one program or map operation')
    .option('--write <file>', 'write the document as well')
    .option('--json', 'one object a line')
    .action((options: BenchCommandOptions) => {
      submit({ command: 'bench', options })
    })

  for (const [name, description] of Object.entries(LATER)) {
    program
      .command(name, { hidden: true })
      .description(description)
      .argument('[arguments...]')
      .allowUnknownOption()
      .action(() => {
        throw unsupported(`the command '${name}'`)
      })
  }
  return program
}

function optional<K extends string>(key: K, value: string | undefined): { [key in K]?: string } {
  return value === undefined ? {} : ({ [key]: value } as { [key in K]?: string })
}

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return String((JSON.parse(text) as { version?: unknown }).version)
}
