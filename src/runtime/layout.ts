/**
 * The memory of one machine: which byte means what. Everything that a running machine must remember lies in one
 * WebAssembly memory (memory32, at most 2 GiB, so that an address is a positive i32): maps, asynchronous objects, queues,
 * timers, reference counts, the clock, CPUs, executing tasks and their stacks. JavaScript holds names and types only;
 * a copy of the memory is a snapshot of the machine.
 *
 *     0        .. 0x10000   never mapped: the NULL page (the engine traps on it, wasm itself cannot)
 *     0x10000  .. HEAP_BASE the machine block (`MACHINE`), its only fixed address
 *     HEAP_BASE ..          the heap: CPU blocks, tasks, descriptors, map storage, everything else
 *
 * A `struct` is a table of byte offsets: `view.getUint32(task + TASK.pc, true)`, or in a routine `task.load32(TASK.pc)`.
 * All words are little-endian; addresses are u32; 0 is "none" everywhere. Eight-byte fields are eight-byte aligned.
 */

/** A scalar, an array of scalars `['u64', 11]`, or an array of structs `[FRAME, 8]`. */
export type Field = Scalar | readonly [Scalar | { readonly size: number }, number]

type Scalar = 'u8' | 'u16' | 'u32' | 'u64'

/** Byte offset of each field, and the size of the whole in bytes (a multiple of 8). */
export type Struct<Name extends string> = { readonly [K in Name]: number } & { readonly size: number }

const widths = { u8: 1, u16: 2, u32: 4, u64: 8 } as const

/** Lays fields out in the order given, each aligned to its width. `size` is taken for the struct's own size. */
export function struct<const F extends Readonly<Record<string, Field>>>(fields: F): Struct<Extract<keyof F, string>> {
  const offsets: Record<string, number> = {}
  let end = 0
  for (const [name, field] of Object.entries(fields)) {
    const [unit, count] = typeof field === 'string' ? [field, 1] : field
    const width = typeof unit === 'string' ? widths[unit] : unit.size
    const align = Math.min(width, 8)
    end = Math.ceil(end / align) * align
    offsets[name] = end
    end += width * count
  }
  return { ...offsets, size: Math.ceil(end / 8) * 8 } as Struct<Extract<keyof F, string>>
}

/** Below this address nothing is ever mapped. */
export const NULL_PAGE_END = 0x10000

/** Frames of one task: BPF's call depth limit (MAX_CALL_FRAMES). */
export const MAX_FRAMES = 8

/** Bytes of stack of one frame (MAX_BPF_STACK). */
export const FRAME_STACK = 512

/** "No such field" in `MAP.wqOffset` and its kin. */
export const NO_FIELD = 0xffffffff

/** Number of size classes of the allocator (`alloc.ts`). */
export const SIZE_CLASSES = 128

/** The machine block, at `MACHINE_AT`. */
export const MACHINE = struct({
  /** `MACHINE_MAGIC`. */
  magic: 'u32',
  /** The lock of the whole machine, used by routines emitted with atomics only. */
  lock: 'u32',
  /** CLOCK_MONOTONIC in nanoseconds: the value that the last reader got. Every read advances it by at least 1. */
  clock: 'u64',
  /** What to add for CLOCK_BOOTTIME and CLOCK_REALTIME. */
  bootOffset: 'u64',
  realtimeOffset: 'u64',
  /** Seed of everything that is random: hash functions, `bpf_get_prandom_u32`. */
  seed: 'u64',
  /** Number of CPUs, and the address of the first of their blocks (they lie side by side, `CPU.size` apart). */
  cpuCount: 'u32',
  cpus: 'u32',
  /** Heap: first byte never handed out, first byte not backed by memory, most bytes that memory may reach. */
  heapBreak: 'u32',
  heapEnd: 'u32',
  heapLimit: 'u32',
  /** Bytes handed out and not freed, headers included. */
  heapUsed: 'u32',
  /** Ids as user space sees them; the next one to give. */
  nextMapId: 'u32',
  nextProgId: 'u32',
  /** Heads of the lists of all map descriptors and of all program descriptors (newest first). */
  maps: 'u32',
  progs: 'u32',
  /** Free tasks. */
  freeTasks: 'u32',
  /** Tasks in use. */
  taskCount: 'u32',
  /** Objects: the next one's id (for the eye and for ties among timers), and how many exist. */
  nextAsync: 'u32',
  asyncCount: 'u32',
  /** Makes the next N allocations of asynchronous objects fail with ENOMEM (1.15): a test's tool. */
  failAllocations: 'u32',
  /** Set by the last cancel-and-free that met a running timer callback (4.8): the object to wait for. */
  waitFor: 'u32',
  /** First free block of each size class. */
  freeLists: ['u32', SIZE_CLASSES],
})

