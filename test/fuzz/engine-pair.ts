/**
 * Two machines that are alike byte for byte, one with the interpreter and one with the compiler, on which one program after the
 * other runs: result, stack and maps must stay alike. Engines get their memory from a block set aside, so that the heap of both
 * machines holds the same things at the same addresses.
 */
import type { CallTarget, Code, Engine } from '../../src/engine/index.js'
import { compilerOptions, controls, createCompiler, createInterpreter, runtimeOptions } from '../../src/engine/index.js'
import { disassemble } from '../../src/isa/index.js'
import { createMap, createProg, createRuntime, type Runtime, TASK } from '../../src/runtime/index.js'
import { type FlowMaps, type FlowProgram, flowProgram } from './flow-programs.js'
import { random } from './mutate.js'

const ARENA = 1 << 18
const ENTRIES = 5

interface Side {
  readonly runtime: Runtime
  readonly engine: Engine
  readonly prog: number
  readonly task: number
  readonly maps: FlowMaps
  /** Bytes of the heap that both machines have in common. */
  heap(): Uint8Array
}

export function makeSide(kind: 'interpreter' | 'compiler'): Side {
  const runtime = createRuntime({ seed: 5n })
  const arena = runtime.calls.alloc(ARENA)
  const shape = { keySize: 4, valueSize: 16, maxEntries: ENTRIES } as const
  const addresses = [
    createMap(runtime, { type: 'array', ...shape }),
    createMap(runtime, { type: 'hash', ...shape }),
    createMap(runtime, { type: 'hash', flags: 1, ...shape }),
    createMap(runtime, { type: 'lru_hash', ...shape }),
  ]
  const prog = createProg(runtime, { type: 31 })
  const task = runtime.calls.taskNew(0, 0)
  let used = 0
  const alloc = (bytes: number): number => {
    const at = arena + used
    used += (bytes + 7) & ~7
    if (used > ARENA) throw new Error('the arena of an engine is full')
    return at
  }
  const free = (): void => {
    used = 0
  }
  const engine =
    kind === 'interpreter'
      ? createInterpreter({ ...runtimeOptions(runtime), alloc, free })
      : createCompiler({ ...compilerOptions(runtime, () => {}), alloc, free })
  const first = arena + ARENA
  const heap = (): Uint8Array => new Uint8Array(runtime.memory.buffer, first, 0x20000)
  return { runtime, engine, prog, task, maps: { addresses, entries: ENTRIES }, heap }
}

function codeOf({ insns, functions, calls }: FlowProgram, prog: number): Code {
  const targets = new Map<number, CallTarget>()
  for (const [at, name] of calls) targets.set(at, { kind: name in controls ? 'control' : 'leaf', name })
  return { name: 'fuzz', prog, insns, functions, calls: targets }
}

/** What a run left: R0, or why it stopped. */
export function runOn({ runtime, engine, prog, task }: Side, program: FlowProgram): string {
  const handles = engine.prepare(codeOf(program, prog))
  for (let register = 1; register <= 5; register++) runtime.store64(task + TASK.regs + 8 * register, 0n)
  engine.enter(task, handles[0] ?? 0)
  const stop = engine.resume(task, 5_000_000)
  const result = stop === 'done' ? runtime.load64(task + TASK.regs).toString(16) : stop
  // The block of the task keeps the registers of the interpreter; both machines forget them.
  runtime.views.u8.fill(0, task, task + TASK.stack)
  engine.release(handles)
  return result
}

/** What a number of programs came to. */
export interface PairResult {
  readonly programs: number
  readonly instructions: number
  readonly failures: string[]
}

/** Runs `count` arbitrary programs on both machines. Stops at the tenth difference. */
export function compareEngines(count: number, seed: number, from = 0): PairResult {
  let [interpreted, compiled] = [makeSide('interpreter'), makeSide('compiler')]
  const failures: string[] = []
  let instructions = 0
  for (let index = from; index < from + count && failures.length < 10; index++) {
    const program = flowProgram(random(Math.imul(seed, 0x9e3779b1) + index), interpreted.maps)
    instructions += program.insns.length
    const expected = runOn(interpreted, program)
    let given: string
    try {
      given = runOn(compiled, program)
    } catch (error) {
      given = String(error)
    }
    const same = Buffer.compare(interpreted.heap(), compiled.heap()) === 0
    if (expected === given && same) continue
    const what = expected === given ? 'the memory differs' : `interpreter ${expected}, compiler ${given}`
    failures.push(`program ${index} of seed ${seed}: ${what}\n${disassemble(program.insns)}`)
    interpreted = makeSide('interpreter')
    compiled = makeSide('compiler')
  }
  return { programs: count, instructions, failures }
}
