/**
 * `workerbee run FILE [PROGRAM]`: verifies, loads, runs each program, drains its work, and shows what happened: what it
 * returned, the timeline of asynchronous work, what was printed, what changed.
 */
import { BpfError } from '../bits/index.js'
import type { RunOptions } from '../host/index.js'
import type { ProgramSpec } from '../object/index.js'
import { parseBytes, parseContext, parseCount } from './arguments.js'
import { type Change, changesBetween, emptySnapshot, type Snapshot, takeSnapshot, truncatedMaps } from './changes.js'
import { exitCodes } from './exit.js'
import { type HostOptions, type Observed, openSession, type Session } from './hosts.js'
import { choosePrograms, openSpec } from './input.js'
import type { Io } from './io.js'
import { loadKfuncs } from './kfuncs.js'
import { defaultPacket } from './packet.js'
import { showValue, table, toJson } from './show.js'
import { showWork } from './timeline.js'

/** Options of `run`, as they were written. */
export interface RunCommandOptions extends HostOptions {
  readonly file: string
  readonly program?: string
  readonly ctx?: string
  readonly data?: string
  readonly repeat?: string
  readonly cpu?: string
  readonly until?: string
  readonly kfuncs?: string
  readonly set?: readonly string[]
  readonly json?: boolean
}

/** What one program did. */
interface Outcome {
  readonly program: ProgramSpec
  readonly retval: number
  readonly observed: Observed
  readonly before: Snapshot
  readonly after: Snapshot
}

/** Runs the programs of an object, one after the other on one host. */
export async function run(options: RunCommandOptions, io: Io): Promise<number> {
  const spec = openSpec(options.file, options.set)
  const programs = choosePrograms(spec, options.program).filter(({ autoload }) => autoload || options.program)
  if (programs.length === 0) throw new BpfError('no-program', 'there is no program to run', { place: options.file })
  const kfuncs = await loadKfuncs(options.kfuncs)
  const session = await openSession(options)
  try {
    const names = programs.map(({ name }) => name)
    const app = await session.load(spec, names, kfuncs)
    let before = emptySnapshot(spec)
    for (const [i, program] of programs.entries()) {
      const loaded = app.programs[program.name]
      if (!loaded) throw new BpfError('unknown-program', `${program.name} was not loaded`)
      const { retval } = await loaded.runAsync(runOptions(program, options))
      await session.drain(options.until ?? 'idle')
      const outcome = { program, retval, observed: session.observe(), before, after: takeSnapshot(spec, app) }
      if (options.json) io.out(toJson(outcomeJson(outcome)))
      else io.out([...(i > 0 ? [''] : []), ...describe(outcome, session, io)].join('\n'))
      before = outcome.after
    }
  } finally {
    await session.close()
  }
  return exitCodes.yes
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

function outcomeJson({ program, retval, observed, after }: Outcome): Record<string, unknown> {
  const elements = [...after.maps].map(([name, map]) => {
    return [name, Object.fromEntries([...map.elements].map(([key, { value }]) => [key, value]))]
  })
  return {
    program: program.name,
    retval,
    work: observed.work.map(({ kind, map, key, callback, cpu, startNs, beginNs }) => {
      return { kind, map, key, callback, cpu, startNs, beginNs: beginNs ?? null }
    }),
    printk: observed.printk,
    globals: Object.fromEntries(after.globals),
    maps: Object.fromEntries(elements),
  }
}

function describe({ program, retval, observed, before, after }: Outcome, session: Session, io: Io): string[] {
  const { bold, dim } = io.colors
  const lines = [`${bold(program.name)} ${dim(`(${program.type})`)} returned ${showRetval(retval)}`]
  const section = (title: string, body: readonly string[]): void => {
    if (body.length > 0) lines.push('', bold(title), ...body.map((line) => `  ${line}`))
  }
  section(
    'work',
    showWork(observed.work, observed.startNs).map((line) => line.replace(/ started at .*/, dim)),
  )
  section('printk', observed.printk)
  section('changed', table(changesBetween(before, after).map((change) => showChange(change, session))))
  for (const name of truncatedMaps(after)) lines.push(dim(`  ${name} has more elements than are shown`))
  return lines
}

/** `retval` is unsigned; a small negative number is what was meant by a large one. */
function showRetval(retval: number): string {
  return retval > 0xffff0000 ? `${retval} (${retval | 0})` : String(retval)
}

function showChange({ name, before, after, element }: Change, session: Session): string[] {
  if (after === undefined) return [name, 'deleted']
  const shown = element && isRecord(after) ? { ...after, ...asyncState(session, element) } : after
  if (before === undefined || typeof after === 'object') return [name, showValue(shown)]
  return [name, `${showValue(before)} -> ${showValue(shown)}`]
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value)
}

/** What the element's workqueue and timer are doing, in the place of their opaque bytes. */
function asyncState(session: Session, { map, key }: { map: string; key: unknown }): Record<string, unknown> {
  const states = Object.entries(session.inspect(map, key)).filter(([, { state }]) => state !== 'empty')
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
