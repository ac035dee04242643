/** What waits and what a field is doing, in the user's words: names from the loader's tables, the rest from the runtime. */
import { ASYNC, type AsyncObject, armed, objectIn, queued, type Runtime } from '../runtime/index.js'

/** A workqueue item that is queued, or a timer that is armed. */
export interface PendingWork {
  readonly kind: 'wq' | 'timer'
  /** The map's name in its object. */
  readonly map: string
  /** The element's key. */
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
  /** `empty`: before init, or after cancel-and-free. */
  readonly state: 'empty' | 'idle' | 'pending' | 'running' | 'running+pending'
  /** The function that set_callback bound, where there is one. */
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

/** Timers in the order in which they fire: by expiry, then by the order of arming. */
export function byExpiry(rt: Runtime): (a: AsyncObject, b: AsyncObject) => number {
  const sequence = ({ address }: AsyncObject) => rt.load64(address + ASYNC.sequence)
  const order = (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0)
  return (a, b) => order(a.expiryNs, b.expiryNs) || order(sequence(a), sequence(b))
}

/** Everything that waits: queued work CPU by CPU in order, then timers as they will fire. */
export function pendingWork(rt: Runtime, names: Names): PendingWork[] {
  const cpus = Array.from({ length: rt.cpus }, (_, cpu) => cpu)
  const timers = cpus.flatMap((cpu) => armed(rt, cpu)).sort(byExpiry(rt))
  return [...cpus.flatMap((cpu) => queued(rt, cpu)), ...timers].map((object) => ({
    kind: object.kind,
    map: names.map(object.map),
    key: names.key(object.map, object.value),
    callback: names.callback(object.func),
    cpu: object.cpu,
    ...(object.kind === 'timer' ? { expiryNs: object.expiryNs } : {}),
  }))
}

/** The state of the workqueue or timer in one value. */
export function fieldState(rt: Runtime, map: number, value: number, kind: 'wq' | 'timer', names: Names): FieldState {
  const object = objectIn(rt, map, value, kind)
  if (!object) return { state: 'empty' }
  const { state, func, starts, runs, expiryNs } = object
  return {
    state,
    ...(func ? { callback: names.callback(func) } : {}),
    starts,
    runs,
    ...(kind === 'timer' && state.endsWith('pending') ? { expiryNs } : {}),
  }
}
