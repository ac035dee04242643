/**
 * What the tests of this room share: a small machine, maps whose value has every special field, and words for what
 * programs, user space and workers do to them.
 *
 *     struct value { u64 data; struct bpf_wq wq; struct bpf_timer timer; struct bpf_spin_lock lock; u32 tail; };
 */
import {
  ASYNC,
  createFuncs,
  createMap,
  createProg,
  createRuntime,
  deleteElement,
  type NewMap,
  type Runtime,
  type RuntimeOptions,
  readElement,
  TASK,
  takeElement,
  taskKinds,
  valueAddress,
  writeElement,
} from '../../src/runtime/index.js'

/** Offsets of the special fields, and the size of the value. */
export const VALUE = { data: 0, wq: 8, timer: 24, lock: 40, tail: 44, size: 48 } as const

/** The maps that may hold a workqueue, as the facts name them. */
export const mapKinds = {
  ARRAY: { type: 'array' },
  HASH: { type: 'hash' },
  'HASH|NO_PREALLOC': { type: 'hash', flags: 1 },
  LRU_HASH: { type: 'lru_hash' },
} as const satisfies Record<string, Pick<NewMap, 'type' | 'flags'>>

/** One of `mapKinds`. */
export type MapKind = keyof typeof mapKinds

/** All of them, and those whose elements can be deleted. */
export const allKinds = Object.keys(mapKinds) as MapKind[]
/** Those whose elements can be deleted. */
export const hashKinds = allKinds.filter((kind) => kind !== 'ARRAY')

/** The bytes of an u32. */
export function bytes32(value: number): Uint8Array {
  return new Uint8Array(new Uint32Array([value]).buffer)
}

/** A machine and what one can do in it. Keys are numbers; a value is filled with one byte. */
export function world(options: RuntimeOptions = { cpus: 2, seed: 7n }) {
  const runtime: Runtime = createRuntime(options)
  const { calls, shims } = runtime
  const prog = createProg(runtime, { type: 31 })
  const other = createProg(runtime, { type: 31 })
  const [callback, second] = createFuncs(runtime, prog, [10, 20]) as [number, number]
  const [foreign] = createFuncs(runtime, other, [30]) as [number]
  const filled = (byte: number): Uint8Array => new Uint8Array(VALUE.size).fill(byte)
  return {
    runtime,
    calls,
    /** Two programs; `callback` and `second` belong to the first, `foreign` to the other. */
    prog,
    other,
    callback,
    second,
    foreign,
    map(kind: MapKind, more: Partial<NewMap> = {}): number {
      const special = { wq: VALUE.wq, timer: VALUE.timer, ...(kind === 'LRU_HASH' ? {} : { lock: VALUE.lock }) }
      return createMap(runtime, {
        keySize: 4,
        valueSize: VALUE.size,
        maxEntries: 4,
        special,
        ...mapKinds[kind],
        ...more,
      })
    },
    put: (map: number, key: number, byte = 0, flags = 0) =>
      writeElement(runtime, map, bytes32(key), filled(byte), flags),
    remove: (map: number, key: number) => deleteElement(runtime, map, bytes32(key)),
    take: (map: number, key: number) => takeElement(runtime, map, bytes32(key), filled(0)),
    /** What user space reads, into a buffer of 0xff; `undefined` if absent. */
    get(map: number, key: number, flags = 0): number[] | undefined {
      const out = filled(0xff)
      return readElement(runtime, map, bytes32(key), out, flags) === 0 ? [...out] : undefined
    },
    /** Address of the value of a key, made if absent. */
    value(map: number, key: number): number {
      const found = valueAddress(runtime, map, bytes32(key))
      if (found) return found
      writeElement(runtime, map, bytes32(key), filled(0))
      return valueAddress(runtime, map, bytes32(key))
    },
    init: (map: number, value: number, flags = 0) => calls.wqInit(value + VALUE.wq, map, flags),
    bind: (value: number, func = callback, by = prog, flags = 0) =>
      calls.wqSetCallback(value + VALUE.wq, func, flags, by),
    start: (value: number, cpu = 0, flags = 0) => calls.wqStart(value + VALUE.wq, flags, cpu),
    /** init, set_callback and start of the wq of a value. */
    launch(map: number, value: number, cpu = 0): number[] {
      return [this.init(map, value), this.bind(value), this.start(value, cpu)]
    },
    /** A worker of the CPU begins one callback; 0 if the queue is empty. */
    pick: (cpu = 0) => calls.wqPick(cpu),
    /** The callback of an object. */
    runs: (object: number) => runtime.load32(object + ASYNC.runningFunc),
    /** Runs everything in the queue of the CPU, each callback at once to its end; gives the callbacks. */
    drain(cpu = 0, limit = 100): number[] {
      const ran: number[] = []
      for (let object = calls.wqPick(cpu); object && ran.length < limit; object = calls.wqPick(cpu)) {
        ran.push(runtime.load32(object + ASYNC.runningFunc))
        calls.wqFinish(object)
      }
      return ran
    },
    arm(value: number, ns: bigint, flags = 0, cpu = 0): number {
      return calls.timerStart(value + VALUE.timer, ns, flags, cpu)
    },
    /** init, set_callback and start of the timer of a value. */
    launchTimer(map: number, value: number, ns: bigint, cpu = 0): number[] {
      const cell = value + VALUE.timer
      return [calls.timerInit(cell, map, 1), calls.timerSetCallback(cell, callback, prog), this.arm(value, ns, 0, cpu)]
    },
    /** Runs all timers of the CPU that have expired by the clock, and gives their callbacks. */
    fire(cpu = 0, limit = 100): number[] {
      const fired: number[] = []
      for (let object = calls.timerPick(cpu); object && fired.length < limit; object = calls.timerPick(cpu)) {
        fired.push(runtime.load32(object + ASYNC.runningFunc))
        calls.timerFinish(object)
      }
      return fired
    },
    task: (cpu = 0, kind: number = taskKinds.process) => {
      const task = calls.taskNew(cpu, kind)
      runtime.store32(task + TASK.prog, prog)
      return task
    },
    /** Calls a leaf in a task: 0 done, 1 blocked. */
    shim(task: number, name: keyof typeof shims, ...args: (number | bigint)[]): number {
      args.forEach((arg, i) => {
        runtime.store64(task + TASK.regs + 8 * (i + 1), BigInt.asUintN(64, BigInt(arg)))
      })
      return shims[name](task)
    },
    /** Tries a blocked call again. */
    again: (task: number, name: keyof typeof shims) => shims[name](task),
    /** R0 of a task, signed. */
    r0: (task: number) => BigInt.asIntN(64, runtime.load64(task + TASK.regs)),
    /** The first byte of a value. */
    byte: (value: number) => runtime.load32(value) & 0xff,
  }
}
