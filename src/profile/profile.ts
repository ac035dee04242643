/**
 * Profiles by kernel version. 6.18 is the one that was recorded; a later kernel is written as what differs from it, as far as
 * this version of Workerbee knows: the workqueue kfuncs. Everything is looked up lazily, so that importing costs nothing.
 */
import { BpfError } from '../bits/index.js'
import { type Btf, parseBtf } from '../btf/index.js'
import { type AttachType, helperIds, type MapType, type ProgramType } from '../uapi/index.js'
import { helperPrototype } from './helper-table.js'
import { kfuncFlags } from './kfunc-flags.js'
import { mapAllowed } from './map-rules.js'
import { contextStructs, packetWriters, tracingTypes } from './program-rows.js'
import type { ContextRow, ContextValue, KfuncRow, KfuncTypes, Profile, ProgramRow } from './types.js'
import { prunedBtf } from './v6_18/btf.js'
import * as recorded from './v6_18/recorded.js'

/** Kernels that have a profile. */
export const kernelVersions = ['6.18', '7.0', '7.2'] as const

/** A kernel that has a profile. */
export type KernelVersion = (typeof kernelVersions)[number]

/** What a later kernel does differently. */
interface Difference {
  /** Workqueue and task work kfuncs hide their last parameter and dropped `_impl` (7.0). */
  readonly implicitArgs: boolean
  readonly tracingForbids: readonly string[]
}

const differences: Record<KernelVersion, Difference> = {
  '6.18': { implicitArgs: false, tracingForbids: ['bpf_wq', 'bpf_timer'] },
  '7.0': { implicitArgs: true, tracingForbids: ['bpf_wq', 'bpf_timer'] },
  '7.2': { implicitArgs: true, tracingForbids: [] },
}

const profiles = new Map<string, Profile>()

/** The profile of a kernel: `6.18`, or a point release of it. Throws `BpfError` (`unknown-kernel`) for others. */
export function getProfile(kernel: string = '6.18'): Profile {
  const version = kernelVersions.find((known) => kernel === known || kernel.startsWith(`${known}.`))
  if (!version) {
    throw new BpfError(
      'unknown-kernel',
      `there is no profile of Linux ${kernel}; known are ${kernelVersions.join(', ')}`,
    )
  }
  const known = profiles.get(version)
  if (known) return known
  const profile = makeProfile(version, differences[version])
  profiles.set(version, profile)
  return profile
}

/** The same kernel with more kfuncs: those that the user supplies. One of a known name replaces it. */
export function withKfuncs(profile: Profile, rows: readonly KfuncRow[]): Profile {
  const kfuncs = new Map(profile.kfuncs)
  for (const row of rows) kfuncs.set(row.name, row)
  return { ...profile, kfuncs, kfunc: (name) => kfuncs.get(name) }
}

function makeProfile(version: KernelVersion, difference: Difference): Profile {
  const kfuncs = kfuncTable(difference)
  return {
    kernel: version,
    helper: helperPrototype,
    hasHelper: (id) => knownHelpers().has(id),
    helperAllowed: (id, type) => callers(type).has(id),
    kfunc: (name) => kfuncs.get(name),
    kfuncById(id) {
      if (id >>> 0 >= 2 ** 31 || id < recorded.firstFunctionId) return 'no function'
      return [...kfuncs.values()].find((row) => row.kernelId === id)
    },
    kfuncs,
    kfuncAllowed: (row, type) => row.programTypes === 'all' || row.programTypes.includes(type),
    kfuncHint: (name) => hint(name, version, difference),
    program: programRow,
    contextAccess: (type, access, offset, size) => contextAccess(contextOf(type), access, offset, size),
    mapAllowed: (helper, map: MapType) => mapAllowed(helper, map),
    tracingForbids: difference.tracingForbids,
    // The largest CONFIG_NR_CPUS of common configurations: a bound that holds wherever the program will run.
    cpus: 8192,
    btf: kernelBtf,
  }
}

