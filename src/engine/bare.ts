/**
 * An engine without a machine: runs bytecode that nobody verified on a region of memory, for conformance tests, benchmarks and
 * the laws of the engines. There are no helpers, maps or context; R1 is the address of the region (0 if it is empty) and R2 its
 * length. Each program has a memory of its own, so that what it does wrong stays in there.
 */
import { BpfError } from '../bits/index.js'
import { type Insn, isWide, pseudoCall, pseudoLoad } from '../isa/index.js'
import { HEAP_BASE, PROG, TASK } from '../runtime/layout.js'
import type { Engine, Stop, TrapInfo } from './engine.js'
import { createInterpreter, type InterpreterOptions } from './interpreter/index.js'

/** A program on its own memory, ready to run. */
export interface BareProgram {
  readonly engine: Engine
  /** Address of the task that runs it. */
  readonly task: number
  /** Starts over with the memory region as the last run left it: R1 and R2 set, nothing executed yet. */
  enter(): void
  /** Runs to the end from the start; throws `BpfError` with the code of a trap, or `out-of-budget`. */
  run(budget?: number): bigint
  /** R0 as an unsigned 64-bit number. */
  r0(): bigint
  /** Instructions executed since `enter`. */
  executed(): bigint
  /** The memory region, not copied. */
  region(): Uint8Array
  /** The whole linear memory, not copied. */
  whole(): Uint8Array
}

/** Options of {@link bareProgram}. */
export interface BareOptions {
  /** Contents of the memory region. */
  readonly input?: Uint8Array
  /** Makes the engine; the interpreter unless given. */
  readonly engine?: (options: InterpreterOptions) => Engine
}

/** Functions that calls and function pointers name, the entry first. */
function functionsOf(insns: readonly Insn[]): { name: string; start: number }[] {
  const starts = new Set([0])
  for (let index = 0; index < insns.length; index++) {
    const insn = insns[index]
    if (!insn) continue
    const local = insn.code === 0x85 && insn.src === pseudoCall.local
    const start = index + 1 + insn.imm
    if ((local || (isWide(insn) && insn.src === pseudoLoad.func)) && start >= 0 && start < insns.length)
      starts.add(start)
    if (isWide(insn)) index++
  }
  return [...starts].map((start) => ({ name: start ? `func_${start}` : 'main', start }))
}

/** Refuses what needs a machine: helpers, kernel functions, maps. */
function checkSelfContained(insns: readonly Insn[]): void {
  for (let index = 0; index < insns.length; index++) {
    const insn = insns[index]
    if (!insn) continue
    const place = `instruction ${index}`
    if (insn.code === 0x85 && insn.src !== pseudoCall.local) {
      const what = insn.src === pseudoCall.kfunc ? 'kernel function' : 'helper'
      throw new BpfError('no-helpers', `${what} ${insn.imm} is called, and a bare program has none`, { place })
    }
    if (!isWide(insn)) continue
    if (insn.src !== pseudoLoad.number && insn.src !== pseudoLoad.func) {
      throw new BpfError('no-maps', `a pseudo source ${insn.src} is loaded, and a bare program has no maps or BTF`, {
        place,
      })
    }
    index++
  }
}

/** Readies a program. Throws `BpfError` for calls of helpers (`no-helpers`), maps (`no-maps`) and wrong calls (`bad-function`). */
export function bareProgram(insns: readonly Insn[], options: BareOptions = {}): BareProgram {
  checkSelfContained(insns)
  const input = options.input ?? new Uint8Array(0)
  const pages = Math.ceil((HEAP_BASE + insns.length * 32 + input.length + TASK.size + 0x10000) / 0x10000)
  const memory = new WebAssembly.Memory({ initial: pages })
  let heap = HEAP_BASE
  const alloc = (bytes: number): number => {
    const address = heap
    heap = (heap + bytes + 7) & ~7
    return address
  }
  const make = options.engine ?? createInterpreter
  const engine = make({ memory, alloc, free: () => {}, shim: () => undefined })
  const prog = alloc(PROG.size)
  const task = alloc(TASK.size)
  const region = alloc(input.length)
  new Uint8Array(memory.buffer).set(input, region)
  const functions = functionsOf(insns)
  const [entry = 0] = engine.prepare({ name: 'bare', prog, insns, functions, calls: new Map() })
  const view = (): DataView => new DataView(memory.buffer)

  function enter(): void {
    const bytes = view()
    const registers = [0, input.length ? region : 0, input.length, 0, 0, 0]
    registers.forEach((value, index) => {
      bytes.setBigUint64(task + TASK.regs + index * 8, BigInt(value), true)
    })
    engine.enter(task, entry)
  }

  const r0 = (): bigint => view().getBigUint64(task + TASK.regs, true)

  function run(budget = Number.POSITIVE_INFINITY): bigint {
    enter()
    for (let left = budget; left > 0; left -= 2 ** 30) {
      const stop = engine.resume(task, Math.min(left, 2 ** 30))
      if (stop === 'done') return r0()
      if (stop !== 'budget') throw stopError(stop, engine.trap(task))
    }
    throw new BpfError('out-of-budget', `the program executes more than ${budget} instructions`)
  }

  return {
    engine,
    task,
    enter,
    run,
    r0,
    executed: () => view().getBigUint64(task + TASK.executed, true),
    region: () => new Uint8Array(memory.buffer, region, input.length),
    whole: () => new Uint8Array(memory.buffer),
  }
}

function stopError(stop: Stop, info: TrapInfo): BpfError {
  if (stop === 'trap') return new BpfError(info.code, info.sentence, { place: `instruction ${info.insn}` })
  return new BpfError('bare-stop', `a bare program cannot stop with ${stop}`)
}