/** Address of the machine block. */
export const MACHINE_AT = NULL_PAGE_END

/** First word of the machine block: "wbee". */
export const MACHINE_MAGIC = 0x65656277

/** Where the heap begins. */
export const HEAP_BASE = Math.ceil((MACHINE_AT + MACHINE.size) / 4096) * 4096

/** One virtual CPU. */
export const CPU = struct({
  /** 0, 1, ... */
  id: 'u32',
  /** The task that executes now; 0 when idle. A task that it interrupted is in `TASK.interrupted`. */
  current: 'u32',
  /** FIFO of workqueue objects, linked by `ASYNC.next` and `ASYNC.prev`. */
  queueHead: 'u32',
  queueTail: 'u32',
  queueLength: 'u32',
  /** Pairing heap of armed timers; the root expires first. */
  timerRoot: 'u32',
  timerCount: 'u32',
  /** The timer whose callback runs here (softirq); 0 if none. */
  runningTimer: 'u32',
  /** xorshift64* state of `bpf_get_prandom_u32`; never 0. */
  random: 'u64',
  /** Two words for the machine's own use: its worker task and its softirq task. */
  workerTask: 'u32',
  softirqTask: 'u32',
})

/** What a task is: values of `TASK.kind`. */
export const taskKinds = { process: 0, worker: 1, softirq: 2 } as const

/** Values of `TASK.state`; the engine and the machine write it. */
export const taskStates = { free: 0, ready: 1, running: 2, blocked: 3, suspended: 4, done: 5, trapped: 6 } as const

/** One call frame. The running frame's own registers are in `TASK.regs`; a frame keeps what its *caller* needs back. */
export const FRAME = struct({
  /** Instruction index in `func`'s program at which the caller goes on. */
  returnPc: 'u32',
  /** Function descriptor (`FUNC`) of this frame; frame 0 holds the entry. */
  func: 'u32',
  /** Why this frame exists: 0 a plain call, else an engine's own number for `bpf_loop` and other callbacks. */
  control: 'u32',
  /** Program of the caller. */
  returnProg: 'u32',
  /** How often `may_goto` went on in this frame. */
  loops: 'u32',
  /** The caller's R6 to R9. */
  saved: ['u64', 4],
  /** For a control frame: counter, limit, context, callback. */
  aux: ['u64', 4],
})

/**
 * An execution context. Several may exist on one CPU: a softirq above a process, workers whose callbacks are suspended.
 * Frame `i` has r10 = task + TASK.stack + 512 * (i + 1).
 */
export const TASK = struct({
  /** Link in the pool of free tasks. */
  next: 'u32',
  /** Unique among the tasks of a machine, kept while pooled. */
  id: 'u32',
  /** CPU number (not address). */
  cpu: 'u32',
  /** `taskKinds`. */
  kind: 'u32',
  /** `taskStates`. */
  state: 'u32',
  /** Address of the program descriptor (`PROG`) that executes; what `set_callback` takes its reference on. */
  prog: 'u32',
  /** Index of the next instruction. */
  pc: 'u32',
  /** Index of the running frame: 0 in the entry function, at most 7. */
  depth: 'u32',
  /** After a `host` stop: the call's id. */
  hostCall: 'u32',
  /** After a `trap` stop: the engine's number for the reason, and the instruction. */
  trapCode: 'u32',
  trapPc: 'u32',
  /** Instructions that may still be executed in this `resume`; for an engine that keeps it in memory. */
  budget: 'u32',
  /** Instructions executed since `enter`. */
  executed: 'u64',
  /** The asynchronous object whose callback this task runs; 0 for a plain run. */
  object: 'u32',
  /** Machine's: the task that this one interrupted. */
  interrupted: 'u32',
  /** Address of the context, and of the packet's bytes for LD_ABS and LD_IND; 0 if none. */
  ctx: 'u32',
  packet: 'u32',
  packetEnd: 'u32',
  /** `bpf_spin_lock` words held now (address of the last one) and how many. */
  lockHeld: 'u32',
  lockDepth: 'u32',
  /** Depth of RCU, preemption-off and interrupts-off sections. */
  rcuDepth: 'u32',
  preemptDepth: 'u32',
  irqDepth: 'u32',
  /**
   * While a call waits for the end of a timer's callback: the timer's object (one user of it is this task's), the result to
   * give then, and whether the wait counts in `ASYNC.cancelling`.
   */
  waiting: 'u32',
  waitResult: 'u32',
  waitCounted: 'u32',
  /** An array element's index, where a callback's R2 points; 8 bytes. */
  key: ['u32', 2],
  /** Room for an engine or a host call: small results. */
  scratch: ['u64', 4],
  /** R0 to R10. */
  regs: ['u64', 11],
  frames: [FRAME, MAX_FRAMES],
  stack: ['u8', MAX_FRAMES * FRAME_STACK],
})

