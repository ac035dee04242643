/**
 * `workerbee run FILE [PROGRAM]`: verifies, loads, runs each program, drains its work, and shows what happened: what it
 * returned, the timeline of asynchronous work, what was printed, what changed.
 */
import { BpfError } from '../bits/index.js'
import type { RunOptions } from '../host/index.js'
import { Machine, type MachineCollection } from '../machine/index.js'
import type { ObjectSpec, ProgramSpec } from '../object/index.js'
import { parseBytes, parseContext, parseCount, parseTime } from './arguments.js'
import { type Change, changesBetween, emptySnapshot, type Snapshot, takeSnapshot, truncatedMaps } from './changes.js'
import { exitCodes, unsupported } from './exit.js'
import { choosePrograms, openSpec } from './input.js'
import type { Io } from './io.js'
import { loadKfuncs } from './kfuncs.js'
import { defaultPacket } from './packet.js'
import { showValue, table, toJson } from './show.js'
import { showWork, type Work, workOf } from './timeline.js'

/** Options of `run`, as they were written. */
export interface RunCommandOptions {
  readonly file: string
  readonly program?: string
  readonly on?: string
  readonly kernel?: string
  readonly ctx?: string
  readonly data?: string
  readonly repeat?: string
  readonly cpus?: string
  readonly cpu?: string
  readonly seed?: string
  readonly until?: string
  readonly kfuncs?: string
  readonly set?: readonly string[]
  readonly json?: boolean
}

/** Work may go on for this much virtual time after a run; steps are bounded by the machine, real time by --timeout. */
const FOREVER_MS = 1_000_000_000

/** What one program did. */
interface Outcome {
  readonly program: ProgramSpec
  readonly retval: number
  readonly startNs: bigint
  readonly work: readonly Work[]
  readonly printk: readonly string[]
  readonly before: Snapshot
  readonly after: Snapshot
}

/** Runs the programs of an object. */
export async function run(options: RunCommandOptions, io: Io): Promise<number> {
  if (options.on === 'linux') throw unsupported('run --on linux')
  const spec = openSpec(options.file, options.set)
  const programs = choosePrograms(spec, options.program).filter(({ autoload }) => autoload || options.program)
  if (programs.length === 0) throw new BpfError('no-program', 'there is no program to run', { place: options.file })
  const kfuncs = await loadKfuncs(options.kfuncs)
  const cpus = parseCount('--cpus', options.cpus ?? '1', 1, 64)
  const seed = BigInt(parseCount('--seed', options.seed ?? '0', 0, Number.MAX_SAFE_INTEGER))
  await using machine = new Machine({ kernel: options.kernel ?? '6.18', cpus, seed })
  const app = await machine.load(spec, { programs: programs.map(({ name }) => name), kfuncs })
  let before = emptySnapshot(spec)
  for (const [i, program] of programs.entries()) {
    const outcome = await runOne(machine, app, spec, program, before, options)
    if (options.json) io.out(toJson(outcomeJson(outcome)))
    else {
      if (i > 0) io.out('')
      for (const line of describe(outcome, machine, io)) io.out(line)
    }
    before = outcome.after
  }
  return exitCodes.yes
}

async function runOne(
  machine: Machine,
  app: MachineCollection,
  spec: ObjectSpec,
  program: ProgramSpec,
  before: Snapshot,
  options: RunCommandOptions,
): Promise<Outcome> {
  const [startNs, events, printed] = [machine.nowNs, machine.timeline.length, machine.printk.length]
  const loaded = app.programs[program.name]
  if (!loaded) throw new BpfError('unknown-program', `${program.name} was not loaded`)
  const { retval } = await loaded.runAsync(runOptions(program, options))
  await drain(machine, options.until ?? 'idle')
  return {
    program,
    retval,
    startNs,
    work: workOf(machine.timeline.slice(events), machine.pending),
    printk: machine.printk.slice(printed),
    before,
    after: takeSnapshot(spec, app),
  }
}

function runOptions(program: ProgramSpec, options: RunCommandOptions): RunOptions {
  const data = options.data === undefined ? defaultPacket(program.type) : parseBytes('--data', options.data)
  const repeat = parseCount('--repeat', options.repeat ?? '1', 1, 1_000_000_000)
  return {
    ...(options.ctx === undefined ? {} : { ctx: parseContext('--ctx', options.ctx) }),
    ...(data ? { data } : {}),
    ...(repeat === 1 ? {} : { repeat }),
    cpu: parseCount('--cpu', options.cpu ?? '0', 0, 63),
  }
}

/** Lets work happen: all of it, or what happens within a time. */
async function drain(machine: Machine, until: string): Promise<void> {
  if (until === 'idle') return machine.settle({ timeoutMs: FOREVER_MS })
  const end = machine.nowNs + parseTime('--until', until)
  try {
    await machine.settle({ timeoutMs: Number(end - machine.nowNs) / 1e6 })
  } catch (error) {
    if (!(error instanceof BpfError) || error.code !== 'settle-timeout') throw error
  }
  if (machine.nowNs < end) machine.advance(end - machine.nowNs)
  return undefined
}

function outcomeJson({ program, retval, work, printk, after }: Outcome): Record<string, unknown> {
  const elements = [...after.maps].map(([name, map]) => {
    return [name, Object.fromEntries([...map.elements].map(([key, { value }]) => [key, value]))]
  })
  return {
    program: program.name,
    retval,
    work: work.map(({ kind, map, key, callback, cpu, startNs, beginNs }) => {
      return { kind, map, key, callback, cpu, startNs, beginNs: beginNs ?? null }
    }),
    printk,
    globals: Object.fromEntries(after.globals),
    maps: Object.fromEntries(elements),
  }
}

function describe(
  { program, retval, startNs, work, printk, before, after }: Outcome,
  machine: Machine,
  io: Io,
): string[] {
  const { bold, dim } = io.colors
  const lines = [`${bold(program.name)} ${dim(`(${program.type})`)} returned ${showRetval(retval)}`]
  const section = (title: string, body: readonly string[]): void => {
    if (body.length > 0) lines.push('', bold(title), ...body.map((line) => `  ${line}`))
  }
  section('work', showWork(work, startNs))
  section('printk', printk)
  section('changed', table(changesBetween(before, after).map((change) => showChange(change, machine))))
  for (const name of truncatedMaps(after)) lines.push(dim(`  ${name} has more elements than are shown`))
  return lines
}

/** `retval` is unsigned; a small negative number is what was meant by a large one. */
function showRetval(retval: number): string {
  return retval > 0xffff0000 ? `${retval} (${retval | 0})` : String(retval)
}

function showChange({ name, before, after, element }: Change, machine: Machine): string[] {
  if (after === undefined) return [name, 'deleted']
  const shown = element && isRecord(after) ? { ...after, ...asyncState(machine, element) } : after
  if (before === undefined || typeof after === 'object') return [name, showValue(shown)]
  return [name, `${showValue(before)} -> ${showValue(shown)}`]
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value)
}

/** What the element's workqueue and timer are doing, in the place of their opaque bytes. */
function asyncState(machine: Machine, { map, key }: { map: string; key: unknown }): Record<string, unknown> {
  const states = Object.entries(machine.inspect(map, key)).filter(([, { state }]) => state !== 'empty')
  return Object.fromEntries(
    states.map(([name, { state, callback, runs }]) => {
      return [name, { opaque: `<${[state, callback, times(runs ?? 0)].filter(Boolean).join(', ')}>` }]
    }),
  )
}

function times(runs: number): string {
  if (runs === 0) return 'never ran'
  return runs === 1 ? 'ran once' : `ran ${runs} times`
}
