/**
 * The seam between a program's user and whatever runs it. `Machine` (simulated) and `Linux` (the kernel) implement it; a
 * test written against `Host` runs on both.
 */
import type { MapSpec, ObjectSpec, ProgramSpec } from '../object/spec.js'

/** How one run of a program is set up. */
export interface RunOptions {
  /** The context, member by member (`{ mark: 7 }`; those left out have test_run's defaults), or its raw bytes. */
  ctx?: Record<string, unknown> | Uint8Array
  /** The packet, for programs that have one. */
  data?: Uint8Array
  /** How often to run it (default 1); the result is the last run's, each starts with what the one before it left. */
  repeat?: number
  /** Which CPU runs it (default 0). */
  cpu?: number
}

/** What a run gave. */
export interface RunResult {
  /** The low 32 bits of R0, unsigned, as BPF_PROG_TEST_RUN gives them. */
  retval: number
  /** The packet as the program left it, where it has one. */
  data?: Uint8Array
  /** The context as the program left it, where one was given. */
  ctx?: Uint8Array
  /** The same, member by member, where its type is known. */
  fields?: Record<string, unknown>
}

/** A loaded program. */
export interface Program {
  readonly name: string
  readonly spec: ProgramSpec
  /** Runs it to its end. Throws `ErrnoError` where the kernel's test_run would fail. */
  run(options?: RunOptions): RunResult
  /** The same, where the run may have to wait for a kfunc that is `async`. */
  runAsync(options?: RunOptions): Promise<RunResult>
  close(): void
}

/** A map. Keys and values are typed by BTF; without BTF they are `Uint8Array`. */
export interface BpfMap<Key = unknown, Value = unknown> {
  readonly name: string
  readonly spec: MapSpec
  /** `undefined` where there is no such element. */
  get(key: Key): Value | undefined
  /** Members that are left out are zero. `flags` as in `updateFlags`. */
  set(key: Key, value: Value, flags?: number): void
  /** `false` where there was no such element. */
  delete(key: Key): boolean
  has(key: Key): boolean
  lookupAndDelete(key: Key): Value | undefined
  /** Number of elements, counted. */
  readonly size: number
  entries(): IterableIterator<[Key, Value]>
  [Symbol.iterator](): IterableIterator<[Key, Value]>
  /** Drops the user reference: at the last one every workqueue, timer and task work in the map is cancelled. */
  close(): void
}

/** What a host made of an object. */
export interface Collection {
  readonly programs: Readonly<Record<string, Program>>
  readonly maps: Readonly<Record<string, BpfMap>>
  /** Global variables, read and written in place, typed by BTF. */
  readonly globals: Record<string, unknown>
  close(): void
  [Symbol.asyncDispose](): Promise<void>
}

/** Options of `Host.load` that every host understands. */
export interface LoadOptions {
  /** Names to load; default: all but `SEC("?...")`. */
  programs?: readonly string[]
  /** Maps to share with another collection, by name in this object. */
  maps?: Readonly<Record<string, BpfMap>>
}

/** Options of `Host.settle`. */
export interface SettleOptions {
  /** Stop as soon as this holds. Without it: until no work is left. */
  until?: () => boolean
  /** Give up after this much of the host's time, in milliseconds (default 1000). */
  timeoutMs?: number
}

/** Something that loads and runs eBPF. */
export interface Host {
  load(spec: ObjectSpec, options?: LoadOptions): Promise<Collection>
  /** Lets asynchronous work happen. Throws `BpfError` (`settle-timeout`) where `until` did not come true in time. */
  settle(options?: SettleOptions): Promise<void>
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}
