/**
 * The compiler behind the seam `Engine`: each program becomes a WebAssembly module over the machine's memory. It exists to be
 * fast and gives up what the interpreter can do in between:
 *
 * - `resume` runs to the end, whatever the budget, and counts no instructions: the clock moves only when it is read. Rounds of
 *   `bpf_loop` and `may_goto` are counted: every `ROUNDS` the host may end the run (`LIMIT_CALL`)
 * - a host call is a call of `host(task, id)`, which must do it at once; whoever must suspend there runs on the interpreter
 * - what the interpreter answers with `blocked` is the trap `would-block`: where CPUs take turns, nobody could let go
 * - the first 64 KiB of memory do not trap; verified programs do not touch them, and nothing lies there
 */
import { BpfError } from '../../bits/index.js'
import {
  CPU,
  FRAME,
  FRAME_STACK,
  FUNC,
  FUNC_MAGIC,
  MACHINE,
  MACHINE_AT,
  PROG,
  TASK,
  taskStates,
} from '../../runtime/layout.js'
import { type Runtime, refresh as refreshViews } from '../../runtime/runtime.js'
import type { Mode } from '../../wasm/index.js'
import type { Code, Engine, Stop, TrapInfo } from '../engine.js'
import { trapReasons } from '../interpreter/state.js'
import { DRAINED, drainModule } from './drain.js'
import { LIMIT_CALL, ROUNDS } from './emit-limit.js'
import { emitModule, enteredFunctions } from './module.js'
import { analyse } from './unit.js'

/** What the compiler needs of a machine. */
export interface CompilerOptions {
  readonly memory: WebAssembly.Memory
  /** Bytes from the machine's heap, 8-byte aligned; 0 where there are none left. */
  alloc(bytes: number): number
  free(address: number): void
  /** `atomic` where several threads share the memory (default `plain`). */
  readonly mode?: Mode
  /** Called when a routine has made the memory grow. */
  grown?(): void
  /**
   * Does the host call `id`: reads R1 to R5 of the task, writes its R0. What it throws ends the run and leaves `resume`. Id 0
   * (`LIMIT_CALL`) only asks whether to go on; rounds so far are in the task's `executed`.
   */
  host?(task: number, id: number): void
  /** Ends the run of an object whose callback trapped in a `drain`: the runtime's `wqFinish`. */
  finishWork?(object: number): void
  /** Makes a module of bytes; whoever wants optimised code at once sets V8's flags here. */
  compile?(bytes: Uint8Array<ArrayBuffer>): WebAssembly.Module
}

/** The compiler, with what only it can do. */
export interface Compiler extends Engine {
  readonly name: 'compiler'
  /** Executes the entry function `count` times with the registers that the task has; R0 is that of the last run. */
  repeat(task: number, handle: number, count: number): Stop
  /** Executes the entry function for `count` packets: `list` is the address of as many `BATCH` blocks. */
  batch(task: number, handle: number, list: number, count: number): Stop
  /**
   * Runs queued work of CPUs `first` to `first + count - 1` in a task set aside for it, without leaving WebAssembly, until the
   * queues are empty or the next item needs the machine: a timer is due, its callback is not compiled, it still runs, `most` is
   * reached. Throws what a host call throws; the object is finished then.
   */
  drain(task: number, first: number, count: number, most: number): Drained
}

/** What became of a `drain`. */
export interface Drained {
  /** Callbacks that have returned. */
  readonly done: number
  /** Set where one trapped: `trap(task)` says why, `TASK.object` whose it was. Its object is finished. */
  readonly trapped: boolean
}

/** Exports of a program's module. */
interface Exports {
  repeat(task: number, count: number): void
  batch(task: number, list: number, count: number): void
  readonly [name: `enter ${number}`]: (task: number) => void
}

/** A program that was made executable. */
interface Loaded {
  readonly name: string
  readonly exports: Exports
  readonly slots: readonly number[]
}

/** The options for a machine's runtime. */
export function compilerOptions(runtime: Runtime, host: (task: number, id: number) => void): CompilerOptions {
  const { memory, calls, mode, views } = runtime
  return {
    memory,
    mode,
    host,
    alloc: (bytes) => calls.alloc(bytes),
    free: (address) => calls.free(address),
    grown: () => void refreshViews(views, memory),
    finishWork: (object) => calls.wqFinish(object),
  }
}

/** Number of a trap by what the WebAssembly engine says; those that code stores itself are known before. */
function reasonOf(error: unknown): keyof typeof trapReasons | undefined {
  // V8 and others throw a RangeError where functions nest too deeply.
  if (error instanceof RangeError) return 4
  if (!(error instanceof WebAssembly.RuntimeError)) return undefined
  if (/unaligned/.test(error.message)) return 3
  return /null function|signature|table index/.test(error.message) ? 5 : 1
}

