/**
 * The interpreter behind the seam `Engine`: it stops before any instruction, so that whatever must suspend in the middle of a
 * program runs on it, and it is the oracle for the compiler. All that it remembers about a run lies in the machine's memory.
 */
import { BpfError } from '../../bits/index.js'
import { FRAME, FRAME_STACK, FUNC, FUNC_MAGIC, PROG, TASK, taskStates } from '../../runtime/layout.js'
import { isLeaf } from '../../runtime/leaf.js'
import type { Runtime } from '../../runtime/runtime.js'
import type { CallTarget, Code, Engine, Stop, TrapInfo } from '../engine.js'
import { controls } from './control.js'
import { frameAt } from './frames.js'
import { run } from './loop.js'
import { refresh, type Shim, type State, type TrapNumber, trapReasons } from './state.js'
import { textBytes, writeText } from './text.js'

/** What the interpreter needs of a machine. */
export interface InterpreterOptions {
  readonly memory: WebAssembly.Memory
  /** Bytes from the machine's heap, 8-byte aligned; 0 where there are none left. */
  alloc(bytes: number): number
  free(address: number): void
  /** The routine of a leaf call; `undefined` where the runtime has none of that name. */
  shim(name: string): Shim | undefined
}

const stateAfter: Record<Stop, number> = {
  done: taskStates.done,
  budget: taskStates.ready,
  host: taskStates.suspended,
  blocked: taskStates.blocked,
  trap: taskStates.trapped,
}

/** Most instructions of one `resume`. */
const MAX_BUDGET = 0x7fffffff

/** A routine that was given an address outside the memory (by a program that nobody verified) traps in WebAssembly. */
function runGuarded(state: State, task: number, budget: number): Stop {
  try {
    return run(state, task, budget)
  } catch (error) {
    if (!(error instanceof WebAssembly.RuntimeError)) throw error
    refresh(state)
    state.words[(task + TASK.trapCode) >> 2] = 1
    state.words[(task + TASK.trapPc) >> 2] = state.words[(task + TASK.pc) >> 2] ?? 0
    return 'trap'
  }
}

/** The options for a machine's runtime. */
export function runtimeOptions({ memory, calls, shims }: Runtime): InterpreterOptions {
  return {
    memory,
    alloc: (bytes) => calls.alloc(bytes),
    free: (address) => calls.free(address),
    shim: (name) => (isLeaf(name) ? shims[name] : undefined),
  }
}

/** An interpreter for one machine. */
export function createInterpreter(options: InterpreterOptions): Engine {
  const { memory } = options
  const state: State = {
    memory,
    words: new Int32Array(memory.buffer),
    bytes: new DataView(memory.buffer),
    shims: [],
  }
  const shimNumbers = new Map<string, number>()
  const names = new Map<number, string>()

  /** What a call's word 1 holds: the number of a routine in `state.shims`, entered at its first use, or of a control call. */
  function routine(target: CallTarget): number {
    if (target.kind === 'host') return target.id
    const known = target.kind === 'control' ? controls[target.name] : shimNumbers.get(target.name)
    if (known !== undefined) return known
    const shim = target.kind === 'leaf' ? options.shim(target.name) : undefined
    if (!shim) throw new BpfError('unknown-routine', `there is no ${target.kind} routine ${target.name}`)
    shimNumbers.set(target.name, state.shims.length)
    return state.shims.push(shim) - 1
  }

  /** Zeroed bytes from the heap. */
  function alloc(bytes: number): number {
    const address = options.alloc(bytes)
    if (!address) throw new BpfError('out-of-memory', `no room for ${bytes} bytes of program text`)
    refresh(state)
    state.words.fill(0, address >> 2, (address + bytes) >> 2)
    return address
  }

  // One block holds a program's function descriptors and, behind them, its text.
  function prepare(code: Code): readonly number[] {
    const count = code.functions.length
    const funcs = alloc(count * FUNC.size + textBytes(code))
    const text = funcs + count * FUNC.size
    const handles = code.functions.map((_, index) => funcs + index * FUNC.size)
    const { words } = state
    try {
      const byStart = new Map(code.functions.map(({ start }, index) => [start, funcs + index * FUNC.size]))
      writeText(words, text >> 2, { code, handles: byStart, routine })
    } catch (error) {
      options.free(funcs)
      throw error
    }
    code.functions.forEach(({ start }, index) => {
      const func = (funcs + index * FUNC.size) >> 2
      words[func + (FUNC.magic >> 2)] = FUNC_MAGIC
      words[func + (FUNC.prog >> 2)] = code.prog
      words[func + (FUNC.pc >> 2)] = start
      words[func + (FUNC.index >> 2)] = index
    })
    words[(code.prog + PROG.funcs) >> 2] = funcs
    words[(code.prog + PROG.funcCount) >> 2] = count
    words[(code.prog + PROG.text) >> 2] = text
    words[(code.prog + PROG.textCount) >> 2] = code.insns.length
    names.set(code.prog, code.name)
    return handles
  }

  function release(handles: readonly number[]): void {
    const [first] = handles
    if (first === undefined) return
    refresh(state)
    const { words } = state
    const prog = words[(first + FUNC.prog) >> 2] ?? 0
    for (const field of [PROG.text, PROG.textCount, PROG.funcs, PROG.funcCount]) words[(prog + field) >> 2] = 0
    for (const handle of handles) words[(handle + FUNC.magic) >> 2] = 0
    options.free(first)
    names.delete(prog)
  }

  function enter(task: number, handle: number): void {
    refresh(state)
    const { words } = state
    const set = (offset: number, value: number): void => {
      words[(task + offset) >> 2] = value
    }
    set(TASK.prog, words[(handle + FUNC.prog) >> 2] ?? 0)
    set(TASK.pc, words[(handle + FUNC.pc) >> 2] ?? 0)
    for (const field of [TASK.depth, TASK.executed, TASK.executed + 4, TASK.hostCall, TASK.trapCode]) set(field, 0)
    // R0 and R6 to R9 hold nothing that a program may read; zeros, so that an unverified one is the same every time.
    for (const register of [0, 6, 7, 8, 9, 10]) {
      set(TASK.regs + register * 8, 0)
      set(TASK.regs + register * 8 + 4, 0)
    }
    set(TASK.regs + 80, task + TASK.stack + FRAME_STACK)
    words.fill(0, frameAt(task, 0), frameAt(task, 1))
    words[frameAt(task, 0) + (FRAME.func >> 2)] = handle
    set(TASK.state, taskStates.ready)
  }

  function resume(task: number, budget: number): Stop {
    refresh(state)
    state.words[(task + TASK.state) >> 2] = taskStates.running
    const stop = runGuarded(state, task, Math.max(0, Math.min(budget, MAX_BUDGET)) | 0)
    state.words[(task + TASK.state) >> 2] = stateAfter[stop]
    return stop
  }

  function trap(task: number): TrapInfo {
    refresh(state)
    const at = task >> 2
    const number = state.words[at + (TASK.trapCode >> 2)] as TrapNumber
    const [code, sentence] = trapReasons[number] ?? trapReasons[2]
    const program = names.get(state.words[at + (TASK.prog >> 2)] ?? 0) ?? ''
    return { code, sentence, program, insn: state.words[at + (TASK.trapPc >> 2)] ?? 0 }
  }

  return { name: 'interpreter', prepare, release, enter, resume, trap }
}