const once = <T>(make: () => T): (() => T) => {
  let made: { value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

/** The pruned BTF of 6.18. */
const kernelBtf: () => Btf = once(() => parseBtf(Uint8Array.from(atob(prunedBtf), (letter) => letter.charCodeAt(0))))

const knownHelpers = once(() => new Set<number>(Object.values(helperIds).filter((id) => id !== 0)))

/** `1-3,5` as numbers. */
function numbers(ranges: string): number[] {
  if (!ranges) return []
  return ranges.split(',').flatMap((part) => {
    const [from = 0, to = from] = part.split('-').map(Number)
    return Array.from({ length: to - from + 1 }, (_, i) => from + i)
  })
}

const callerSets = new Map<ProgramType, ReadonlySet<number>>()

function callers(type: ProgramType): ReadonlySet<number> {
  const known = callerSets.get(type)
  if (known) return known
  const set = new Set(numbers(recorded.helperCallers[type] ?? ''))
  callerSets.set(type, set)
  return set
}

const rows = new Map<string, ProgramRow>()

function programRow(type: ProgramType, attachType?: AttachType): ProgramRow {
  const ranges = recorded.returnRanges
  const key = attachType && `${type}/${attachType}` in ranges ? `${type}/${attachType}` : type
  const known = rows.get(key)
  if (known) return known
  const range = ranges[key]
  const row: ProgramRow = {
    type,
    contextStruct: contextStructs[type],
    context: contextOf(type),
    returns: range ? [BigInt(range[0]), BigInt(range[1])] : undefined,
    packetWrite: packetWriters.has(type),
    tracing: tracingTypes.has(type),
    sleepable: recorded.sleepableTypes[type] ?? 'may',
  }
  rows.set(key, row)
  return row
}

const values = new Set<string>([
  'scalar',
  'pkt',
  'pkt_end',
  'pkt_meta',
  'sock_common_or_null',
  'sock_or_null',
  'sock',
  'flow_keys',
])
const contexts = new Map<ProgramType, readonly ContextRow[] | undefined>()

function contextOf(type: ProgramType): readonly ContextRow[] | undefined {
  if (!contexts.has(type)) {
    const made = recorded.contextRows[type]?.map(([access, size, from, to, step, value]) => ({
      access,
      size,
      from,
      to,
      step,
      value: (values.has(value) ? value : 'other') as ContextValue,
    }))
    contexts.set(type, made)
  }
  return contexts.get(type)
}

function contextAccess(
  context: readonly ContextRow[] | undefined,
  access: 'read' | 'write',
  offset: number,
  size: number,
): ContextValue | undefined {
  return context?.find(
    (row) =>
      row.access === access &&
      row.size === size &&
      offset >= row.from &&
      offset <= row.to &&
      (offset - row.from) % row.step === 0,
  )?.value
}

/** Kfuncs of which 7.0 shows the program one parameter less, under a name without `_impl`. */
const implicit = [
  'bpf_wq_set_callback',
  'bpf_task_work_schedule_signal',
  'bpf_task_work_schedule_resume',
  'bpf_stream_vprintk',
]

function kfuncTable({ implicitArgs }: Difference): ReadonlyMap<string, KfuncRow> {
  const table = new Map<string, KfuncRow>()
  for (const [name, kernelId, types, sleeps] of recorded.kfuncRows) {
    const visible = implicitArgs ? implicit.find((base) => name === `${base}_impl`) : undefined
    const listed = kfuncFlags[name]
    const row: KfuncRow = {
      name: visible ?? name,
      kernelId,
      described: listed !== undefined,
      flags: sleeps ? { ...listed, sleepable: true } : (listed ?? {}),
      programTypes: types === 'all' ? 'all' : (types.split(' ') as ProgramType[]),
      types: once(() => kernelTypes(name)),
      ...(visible ? { hiddenParams: 1 } : {}),
    }
    table.set(row.name, row)
  }
  return table
}

function kernelTypes(name: string): KfuncTypes {
  const btf = kernelBtf()
  const func = btf.find(name, 'func')[0]
  if (func === undefined) throw new BpfError('unknown-kfunc', `the pruned BTF has no function ${name}`)
  return { btf, func }
}

function hint(name: string, version: KernelVersion, { implicitArgs }: Difference): string | undefined {
  const base = name.replace(/_impl$/, '')
  if (!implicit.includes(base)) return undefined
  if (implicitArgs && name !== base) {
    return `Linux ${version} renamed it: call ${base}, without the last argument, or verify for Linux 6.18`
  }
  if (!implicitArgs && name === base) {
    return `${name} came with Linux 7.0: on ${version} call ${name}_impl with NULL as its last argument`
  }
  return undefined
}