/** A compiler for one machine. */
export function createCompiler(options: CompilerOptions): Compiler {
  const { memory, mode = 'plain' } = options
  const table = new WebAssembly.Table({ element: 'anyfunc', initial: 64 })
  const taskGlobal = new WebAssembly.Global({ value: 'i32', mutable: true }, 0)
  const host = {
    memory,
    table,
    task: taskGlobal,
    grown: () => options.grown?.(),
    call: (task: number, id: number) => {
      if (id === LIMIT_CALL) {
        const executed = load64(task + TASK.executed) + BigInt(ROUNDS - (load32(task + TASK.budget) | 0))
        set(task + TASK.executed, Number(executed & 0xffffffffn))
        set(task + TASK.executed + 4, Number(executed >> 32n))
        set(task + TASK.budget, ROUNDS)
        options.host?.(task, id)
        return
      }
      if (!options.host) throw new BpfError('no-host', `there is nobody to do host call ${id}`)
      options.host(task, id)
    },
  }
  const programs = new Map<number, Loaded>()
  const entries = new Map<number, (task: number) => void>()
  // Slot 0 stands for none; the others are handed out in pairs.
  const freeSlots: number[] = []
  let nextSlot = 2
  let running = 0
  let words = new Int32Array(memory.buffer)

  const view = (): Int32Array => {
    // Growth detaches the old buffer of memory that is not shared; asking for `memory.buffer` each time would take longer.
    if (words.length === 0 || (mode === 'atomic' && words.buffer !== memory.buffer))
      words = new Int32Array(memory.buffer)
    return words
  }
  const load32 = (address: number): number => (view()[address >> 2] ?? 0) >>> 0
  const load64 = (address: number): bigint => (BigInt(load32(address + 4)) << 32n) | BigInt(load32(address))
  const set = (address: number, value: number): void => {
    view()[address >> 2] = value
  }

  function takeSlot(): number {
    const slot = freeSlots.pop() ?? nextSlot
    if (slot !== nextSlot) return slot
    nextSlot += 2
    if (nextSlot > table.length) table.grow(table.length)
    return slot
  }

  function giveSlots(slots: readonly number[]): void {
    for (const slot of slots) {
      table.set(slot, null)
      freeSlots.push(slot)
    }
  }

  function writeDescriptors(code: Code, funcs: number, slots: ReadonlyMap<number, number>): void {
    code.functions.forEach(({ start }, index) => {
      const func = funcs + index * FUNC.size
      set(func + FUNC.magic, FUNC_MAGIC)
      set(func + FUNC.prog, code.prog)
      set(func + FUNC.pc, start)
      set(func + FUNC.index, index)
      set(func + FUNC.slot, slots.get(start) ?? 0)
    })
    set(code.prog + PROG.funcs, funcs)
    set(code.prog + PROG.funcCount, code.functions.length)
  }

  function prepare(code: Code): readonly number[] {
    const funcs = options.alloc(code.functions.length * FUNC.size)
    if (!funcs) throw new BpfError('out-of-memory', 'no room for the descriptors of a program')
    const starts = new Map(code.functions.map(({ start }, index) => [start, funcs + index * FUNC.size]))
    const byHandle = new Map([...starts].map(([start, handle]) => [BigInt(handle), start]))
    const slots = new Map<number, number>()
    try {
      const units = analyse(code, (start) => handleOf(code, starts, start))
      for (const start of enteredFunctions(units)) slots.set(start, takeSlot())
      const startOf = (handle: bigint | undefined) => (handle === undefined ? undefined : byHandle.get(handle))
      const bytes = emitModule({ units, mode, slots, load32, load64, startOf })
      const module = options.compile ? options.compile(bytes) : new WebAssembly.Module(bytes)
      const exports = new WebAssembly.Instance(module, { host }).exports as unknown as Exports
      for (const [start, slot] of slots) {
        const entry = exports[`enter ${start}`]
        if (!entry) continue
        entries.set(starts.get(start) ?? 0, entry)
        table.set(slot, entry)
      }
      programs.set(code.prog, { name: code.name, exports, slots: [...slots.values()] })
    } catch (error) {
      giveSlots([...slots.values()])
      options.free(funcs)
      throw error
    }
    writeDescriptors(code, funcs, slots)
    return [...starts.values()]
  }

  function release(handles: readonly number[]): void {
    const [first] = handles
    if (first === undefined) return
    const prog = load32(first + FUNC.prog)
    giveSlots(programs.get(prog)?.slots ?? [])
    programs.delete(prog)
    for (const field of [PROG.funcs, PROG.funcCount]) set(prog + field, 0)
    for (const handle of handles) {
      set(handle + FUNC.magic, 0)
      set(handle + FUNC.slot, 0)
      entries.delete(handle)
    }
    options.free(first)
  }

  function enter(task: number, handle: number): void {
    set(task + TASK.prog, load32(handle + FUNC.prog))
    set(task + TASK.pc, load32(handle + FUNC.pc))
    for (const field of [TASK.depth, TASK.executed, TASK.executed + 4, TASK.hostCall, TASK.trapCode])
      set(task + field, 0)
    for (const register of [0, 6, 7, 8, 9, 10]) {
      set(task + TASK.regs + register * 8, 0)
      set(task + TASK.regs + register * 8 + 4, 0)
    }
    set(task + TASK.budget, ROUNDS)
    set(task + TASK.regs + 80, task + TASK.stack + FRAME_STACK)
    set(task + TASK.frames + FRAME.func, handle)
    set(task + TASK.state, taskStates.ready)
  }

  /** Runs compiled code for a task; `RuntimeError`s become the stop `trap`, whatever else is thrown goes on. */
  function guarded(task: number, work: (() => void) | undefined): Stop {
    const outer = running
    running = task
    set(task + TASK.state, taskStates.running)
    try {
      if (!work) set(task + TASK.trapCode, 5)
      work?.()
      set(task + TASK.state, work ? taskStates.done : taskStates.trapped)
      return work ? 'done' : 'trap'
    } catch (error) {
      taskGlobal.value = outer
      set(task + TASK.state, taskStates.trapped)
      const reason = load32(task + TASK.trapCode) ? 0 : reasonOf(error)
      if (reason === undefined) throw error
      if (reason) {
        set(task + TASK.trapCode, reason)
        set(task + TASK.trapPc, load32(task + TASK.pc))
      }
      return 'trap'
    } finally {
      running = outer
    }
  }

  function resume(task: number): Stop {
    const entry = entries.get(load32(task + TASK.frames + FRAME.func))
    return guarded(task, entry && (() => entry(task)))
  }

  const exportsOf = (handle: number): Exports | undefined => programs.get(load32(handle + FUNC.prog))?.exports

  function repeat(task: number, handle: number, count: number): Stop {
    enter(task, handle)
    const found = exportsOf(handle)
    return guarded(task, found && (() => found.repeat(task, count)))
  }

  function batch(task: number, handle: number, list: number, count: number): Stop {
    enter(task, handle)
    const found = exportsOf(handle)
    return guarded(task, found && (() => found.batch(task, list, count)))
  }

  function trap(task: number): TrapInfo {
    const number = load32(task + TASK.trapCode) as keyof typeof trapReasons
    const [code, sentence] = trapReasons[number] ?? trapReasons[2]
    const program = programs.get(load32(task + TASK.prog))?.name ?? ''
    return { code, sentence, program, insn: load32(task + TASK.trapPc) }
  }

  let drainAll: ((task: number, first: number, count: number, most: number) => void) | undefined

  function drain(task: number, first: number, count: number, most: number): Drained {
    if (!drainAll) {
      const exports = new WebAssembly.Instance(drainModule(mode), { host }).exports
      drainAll = exports.drain as NonNullable<typeof drainAll>
    }
    set(task + TASK.trapCode, 0)
    set(task + TASK.object, 0)
    const run = drainAll
    let stop: Stop | undefined
    try {
      stop = guarded(task, () => run(task, first, count, most))
    } finally {
      if (stop !== 'done') abandon(task)
    }
    return { done: load32(task + DRAINED), trapped: stop === 'trap' }
  }

  /** Ends the callback in the middle of which a drain was left. */
  function abandon(task: number): void {
    const object = load32(task + TASK.object)
    if (!object) return
    const block = load32(MACHINE_AT + MACHINE.cpus) + load32(task + TASK.cpu) * CPU.size
    if (load32(block + CPU.current) === task) set(block + CPU.current, load32(task + TASK.interrupted))
    options.finishWork?.(object)
  }

  return { name: 'compiler', prepare, release, enter, resume, trap, repeat, batch, drain }
}

function handleOf(code: Code, starts: ReadonlyMap<number, number>, start: number): number {
  const handle = starts.get(start)
  if (handle !== undefined) return handle
  throw new BpfError('bad-function', `no function begins at instruction ${start}`, { place: code.name })
}
