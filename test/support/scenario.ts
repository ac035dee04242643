/**
 * Scenarios: what a user does to a loaded object, as data in the comment of its C file, so that the same steps run on Linux
 * (to record) and on the machine (to compare). test/async/README.md describes the format.
 */
import { BpfError } from '../../src/bits/index.js'
import type { Collection, Host } from '../../src/host/index.js'
import type { ObjectSpec } from '../../src/object/index.js'
import { VerifierError } from '../../src/report/index.js'
import { ErrnoError, errnos, type MapType, mapFlags, mapTypes } from '../../src/uapi/index.js'

/** One scenario of a file. */
export interface Scenario {
  readonly name: string
  /** Facts that it shows: `1.3`. */
  readonly facts: readonly string[]
  /** Names of the variants of map `m`; one unnamed one where there are none. */
  readonly variants: readonly string[]
  readonly steps: readonly string[]
}

/** What one step gave. */
export interface Observation {
  readonly step: string
  readonly result?: unknown
  /** The positive errno of a refusal. */
  readonly errno?: number
}

/** What a scenario gave: step by step, and in the end. */
export interface ScenarioRecord {
  readonly steps: readonly Observation[]
  /** Absent where the object could not be loaded. */
  readonly globals?: unknown
  readonly maps?: Readonly<Record<string, unknown>>
}

/** Time and work as the host has them. */
export interface Pace {
  /** Lets `ms` milliseconds pass, and all work that becomes due in them happen. */
  wait(ms: number): Promise<void>
}

/** How long `settle` waits, in milliseconds: timers in scenarios are either well below or well above. */
export const settleMs = 40

/** Reads the scenarios in the comments of a C file. Throws where one is malformed. */
export function parseScenarios(text: string): Scenario[] {
  const scenarios: Scenario[] = []
  const pattern = /^\/\/ scenario (\S+) \(([\d., a-z]*)\)(?: on ([^:]+))?: ?((?:.*\n)(?:\/\/ {3,}.*\n)*)/gm
  for (const [, name = '', facts = '', variants = '', body = ''] of text.matchAll(pattern)) {
    scenarios.push({
      name,
      facts: facts.split(',').map((fact) => fact.trim()),
      variants: variants ? variants.split(',').map((variant) => variant.replace(/^\s*\/\/ /, '').trim()) : [''],
      steps: body
        .replace(/^\/\/ +/gm, ' ')
        .split(';')
        .map((step) => step.replace(/\s+/g, ' ').trim())
        .filter((step) => step !== ''),
    })
  }
  const announced = text.match(/^\/\/ scenario/gm)?.length ?? 0
  if (announced !== scenarios.length)
    throw new BpfError('bad-scenario', `${announced} begin, ${scenarios.length} are complete`)
  return scenarios
}

/** Changes map `m` of a spec into a variant: a map type with flags, `hash+no_prealloc`. */
export function applyVariant(spec: ObjectSpec, variant: string): void {
  if (!variant) return
  const [type = '', ...flags] = variant.split('+')
  const map = spec.maps.m
  if (!map || !Object.hasOwn(mapTypes, type)) throw new BpfError('bad-scenario', `no variant '${variant}'`)
  map.type = type as MapType
  for (const flag of flags) {
    if (!Object.hasOwn(mapFlags, flag)) throw new BpfError('bad-scenario', `no map flag '${flag}'`)
    map.flags |= mapFlags[flag as keyof typeof mapFlags]
  }
}

/** A value as JSON holds it: bigints as decimal strings, bytes as hexadecimal. */
function plain(value: unknown): unknown {
  if (value === undefined) return null
  return JSON.parse(
    JSON.stringify(value, (_, inner: unknown) => {
      if (typeof inner === 'bigint') return String(inner)
      return inner instanceof Uint8Array ? [...inner].map((byte) => byte.toString(16).padStart(2, '0')).join('') : inner
    }),
  )
}

type Act = (app: Collection, words: readonly string[], pace: Pace) => unknown

function mapOf(app: Collection, name = '') {
  const map = Object.hasOwn(app.maps, name) ? app.maps[name] : undefined
  if (map) return map
  throw new BpfError('bad-scenario', `no map '${name}'`)
}

function programOf(app: Collection, name = '') {
  const program = Object.hasOwn(app.programs, name) ? app.programs[name] : undefined
  if (program) return program
  throw new BpfError('bad-scenario', `no program '${name}'`)
}

/** `cpu=1` among the words. */
function option(words: readonly string[], name: string): number | undefined {
  const found = words.find((word) => word.startsWith(`${name}=`))
  return found === undefined ? undefined : Number(found.slice(name.length + 1))
}

