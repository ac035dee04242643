/**
 * A simulated machine: virtual CPUs, a virtual clock, and Linux's asynchronous side under the user's control. Nothing happens
 * unless it is asked for; the same object, seed and calls give the same memory and the same timeline, byte for byte.
 */
import { BpfError } from '../bits/index.js'
import type { BpfMap, Host, SettleOptions } from '../host/index.js'
import type { ObjectSpec } from '../object/spec.js'
import { getProfile, type Profile } from '../profile/index.js'
import { clockNs, MACHINE, MACHINE_AT } from '../runtime/index.js'
import { assertOpen, type Core, createCore, guardMemory, type MapEntry } from './core.js'
import { compiledHostCall } from './drive.js'
import type { EngineName } from './engines.js'
import { defaultIdentity, type TaskIdentity } from './identity.js'
import { load, type MachineCollection, type MachineLoadOptions } from './load.js'
import { addressOf, entryOf } from './maps.js'
import { advance, type Idle, runUntilIdle, type Step, settle, step } from './scheduler.js'
import { toNs } from './time.js'
import type { TimelineEvent } from './timeline.js'
import { type FieldState, fieldState, type PendingWork, pendingWork } from './work.js'

/** How a machine is made. */
export interface MachineOptions {
  /** The kernel that it imitates: '6.18' (default), '7.0', '7.2'. */
  kernel?: string
  /** Virtual CPUs, 1 to 64 (default 1). */
  cpus?: number
  /** Seed of everything random (default 0). */
  seed?: bigint | number
  /** Most memory that maps, programs and work may take (default 1 GiB, at most 2 GiB). */
  maxMemoryBytes?: number
  /** CLOCK_MONOTONIC at the start, in nanoseconds (default 1 s: a kernel that has just booted). */
  startNs?: bigint | number
  /** CLOCK_REALTIME less CLOCK_MONOTONIC, in nanoseconds (default 0). */
  realtimeOffsetNs?: bigint | number
  /** Who runs programs: what `bpf_get_current_*` answers. */
  task?: Partial<TaskIdentity>
  /**
   * What executes programs (default `interpreter`). The interpreter counts: an instruction takes a nanosecond of the clock,
   * runs can be limited. The compiler runs at native speed and counts nothing but rounds of loops: time passes where the clock
   * is read. Programs that call sleepable kfuncs in TypeScript are interpreted in any case.
   */
  engine?: EngineName
  /** Makes a module of a compiled program's bytes (default: `new WebAssembly.Module`). */
  compile?: (bytes: Uint8Array<ArrayBuffer>) => WebAssembly.Module
  /**
   * Most instructions of one run or callback (default 1,000,000,000). Compiled code counts rounds of bpf_loop and may_goto
   * instead, some thousands at a time: what else a verified program does ends by itself.
   */
  maxInstructions?: number
  /** Most events that `timeline` keeps (default 100,000); 0 turns it off, which makes starting work cheaper. */
  timelineLimit?: number
}

const page = 0x10000

/** A machine. Close it when it is no longer needed: each one reserves address space. */
export class Machine implements Host {
  private readonly core: Core
  private readonly profile: Profile

  /** Throws `BpfError` (`bad-option`, `unknown-kernel`). */
  constructor(options: MachineOptions = {}) {
    this.profile = getProfile(options.kernel)
    const { engine = 'interpreter' } = options
    if (engine !== 'interpreter' && engine !== 'compiler') {
      throw new BpfError('bad-option', `engine must be interpreter or compiler, not ${engine}`, { place: 'machine' })
    }
    const core = {
      engine,
      compile: options.compile,
      cpus: options.cpus ?? 1,
      seed: BigInt.asUintN(64, BigInt(options.seed ?? 0)),
      maxPages: Math.floor((options.maxMemoryBytes ?? 16384 * page) / page),
      identity: { ...defaultIdentity, ...options.task },
      maxInstructions: options.maxInstructions ?? 1_000_000_000,
      timelineLimit: options.timelineLimit ?? 100_000,
    }
    this.core = createCore(core, compiledHostCall)
    const { rt } = this.core
    rt.calls.clockAdvanceTo(toNs(options.startNs ?? 1_000_000_000))
    rt.store64(MACHINE_AT + MACHINE.realtimeOffset, toNs(options.realtimeOffsetNs ?? 0))
  }

