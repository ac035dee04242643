/**
 * The inside of a machine, shared by its parts: the runtime's memory, the engine over it, and the names that JavaScript keeps
 * for what lies there. `Machine` is the face of it.
 */
import { BpfError } from '../bits/index.js'
import type { Engine } from '../engine/index.js'
import type { BpfMap, Codec } from '../host/index.js'
import type { MapSpec, ProgramSpec } from '../object/spec.js'
import { createRuntime, deadProgs, ELEM, freeProg, type LeafName, MAP, type Runtime } from '../runtime/index.js'
import type { Job } from './drive.js'
import { createEngines, type EngineName, type Engines } from './engines.js'
import type { NamedField } from './field-names.js'
import { type GuestMemory, guestMemory } from './guest-memory.js'
import type { HostHelper } from './host-helpers.js'
import type { TaskIdentity } from './identity.js'
import type { Kfunc } from './kfunc.js'
import type { KfuncPlan } from './kfunc-call.js'
import { createTimeline, type Timeline } from './timeline.js'
import type { Names } from './work.js'

/** A map in memory and what JavaScript knows about it. */
export interface MapEntry {
  readonly address: number
  readonly spec: MapSpec
  readonly keys: Codec
  readonly values: Codec
  /** Its workqueue and timer. */
  readonly fields: readonly NamedField[]
  /** What users hold. */
  readonly face: BpfMap
}

/** A program in memory. */
export interface ProgramEntry {
  readonly address: number
  readonly spec: ProgramSpec
  /** Who executes it. */
  readonly engine: Engine
  /** Function descriptors, the entry first. */
  readonly handles: readonly number[]
  /** Addresses of the maps that it holds. */
  readonly maps: readonly number[]
  /** Ids of its host calls. */
  readonly hostCalls: readonly number[]
}

/** What a `host` stop asks for, by the id in the call instruction. */
export type HostEntry =
  | { readonly kind: 'helper'; readonly name: string; readonly run: HostHelper }
  | { readonly kind: 'kfunc'; readonly plan: KfuncPlan; readonly kfunc: Kfunc }
  /** `bpf_wq_start` or `bpf_timer_start`, done by its shim and entered in the timeline. */
  | { readonly kind: 'start'; readonly name: LeafName }
  /** A weak kfunc that does not exist: verified programs never get there (3.6). */
  | { readonly kind: 'unresolved'; readonly name: string }

/** Limits and settings that do not change. */
export interface CoreOptions {
  readonly cpus: number
  readonly seed: bigint
  readonly maxPages: number
  /** What executes programs, where they do not have to wait. */
  readonly engine: EngineName
  /** Makes modules of compiled programs. */
  readonly compile: ((bytes: Uint8Array<ArrayBuffer>) => WebAssembly.Module) | undefined
  /** Who runs programs. */
  readonly identity: TaskIdentity
  /** Most instructions of one run or callback. */
  readonly maxInstructions: number
  /** Events that the timeline keeps; 0 turns it off. */
  readonly timelineLimit: number
}

/** One machine's inside. */
export interface Core {
  readonly rt: Runtime
  readonly engines: Engines
  readonly memory: GuestMemory
  readonly options: CoreOptions
  readonly maps: Map<number, MapEntry>
  readonly programs: Map<number, ProgramEntry>
  /** Function descriptors: which program's which function. */
  readonly functions: Map<number, { readonly program: ProgramEntry; readonly name: string }>
  readonly hostCalls: Map<number, HostEntry>
  /** Callbacks and runs that wait, in the order in which they began to. */
  readonly waiting: Job[]
  /** What executes now: the innermost, where a call of the machine runs another. */
  running: Job | undefined
  readonly timeline: Timeline
  readonly printk: string[]
  readonly names: Names
  nextHostCall: number
  /** Programs that user space has closed and that are still there. */
  closedPrograms: number
  closed: boolean
}