function json(words: readonly string[], fallback: unknown): unknown {
  const from = words.findIndex((word) => word.startsWith('{') || word.startsWith('['))
  if (from < 0) return fallback
  return JSON.parse(
    words
      .slice(from)
      .join(' ')
      .replace(/[\]}][^\]}]*$/, (tail) => tail[0] ?? ''),
  )
}

/** An IPv4 packet from 192.0.2.1, 64 bytes with its Ethernet header. */
function packet(): Uint8Array {
  const bytes = new Uint8Array(64)
  bytes.set([0x08, 0x00, 0x45, 0, 0, 50, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2], 12)
  return bytes
}

/** What a step's first word does. */
const acts: Readonly<Record<string, Act>> = {
  run(app, words) {
    const program = programOf(app, words[1])
    const cpu = option(words, 'cpu')
    const ctx = json(words, undefined) as Record<string, unknown> | undefined
    const data = ['xdp', 'sched_cls', 'socket_filter'].includes(program.spec.type ?? '') ? packet() : undefined
    return program.run({
      ...(ctx ? { ctx } : {}),
      ...(data ? { data } : {}),
      ...(cpu === undefined ? {} : { cpu }),
    }).retval
  },
  settle: async (_, __, pace) => pace.wait(settleMs),
  wait: async (_, words, pace) => pace.wait(Number(words[1])),
  get: (app, words) => mapOf(app, words[1]).get(Number(words[2])),
  set(app, words) {
    mapOf(app, words[1]).set(Number(words[2]), json(words, {}), option(words, 'flags') ?? 0)
  },
  delete: (app, words) => mapOf(app, words[1]).delete(Number(words[2])),
  take: (app, words) => mapOf(app, words[1]).lookupAndDelete(Number(words[2])),
  size: (app, words) => mapOf(app, words[1]).size,
  global: (app, words) => app.globals[words[1] ?? ''],
  poke(app, words) {
    app.globals[words[1] ?? ''] = Number(words[2])
  },
  close(app, words) {
    const name = words[1] ?? ''
    if (Object.hasOwn(app.maps, name)) mapOf(app, name).close()
    else programOf(app, name).close()
  },
}

async function observe(app: Collection, step: string, pace: Pace): Promise<Observation> {
  const words = step.split(' ')
  const act = Object.hasOwn(acts, words[0] ?? '') ? acts[words[0] ?? ''] : undefined
  if (!act) throw new BpfError('bad-scenario', `no step '${step}'`)
  try {
    const result = await act(app, words, pace)
    return result === undefined && !['get', 'take', 'global'].includes(words[0] ?? '')
      ? { step }
      : { step, result: plain(result) }
  } catch (error) {
    if (error instanceof ErrnoError) return { step, errno: error.errno }
    throw error
  }
}

/** The errno with which Linux refuses to load, or would; `undefined` for anything else. */
function refusal(error: unknown): number | undefined {
  if (error instanceof ErrnoError) return error.errno
  if (!(error instanceof VerifierError) || error.report.verdict !== 'reject') return undefined
  const name = error.report.programs.find(({ verdict }) => verdict === 'reject')?.errno
  return name && errnos[name]
}

/** Loads the object, with the programs that are run, and takes the steps. Only refusals of the kernel, real or imitated, are part of the record. */
export async function runScenario(
  host: Host,
  pace: Pace,
  spec: ObjectSpec,
  scenario: Scenario,
): Promise<ScenarioRecord> {
  const steps: Observation[] = []
  let app: Collection
  try {
    const programs = scenario.steps.flatMap((step) => /^run (\S+)/.exec(step)?.[1] ?? [])
    app = await host.load(spec, { programs: [...new Set(programs)] })
  } catch (error) {
    const errno = refusal(error)
    if (errno === undefined) throw error
    return { steps: [{ step: 'load', errno }] }
  }
  const closed = new Set<string>()
  for (const step of scenario.steps) {
    steps.push(await observe(app, step, pace))
    const [verb, name = ''] = step.split(' ')
    if (verb === 'close') closed.add(name)
  }
  const maps: Record<string, unknown> = {}
  for (const [name, map] of Object.entries(app.maps)) {
    // Global data is shown by variable, and what is closed cannot be read.
    if (map.spec.contents !== undefined || closed.has(name)) continue
    maps[name] = plain([...map.entries()].sort(([a], [b]) => Number(a) - Number(b)))
  }
  const record = { steps, globals: plain({ ...app.globals }), maps }
  app.close()
  return record
}
