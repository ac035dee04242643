/**
 * Makes a machine's memory and the module of routines over it. The module is emitted and compiled once per mode in a
 * process; each machine has an instance of it over its own memory. Nothing but names lives in JavaScript.
 */
import { BpfError } from '../bits/index.js'
import { type AnyRoutine, createLinker, type Mode, ModuleWriter, type Routine } from '../wasm/index.js'
import { alloc, allocZeroed, free, grown } from './alloc.js'
import { asyncCancelAll, asyncCancelFree, objectHold, objectPut } from './async.js'
import { clockAdvanceTo, clockRead } from './clock.js'
import { guarded } from './common.js'
import { hashPrepare } from './hash.js'
import { CPU, HEAP_BASE, MACHINE, MACHINE_AT, MACHINE_MAGIC } from './layout.js'
import { isLeaf, type LeafName, leaves, shimOf } from './leaf.js'
import {
  mapCopyOut,
  mapDelete,
  mapGet,
  mapLookup,
  mapNextKey,
  mapPeek,
  mapPut,
  mapTake,
  mapUpdate,
  mapUserGet,
  mapUserPut,
} from './map.js'
import { progGet, progPut } from './prog.js'
import { mix64, randomSeed, randomU32 } from './random.js'
import { spinRelease, spinTryLock } from './spin-lock.js'
import { progEnter, progLeave, taskCallback, taskFree, taskNew } from './task.js'
import { timerCancel, timerFinish, timerInit, timerNext, timerPick, timerSetCallback, timerStart } from './timer.js'
import { mapWalk } from './walk.js'
import { wqFinish, wqInit, wqPick, wqSetCallback, wqStart } from './wq.js'

/** The routines that JavaScript may call; their documentation stands where they are defined. */
const routines = {
  alloc,
  allocZeroed,
  free,
  asyncCancelAll,
  asyncCancelFree,
  objectHold,
  objectPut,
  clockAdvanceTo,
  clockRead,
  hashPrepare,
  mapCopyOut,
  mapDelete,
  mapGet,
  mapLookup,
  mapNextKey,
  mapPeek,
  mapPut,
  mapTake,
  mapUpdate,
  mapUserGet,
  mapUserPut,
  mapWalk,
  mix64,
  progEnter,
  progGet,
  progLeave,
  progPut,
  randomSeed,
  randomU32,
  spinRelease,
  spinTryLock,
  taskCallback,
  taskFree,
  taskNew,
  timerCancel,
  timerFinish,
  timerInit,
  timerNext,
  timerPick,
  timerSetCallback,
  timerStart,
  wqFinish,
  wqInit,
  wqPick,
  wqSetCallback,
  wqStart,
} as const

type Numbers<P> = P extends readonly [infer First, ...infer Rest]
  ? [First extends 'i64' ? bigint : number, ...Numbers<Rest>]
  : []
type Exported<R> =
  R extends Routine<infer P, infer Result>
    ? (...args: Numbers<P>) => Result extends 'i64' ? bigint : Result extends 'i32' ? number : void
    : never

/** The routines as functions: i32 as (signed) number, i64 as bigint. Addresses are never negative. */
export type Calls = { readonly [K in keyof typeof routines]: Exported<(typeof routines)[K]> }

/** Views of the memory. The object stays, its members are replaced when the memory grows: do not keep them over a call. */
export interface Views {
  u8: Uint8Array
  u32: Uint32Array
  i32: Int32Array
  u64: BigUint64Array
  /** Little-endian access at any alignment: pass `true`. */
  data: DataView
}

/** Options of `createRuntime`. */
export interface RuntimeOptions {
  /** Number of virtual CPUs, 1 to 64 (default 1). */
  cpus?: number
  /** Seed of everything random (default 0). */
  seed?: bigint
  /** Most pages of 64 KiB that the machine may use, at most 32768 (2 GiB; default 16384 = 1 GiB). */
  maxPages?: number
  /** `atomic` for a machine whose CPUs are threads: the memory is shared (default `plain`). */
  mode?: Mode
  /** Attach to the memory of a machine that exists (another thread's) instead of making one. */
  memory?: WebAssembly.Memory
}

/** The memory of one machine and what works on it. */
export interface Runtime {
  readonly memory: WebAssembly.Memory
  readonly views: Views
  readonly mode: Mode
  /** The module of routines, for the worker threads of an `atomic` machine: its import is `host`: `memory`, `grown()`. */
  readonly module: WebAssembly.Module
  readonly cpus: number
  readonly calls: Calls
  /** `shims[name](task)`: does a helper or kfunc for a task; 0 done, 1 blocked. See `leaf.ts`. */
  readonly shims: Readonly<Record<LeafName, (task: number) => number>>
  /** The u32 and u64 at an address, and writing them. */
  load32(address: number): number
  load64(address: number): bigint
  store32(address: number, value: number): void
  store64(address: number, value: bigint): void
}

/** The largest address space of a machine, in pages: addresses stay positive as i32. */
const MAX_PAGES = 32768
const INITIAL_PAGES = 32

const modules = new Map<Mode, WebAssembly.Module>()