/** Makes a machine's memory, engines and empty tables. `host` does the host calls of compiled code. */
export function createCore(options: CoreOptions, host: (core: Core, task: number, id: number) => void): Core {
  const rt = createRuntime({ cpus: options.cpus, seed: options.seed, maxPages: options.maxPages })
  const memory = guestMemory(rt.memory)
  const maps: Core['maps'] = new Map()
  const functions: Core['functions'] = new Map()
  const core: Core = {
    rt,
    engines: createEngines(rt, options.engine, (task, id) => host(core, task, id), options.compile),
    memory,
    options,
    maps,
    programs: new Map(),
    functions,
    hostCalls: new Map(),
    waiting: [],
    running: undefined,
    timeline: createTimeline(options.timelineLimit),
    printk: [],
    names: {
      map: (address) => maps.get(address)?.spec.name ?? '',
      callback: (func) => functions.get(func)?.name ?? '',
      key(map, value) {
        const entry = maps.get(map)
        return entry?.keys.read(keyBytes(rt, memory, entry, value))
      },
    },
    nextHostCall: 1,
    closedPrograms: 0,
    closed: false,
  }
  return core
}

const indexWord = new Uint32Array(1)
const indexBytes = new Uint8Array(indexWord.buffer)

/** The key of the element whose value lies at an address: an array's index, or the bytes before a hash's value (1.13). */
function keyBytes(rt: Runtime, memory: GuestMemory, { address, spec }: MapEntry, value: number): Uint8Array {
  if (spec.type === 'array') {
    indexWord[0] = (value - rt.load32(address + MAP.storage)) / rt.load32(address + MAP.stride)
    return indexBytes
  }
  return memory.read(value - rt.load32(address + MAP.valueOffset) + ELEM.size, spec.keySize)
}

/** Throws `BpfError` (`machine-closed`) once the machine is closed. */
export function assertOpen(core: Core): void {
  if (core.closed) throw new BpfError('machine-closed', 'the machine is closed')
}

/**
 * Does something with the machine's memory. Only a program that was not verified can have written over what the machine keeps
 * there: `BpfError` (`corrupt-memory`). `reading` where nothing of the user's is called, so that any address out of range is
 * such a case.
 */
export function guardMemory<T>(act: () => T, reading = false): T {
  try {
    return act()
  } catch (error) {
    if (!(error instanceof WebAssembly.RuntimeError) && !(reading && error instanceof RangeError)) throw error
    throw new BpfError('corrupt-memory', "an unverified program wrote over the machine's own memory", { cause: error })
  }
}

/** Gives a call of the machine its id. */
export function addHostCall(core: Core, entry: HostEntry): number {
  const id = core.nextHostCall
  core.nextHostCall += 1
  core.hostCalls.set(id, entry)
  return id
}

/** Drops a reference on a map (`user`: a user reference, 1.14), and its names when it was the last. */
export function dropMap(core: Core, address: number, user: boolean): void {
  const { rt } = core
  if (rt.load32(address + MAP.refs) === 1) core.maps.delete(address)
  guardMemory(() => (user ? rt.calls.mapUserPut(address) : rt.calls.mapPut(address)))
}

/**
 * Frees the programs that nobody holds and nothing executes (1.7, 1.21): user space has closed them, and the objects that
 * held them are gone.
 */
export function reapPrograms(core: Core): void {
  if (core.closedPrograms === 0) return
  guardMemory(() => {
    for (const address of deadProgs(core.rt)) {
      const program = core.programs.get(address)
      if (program) forget(core, program)
      freeProg(core.rt, address)
      core.closedPrograms -= 1
      for (const map of program?.maps ?? []) dropMap(core, map, false)
    }
  })
}

/** Drops the user reference on a program; it goes when nothing else holds it. */
export function closeProgram(core: Core, address: number): void {
  core.closedPrograms += 1
  core.rt.calls.progPut(address)
  reapPrograms(core)
}

function forget(core: Core, { address, engine, handles, hostCalls }: ProgramEntry): void {
  core.programs.delete(address)
  for (const handle of handles) core.functions.delete(handle)
  for (const id of hostCalls) core.hostCalls.delete(id)
  engine.release(handles)
}