  /** Loads an object. Throws `VerifierError` where a program is refused. */
  async load(spec: ObjectSpec, options: MachineLoadOptions = {}): Promise<MachineCollection> {
    return load(this.core, this.profile, spec, options)
  }

  /** CLOCK_MONOTONIC in nanoseconds. Looking does not advance it. */
  get nowNs(): bigint {
    return clockNs(this.core.rt)
  }

  /** Everything that waits to run: queued work CPU by CPU, then timers by expiry. */
  get pending(): PendingWork[] {
    assertOpen(this.core)
    return guardMemory(() => pendingWork(this.core.rt, this.core.names), true)
  }

  /** What programs printed, a line each. */
  get printk(): readonly string[] {
    return this.core.printk
  }

  /** What happened to asynchronous work so far. */
  get timeline(): readonly TimelineEvent[] {
    return this.core.timeline.events
  }

  /** Events that `timeline` had no room for. */
  get timelineDropped(): number {
    return this.core.timeline.dropped
  }

  /**
   * Does one thing that can be done now: goes on with a callback whose promise has settled, fires a timer that has expired, or
   * lets a worker take the next item. `undefined` where only time or a promise could bring more.
   */
  step(): Step | undefined {
    return step(this.core)
  }

  /**
   * Lets `ns` nanoseconds pass (`ms(10)`): timers fire at their time, workers run what is queued. What is due in the end
   * happens with all that it leads to, each item once. Throws `BpfError` (`still-busy`) after 1,000,000 steps.
   */
  advance(ns: bigint | number): void {
    advance(this.core, toNs(ns))
  }

  /**
   * Runs all work, moving the clock to the next timer whenever nothing else can run. `until` is asked before each step.
   * Throws `BpfError` (`still-busy`) after `maxSteps` (default 1,000,000) steps.
   */
  runUntilIdle(options: { until?: () => boolean; maxSteps?: number } = {}): Idle {
    return runUntilIdle(this.core, options)
  }

  /** Runs all work and waits for `async` kfuncs; `timeoutMs` counts on the machine's clock. */
  settle(options: SettleOptions = {}): Promise<void> {
    return settle(this.core, options)
  }

  /**
   * The workqueue and timer of one element, by their names in the value. Throws `BpfError`: `unknown-map`, `no-element`.
   */
  inspect(map: string | BpfMap, key: unknown): Record<string, FieldState> {
    assertOpen(this.core)
    const entry = this.find(map)
    const value = addressOf(this.core, entry, key)
    if (!value)
      throw new BpfError('no-element', 'there is no element with this key', { place: `map ${entry.spec.name}` })
    const { rt, names } = this.core
    const state = (kind: 'wq' | 'timer') => guardMemory(() => fieldState(rt, entry.address, value, kind, names), true)
    return Object.fromEntries(entry.fields.map(({ name, kind }) => [name, state(kind === 'bpf_wq' ? 'wq' : 'timer')]))
  }

  /** Makes the next `count` inits of a `bpf_wq` or `bpf_timer` fail with -ENOMEM (1.15). */
  failInits(count: number): void {
    assertOpen(this.core)
    this.core.rt.store32(MACHINE_AT + MACHINE.failAllocations, count)
  }

  /** A copy of everything that the machine remembers: equal for equal runs. */
  memory(): Uint8Array {
    const { rt } = this.core
    return rt.views.u8.slice(0, rt.load32(MACHINE_AT + MACHINE.heapBreak))
  }

  /** Bytes that maps, programs and work take now. */
  get memoryUsed(): number {
    return this.core.rt.load32(MACHINE_AT + MACHINE.heapUsed)
  }

  async close(): Promise<void> {
    this.core.closed = true
    this.core.waiting.length = 0
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  private find(map: string | BpfMap): MapEntry {
    const entry =
      typeof map === 'string'
        ? [...this.core.maps.values()].reverse().find(({ spec }) => spec.name === map)
        : entryOf(this.core, map)
    if (entry) return entry
    throw new BpfError('unknown-map', `no map has the name ${typeof map === 'string' ? map : map.name}`)
  }
}