/** A function that can be called by pointer. Its address is the value that a program sees. */
export const FUNC = struct({
  /** `FUNC_MAGIC`: what an engine tests before it calls an unverified pointer. */
  magic: 'u32',
  /** Address of the program descriptor. */
  prog: 'u32',
  /** Index of its first instruction. */
  pc: 'u32',
  /** Position in the program's list of functions (0 = entry). */
  index: 'u32',
  /** Slot in the compiler's function table; 0 for none. */
  slot: 'u32',
})

/** First word of a function descriptor: "func". */
export const FUNC_MAGIC = 0x636e7566

/** Bits of `PROG.flags`. */
export const progFlags = { sleepable: 1 } as const

/** A loaded program. It is released (id gone) when `refs` falls to 0, and may be freed when `running` is 0 too (1.21). */
export const PROG = struct({
  magic: 'u32',
  /** Id as user space sees it; 0 once released. */
  id: 'u32',
  /** User references (descriptors) plus asynchronous objects that hold it (1.5). */
  refs: 'u32',
  /** Tasks and callbacks that execute it now: its code must outlive them. */
  running: 'u32',
  /** `progFlags`. */
  flags: 'u32',
  /** Program type by its kernel number. */
  type: 'u32',
  /** Link in the list of all programs. */
  next: 'u32',
  /** Index for JavaScript's own table of programs. */
  tag: 'u32',
  /** Functions: address of the first `FUNC` (side by side) and their number; an engine may use it. */
  funcs: 'u32',
  funcCount: 'u32',
  /** The interpreter's: address of the pre-decoded instructions, and their number. */
  text: 'u32',
  textCount: 'u32',
})

/** First word of a program descriptor: "prog". */
export const PROG_MAGIC = 0x676f7270

/** An offset and a length in a value. */
export const RANGE = struct({ offset: 'u32', length: 'u32' })

/** Most special fields of one value: spin lock, timer, workqueue, task work. */
export const MAX_SPECIAL = 4

/**
 * A map. Its address is the value of a map pointer in programs.
 *
 * ARRAY: `storage` is the first value; element i lies at storage + i * stride.
 * HASH, LRU_HASH: an element (`ELEM`) is a header, the key, padding to 8, then the value.
 */
export const MAP = struct({
  magic: 'u32',
  id: 'u32',
  /** Kernel number of the map type. */
  type: 'u32',
  /** `mapFlags` of uapi. */
  flags: 'u32',
  keySize: 'u32',
  valueSize: 'u32',
  maxEntries: 'u32',
  /** `map_extra`. */
  extra: 'u64',
  /** Program references and others that keep the map alive; user references (fds and pins, 1.14). */
  refs: 'u32',
  urefs: 'u32',
  /** 1 after BPF_MAP_FREEZE: user space may not write. */
  frozen: 'u32',
  /** Link in the list of all maps; index for JavaScript's own table. */
  next: 'u32',
  tag: 'u32',
  /** Offsets of the special fields in the value, or NO_FIELD. */
  lockOffset: 'u32',
  timerOffset: 'u32',
  wqOffset: 'u32',
  taskWorkOffset: 'u32',
  /** Bytes of a value that belong to special fields, in order, and those that are copied (2.7). */
  specialCount: 'u32',
  copyCount: 'u32',
  special: [RANGE, MAX_SPECIAL],
  copies: [RANGE, MAX_SPECIAL + 1],
  /** All asynchronous objects of this map, linked by `ASYNC.mapNext` and `ASYNC.mapPrev`. */
  objects: 'u32',
  /** Distance between elements; offset of the value in an element (hash), 0 for arrays. */
  stride: 'u32',
  valueOffset: 'u32',
  /** First element (array: first value); 0 for NO_PREALLOC. */
  storage: 'u32',
  storageBytes: 'u32',
  /** Hash: bucket heads (u32 each), their number minus 1, by how much a hash is shifted to give a number of a bucket. */
  buckets: 'u32',
  bucketMask: 'u32',
  bucketShift: 'u32',
  /** Seed of the hash function. */
  hashSeed: 'u64',
  /** Elements in the map. */
  count: 'u32',
  /** Free elements, last freed first. */
  freeElems: 'u32',
  /** HASH with preallocation: one spare element per CPU (u32 each), which an update of an existing key takes. */
  spares: 'u32',
  /** NO_PREALLOC: elements obtained from the heap, in use or free. */
  allocated: 'u32',
  /** LRU_HASH: where the ring of use begins (`LRU_LINK`), and offset of the link in an element. */
  lruRing: ['u32', 2],
  lruOffset: 'u32',
  /** JavaScript's buffer for keys and values (key, next key, value), made at first use. */
  io: 'u32',
})

