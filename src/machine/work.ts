/**
 * Reading the asynchronous side of a machine's memory: what is queued, armed or running, without changing anything. Names
 * come from the loader's tables, everything else from `runtime/layout`.
 */
import { ASYNC, asyncKinds, asyncStates, CELL, CPU, MACHINE, MACHINE_AT, MAP, NO_FIELD } from '../runtime/layout.js'

/** A workqueue item that is queued, or a timer that is armed. */
export interface PendingWork {
  readonly kind: 'wq' | 'timer'
  /** The map's name in its object. */
  readonly map: string
  /** The element's key; `undefined` where the element has left the map. */
  readonly key: unknown
  /** The function that would be called if it began now. */
  readonly callback: string
  /** The CPU that will run it. */
  readonly cpu: number
  /** Timers: when, on the machine's clock. */
  readonly expiryNs?: bigint
}

/** What one `bpf_wq` or `bpf_timer` is doing. */
export interface FieldState {
  readonly state: 'empty' | 'idle' | 'pending' | 'running' | 'running+pending'
  /** The function that set_callback bound; `undefined` where there is none. */
  readonly callback?: string
  /** Starts that were accepted, and invocations that began, since init. */
  readonly starts?: number
  readonly runs?: number
  /** An armed timer: when, on the machine's clock. */
  readonly expiryNs?: bigint
}

/** Names for what lies in memory. */
export interface Names {
  map(address: number): string
  /** The key of the element whose value lies at this address. */
  key(map: number, value: number): unknown
  callback(func: number): string
}

/** One asynchronous object as it lies in memory. */
export interface WorkObject {
  readonly address: number
  readonly id: number
  readonly kind: 'wq' | 'timer'
  readonly map: number
  readonly value: number
  readonly func: number
  readonly cpu: number
  readonly startedAtNs: bigint
  readonly expiryNs: bigint
  readonly sequence: bigint
}

/** Reads the object at an address. */
export function readObject(view: DataView, address: number): WorkObject {
  const u32 = (offset: number) => view.getUint32(address + offset, true)
  return {
    address,
    id: u32(ASYNC.id),
    kind: u32(ASYNC.kind) === asyncKinds.wq ? 'wq' : 'timer',
    map: u32(ASYNC.map),
    value: u32(ASYNC.value),
    func: u32(ASYNC.func),
    cpu: u32(ASYNC.cpu),
    startedAtNs: view.getBigUint64(address + ASYNC.startedAt, true),
    expiryNs: view.getBigUint64(address + ASYNC.expiry, true),
    sequence: view.getBigUint64(address + ASYNC.sequence, true),
  }
}

/** Addresses of all CPU blocks. */
export function cpuBlocks(view: DataView): number[] {
  const first = view.getUint32(MACHINE_AT + MACHINE.cpus, true)
  return Array.from({ length: view.getUint32(MACHINE_AT + MACHINE.cpuCount, true) }, (_, i) => first + i * CPU.size)
}

/** The objects in one CPU's queue, next first. */
export function queued(view: DataView, cpu: number): WorkObject[] {
  const found: WorkObject[] = []
  const length = view.getUint32(cpu + CPU.queueLength, true)
  let at = view.getUint32(cpu + CPU.queueHead, true)
  while (at && found.length < length) {
    found.push(readObject(view, at))
    at = view.getUint32(at + ASYNC.next, true)
  }
  return found
}

/** The timers that are armed on one CPU, next to expire first. */
export function armed(view: DataView, cpu: number): WorkObject[] {
  const found: WorkObject[] = []
  const left = [view.getUint32(cpu + CPU.timerRoot, true)]
  const count = view.getUint32(cpu + CPU.timerCount, true)
  for (let at = left.pop(); at !== undefined && found.length <= count; at = left.pop()) {
    if (at === 0) continue
    found.push(readObject(view, at))
    left.push(view.getUint32(at + ASYNC.next, true), view.getUint32(at + ASYNC.child, true))
  }
  return found.sort(byExpiry)
}

/** Orders timers as they fire. */
export function byExpiry(a: WorkObject, b: WorkObject): number {
  if (a.expiryNs !== b.expiryNs) return a.expiryNs < b.expiryNs ? -1 : 1
  return a.sequence < b.sequence ? -1 : 1
}

/** Everything that waits: queued work CPU by CPU in order, then timers by expiry. */
export function pendingWork(view: DataView, names: Names): PendingWork[] {
  const cpus = cpuBlocks(view)
  const work = cpus.flatMap((cpu) => queued(view, cpu))
  const timers = cpus.flatMap((cpu) => armed(view, cpu)).sort(byExpiry)
  return [...work, ...timers].map((object) => ({
    kind: object.kind,
    map: names.map(object.map),
    key: names.key(object.map, object.value),
    callback: names.callback(object.func),
    cpu: object.cpu,
    ...(object.kind === 'timer' ? { expiryNs: object.expiryNs } : {}),
  }))
}

/** The state of the special field of one value, by the offset's name in the map descriptor; `undefined` without the field. */
export function fieldState(
  view: DataView,
  map: number,
  value: number,
  field: 'wqOffset' | 'timerOffset',
  names: Names,
): FieldState | undefined {
  const offset = view.getUint32(map + MAP[field], true)
  if (offset === NO_FIELD) return undefined
  const object = view.getUint32(value + offset + CELL.object, true)
  if (object === 0) return { state: 'empty' }
  const bits = view.getUint32(object + ASYNC.state, true)
  const pending = (bits & asyncStates.PENDING) !== 0
  const running = (bits & asyncStates.RUNNING) !== 0
  const { func, kind, expiryNs } = readObject(view, object)
  return {
    state: running ? (pending ? 'running+pending' : 'running') : pending ? 'pending' : 'idle',
    ...(func ? { callback: names.callback(func) } : {}),
    starts: view.getUint32(object + ASYNC.starts, true),
    runs: view.getUint32(object + ASYNC.runs, true),
    ...(kind === 'timer' && pending ? { expiryNs } : {}),
  }
}