/** The module of routines, emitted at first use. */
function runtimeModule(mode: Mode): WebAssembly.Module {
  const known = modules.get(mode)
  if (known) return known
  const writer = new ModuleWriter()
  writer.importMemory('host', 'memory', { min: 1, max: MAX_PAGES, shared: mode === 'atomic' })
  const linker = createLinker(writer, mode, [grown])
  const add = (name: string, item: AnyRoutine): void => writer.exportFunc(name, linker.index(guarded(item, mode)))
  for (const [name, item] of Object.entries(routines)) add(name, item)
  for (const name of Object.keys(leaves)) if (isLeaf(name)) add(name, shimOf(name))
  linker.flush()
  const module = new WebAssembly.Module(writer.finish())
  modules.set(mode, module)
  return module
}

/**
 * A new machine's memory, or a second hold on one that exists. Throws `BpfError` (`bad-option`) for numbers out of range
 * and (`bad-memory`) for a memory that holds no machine.
 */
export function createRuntime(options: RuntimeOptions = {}): Runtime {
  const { cpus = 1, seed = 0n, maxPages = 16384, mode = 'plain' } = options
  checkRange('cpus', cpus, 1, 64)
  checkRange('maxPages', maxPages, INITIAL_PAGES, MAX_PAGES)
  const memory =
    options.memory ?? new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum: maxPages, shared: mode === 'atomic' })
  const views = refresh({} as Views, memory)
  const host = { memory, grown: () => refresh(views, memory) }
  const module = runtimeModule(mode)
  const instance = new WebAssembly.Instance(module, { host })
  const exports = instance.exports as unknown as Calls & Runtime['shims']
  const runtime: Runtime = {
    memory,
    views,
    mode,
    module,
    cpus: options.memory ? attachedCpus(views) : cpus,
    calls: exports,
    shims: exports,
    load32: (address) => views.data.getUint32(address, true),
    load64: (address) => views.data.getBigUint64(address, true),
    store32: (address, value) => views.data.setUint32(address, value, true),
    store64: (address, value) => views.data.setBigUint64(address, value, true),
  }
  if (!options.memory) prepare(runtime, seed, maxPages)
  return runtime
}

function checkRange(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return
  throw new BpfError('bad-option', `must be a whole number from ${least} to ${most}, not ${value}`, { place: name })
}

/** Makes views of what the memory is now. */
export function refresh(views: Views, memory: WebAssembly.Memory): Views {
  const { buffer } = memory
  views.u8 = new Uint8Array(buffer)
  views.u32 = new Uint32Array(buffer)
  views.i32 = new Int32Array(buffer)
  views.u64 = new BigUint64Array(buffer)
  views.data = new DataView(buffer)
  return views
}

function attachedCpus({ data }: Views): number {
  if (data.byteLength < HEAP_BASE || data.getUint32(MACHINE_AT + MACHINE.magic, true) !== MACHINE_MAGIC) {
    throw new BpfError('bad-memory', 'the memory holds no machine')
  }
  return data.getUint32(MACHINE_AT + MACHINE.cpuCount, true)
}

/** Writes the machine block and the CPU blocks. */
function prepare({ calls, store32, store64, cpus }: Runtime, seed: bigint, maxPages: number): void {
  const set = (field: number, value: number): void => store32(MACHINE_AT + field, value)
  set(MACHINE.magic, MACHINE_MAGIC)
  set(MACHINE.heapBreak, HEAP_BASE)
  set(MACHINE.heapEnd, INITIAL_PAGES * 0x10000)
  set(MACHINE.heapLimit, maxPages * 0x10000 - (maxPages === MAX_PAGES ? 0x10000 : 0))
  set(MACHINE.nextMapId, 1)
  set(MACHINE.nextProgId, 1)
  set(MACHINE.cpuCount, cpus)
  store64(MACHINE_AT + MACHINE.seed, seed)
  const blocks = calls.allocZeroed(cpus * CPU.size)
  set(MACHINE.cpus, blocks)
  for (let cpu = 0; cpu < cpus; cpu++) {
    store32(blocks + cpu * CPU.size + CPU.id, cpu)
    calls.randomSeed(cpu)
  }
}

/** A copy of everything that the machine remembers. */
export function snapshot({ views, load32 }: Runtime): Uint8Array {
  return views.u8.slice(0, load32(MACHINE_AT + MACHINE.heapBreak))
}

/** Brings a machine back to a snapshot of itself. Throws `BpfError` (`bad-memory`) for bytes that are none. */
export function restore({ views, load32 }: Runtime, bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < HEAP_BASE || view.getUint32(MACHINE_AT, true) !== MACHINE_MAGIC) {
    throw new BpfError('bad-memory', 'the bytes are no snapshot of a machine')
  }
  const end = load32(MACHINE_AT + MACHINE.heapBreak)
  const size = load32(MACHINE_AT + MACHINE.heapEnd)
  views.u8.set(bytes)
  if (end > bytes.length) views.u8.fill(0, bytes.length, end)
  views.data.setUint32(MACHINE_AT + MACHINE.heapEnd, size, true)
}