/** First word of a map descriptor: "map". */
export const MAP_MAGIC = 0x0070616d

/**
 * Header of a hash element; the key follows at `ELEM.size`, the value at `MAP.valueOffset`, in an LRU_HASH then the link at
 * `MAP.lruOffset`.
 */
export const ELEM = struct({
  /** Next in the bucket, or in the list of free elements. */
  next: 'u32',
  /** Hash of the key. */
  hash: 'u32',
})

/** Addresses of the links of the elements that were used next after this one, and before. */
export const LRU_LINK = struct({ newer: 'u32', older: 'u32' })

/** Where a walk over a map stands (`mapWalk`); zeros = before the first element. Lies wherever the caller puts it. */
export const CURSOR = struct({
  /** ARRAY: index of the next element. Hash: number of the next bucket. */
  position: 'u32',
  /** Hash: the element to visit next in the bucket before; 0 if none is left there. */
  next: 'u32',
})

/** The 16 bytes of a `bpf_wq` or `bpf_timer` in a map value: empty (0), or the address of the object (0.1). */
export const CELL = struct({ object: 'u32', unused: ['u32', 3] })

/** Values of `ASYNC.kind`. */
export const asyncKinds = { timer: 1, wq: 2 } as const

/**
 * Bits of `ASYNC.state`.
 *
 *     IDLE --start--> PENDING --pick--> RUNNING --start--> RUNNING|PENDING --finish--> PENDING
 *                        |                 |
 *                        +--- cancel ---> DEAD (a running callback goes on to its end; then the object is freed)
 *
 * PENDING: a wq in a CPU's queue, a timer in a CPU's heap (armed). DEFERRED: a wq that was picked while it still ran and
 * waits for the worker which runs it (not in any queue). DEAD: its cell no longer points to it.
 */
export const asyncStates = { PENDING: 1, RUNNING: 2, DEFERRED: 4, DEAD: 8 } as const

/** The kernel side of a `bpf_wq` or `bpf_timer`. */
export const ASYNC = struct({
  /** `asyncKinds`. */
  kind: 'u32',
  /** `asyncStates`, or-ed. */
  state: 'u32',
  /** 1, 2, ...: unique in the machine. */
  id: 'u32',
  /** Users that keep the object in memory: the cell, a running callback, tasks that wait for it. */
  users: 'u32',
  map: 'u32',
  /** Address of the cell and of the value around it. */
  cell: 'u32',
  value: 'u32',
  /** Program on which the object holds a reference, and the function to call; 0 = no callback set. */
  prog: 'u32',
  func: 'u32',
  /** CPU number: where it is queued or armed, where it runs, or where it last ran. */
  cpu: 'u32',
  /** While RUNNING: function and program of that invocation. */
  runningFunc: 'u32',
  runningProg: 'u32',
  /** wq: link in the CPU's queue. Timer: child, and right sibling, of the pairing heap. */
  next: 'u32',
  /** wq: link back. Timer: left sibling, or parent when first child. */
  prev: 'u32',
  child: 'u32',
  /** Link in the map's list of objects. */
  mapNext: 'u32',
  mapPrev: 'u32',
  /** Timer: clockid of init; in-flight cancels from other timers' callbacks (4.5). */
  clockId: 'u32',
  cancelling: 'u32',
  /** Timer: order of arming, breaks ties between equal expiries. */
  sequence: 'u64',
  /** Timer: CLOCK_MONOTONIC nanoseconds; meaningful while PENDING. */
  expiry: 'u64',
  /** wq: monotonic time of the start that made it PENDING. */
  startedAt: 'u64',
  /** Successful starts, and invocations begun, for `inspect`. */
  starts: 'u32',
  runs: 'u32',
})

/** Result of a routine that cannot go on now; the caller retries it unchanged. Not an errno. */
export const BLOCKED = -0x80000000
