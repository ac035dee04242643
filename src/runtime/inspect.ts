/**
 * Looking at a machine's asynchronous side from JavaScript: objects, queues, timers, maps. Pure reading; nothing here
 * changes the memory or advances the clock.
 */
import { ASYNC, asyncKinds, asyncStates, CPU, MACHINE, MACHINE_AT, MAP, NO_FIELD } from './layout.js'
import { cpuAt } from './map-create.js'
import type { Runtime } from './runtime.js'

/** What an object is doing. */
export type AsyncState = 'idle' | 'pending' | 'running' | 'running+pending'

/** A workqueue item or timer, read. */
export interface AsyncObject {
  /** Address, and a number that is unique in the machine and grows in the order of init. */
  readonly address: number
  readonly id: number
  readonly kind: 'wq' | 'timer'
  readonly state: AsyncState
  /** Its cell was emptied (1.9): it exists because its callback still runs. */
  readonly dead: boolean
  /** Addresses: map, value, function and program of the callback (0: none is set). */
  readonly map: number
  readonly value: number
  readonly func: number
  readonly prog: number
  /** Function of the invocation that runs now; 0 if none does. */
  readonly runningFunc: number
  /** Where it is queued or armed, where it runs, or where it last did. */
  readonly cpu: number
  /** Accepted starts, and invocations begun. */
  readonly starts: number
  readonly runs: number
  /** Monotonic time of the start that made it pending; a pending timer's expiry. */
  readonly startedAtNs: bigint
  readonly expiryNs: bigint
}

/** Reads an object. */
export function readObject({ load32, load64 }: Runtime, address: number): AsyncObject {
  const state = load32(address + ASYNC.state)
  const words = [state & asyncStates.RUNNING ? 'running' : '', state & asyncStates.PENDING ? 'pending' : '']
  return {
    address,
    id: load32(address + ASYNC.id),
    kind: load32(address + ASYNC.kind) === asyncKinds.wq ? 'wq' : 'timer',
    state: (words.filter(Boolean).join('+') || 'idle') as AsyncState,
    dead: (state & asyncStates.DEAD) !== 0,
    map: load32(address + ASYNC.map),
    value: load32(address + ASYNC.value),
    func: load32(address + ASYNC.func),
    prog: load32(address + ASYNC.prog),
    runningFunc: load32(address + ASYNC.runningFunc),
    cpu: load32(address + ASYNC.cpu),
    starts: load32(address + ASYNC.starts),
    runs: load32(address + ASYNC.runs),
    startedAtNs: load64(address + ASYNC.startedAt),
    expiryNs: load64(address + ASYNC.expiry),
  }
}

/** The workqueue items in the queue of a CPU, first to run first. */
export function queued(runtime: Runtime, cpu: number): AsyncObject[] {
  const { load32 } = runtime
  const all: AsyncObject[] = []
  let object = load32(cpuAt(runtime, cpu) + CPU.queueHead)
  for (; object; object = load32(object + ASYNC.next)) all.push(readObject(runtime, object))
  return all
}

/** The armed timers of a CPU, first to expire first. */
export function armed(runtime: Runtime, cpu: number): AsyncObject[] {
  const { load32, load64 } = runtime
  const all: { object: AsyncObject; sequence: bigint }[] = []
  const roots = [load32(cpuAt(runtime, cpu) + CPU.timerRoot)]
  for (let object = roots.pop(); object !== undefined; object = roots.pop()) {
    if (object === 0) continue
    all.push({ object: readObject(runtime, object), sequence: load64(object + ASYNC.sequence) })
    roots.push(load32(object + ASYNC.child), load32(object + ASYNC.next))
  }
  const order = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0)
  all.sort((a, b) => order(a.object.expiryNs, b.object.expiryNs) || order(a.sequence, b.sequence))
  return all.map(({ object }) => object)
}

/** All objects that a map's cells hold, oldest first. */
export function objectsOf(runtime: Runtime, map: number): AsyncObject[] {
  const { load32 } = runtime
  const all: AsyncObject[] = []
  for (let at = load32(map + MAP.objects); at; at = load32(at + ASYNC.mapNext)) all.unshift(readObject(runtime, at))
  return all
}

/** The object in the wq or timer field of a value; `undefined` if the map has no such field or the cell is empty. */
export function objectIn(runtime: Runtime, map: number, value: number, kind: 'wq' | 'timer'): AsyncObject | undefined {
  const offset = runtime.load32(map + (kind === 'wq' ? MAP.wqOffset : MAP.timerOffset))
  const object = offset === NO_FIELD ? 0 : runtime.load32(value + offset)
  return object === 0 ? undefined : readObject(runtime, object)
}

/** Addresses of all maps, oldest first. */
export function maps({ load32 }: Runtime): number[] {
  const all: number[] = []
  for (let map = load32(MACHINE_AT + MACHINE.maps); map; map = load32(map + MAP.next)) all.unshift(map)
  return all
}

/** The time that the last reader of the clock got, without advancing it. */
export function clockNs({ load64 }: Runtime): bigint {
  return load64(MACHINE_AT + MACHINE.clock)
}
