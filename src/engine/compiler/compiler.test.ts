import { beforeEach, describe, expect, it } from 'vitest'
import { assemble } from '../../isa/index.js'
import { createMap, createProg, createRuntime, FUNC, MAP, type Runtime, TASK } from '../../runtime/index.js'
import { bareProgram } from '../bare.js'
import type { CallTarget } from '../engine.js'
import { BATCH, type Compiler, compilerOptions, createCompiler } from './index.js'

let runtime: Runtime
let engine: Compiler
let task: number
let hosted: string[]

beforeEach(() => {
  runtime = createRuntime({ cpus: 1, seed: 3n })
  task = runtime.calls.taskNew(0, 0)
  hosted = []
  engine = createCompiler(
    compilerOptions(runtime, (on, id) => {
      hosted.push(`${id}: ${[1, 2, 3, 4, 5].map((n) => runtime.load64(on + TASK.regs + 8 * n)).join(' ')}`)
      runtime.store64(on + TASK.regs, 40n)
    }),
  )
})

type Calls = readonly (readonly [at: number, target: CallTarget])[]

function prepare(text: string, calls: Calls = [], functions: readonly number[] = [0]): readonly number[] {
  return engine.prepare({
    name: 'test',
    prog: createProg(runtime, { type: 31 }),
    insns: assemble(text),
    functions: functions.map((start) => ({ name: `f${start}`, start })),
    calls: new Map(calls),
  })
}

const leaf = (at: number, name: string): readonly [number, CallTarget] => [at, { kind: 'leaf', name }]
const register = (n: number): bigint => runtime.load64(task + TASK.regs + 8 * n)

function run(handles: readonly number[], r1 = 0n): bigint | string {
  engine.enter(task, handles[0] ?? 0)
  runtime.store64(task + TASK.regs + 8, r1)
  const stop = engine.resume(task, 1)
  return stop === 'done' ? register(0) : `${engine.trap(task).code} at ${engine.trap(task).insn}`
}

it('runs to the end whatever the budget, with R1 to R5 of the task', () => {
  expect(run(prepare('r0 = r1\nagain: r0 += 1\nif r0 < 1000 goto again\nexit'), 10n)).toBe(1000n)
})

it('a host call sees the registers and gives R0; what it throws leaves resume', () => {
  const handles = prepare('r1 = 1\nr2 = 2\nr3 = -1\nr4 = 4\nr5 = 5\ncall 6\nr0 += 2\nexit', [
    [5, { kind: 'host', id: 77 }],
  ])
  expect(run(handles)).toBe(42n)
  expect(hosted).toEqual([`77: 1 2 ${2n ** 64n - 1n} 4 5`])
  engine = createCompiler(
    compilerOptions(runtime, () => {
      throw new Error('no')
    }),
  )
  const failing = prepare('r1 = 0\nr2 = 0\nr3 = 0\nr4 = 0\nr5 = 0\ncall 6\nexit', [[5, { kind: 'host', id: 1 }]])
  expect(() => run(failing)).toThrow('no')
})

it('a program that a host call runs does not disturb the one that called', () => {
  const inner = prepare('call 8\nr0 += 5\nexit', [leaf(0, 'bpf_get_smp_processor_id')])
  const other = runtime.calls.taskNew(0, 0)
  engine = createCompiler(
    compilerOptions(runtime, (on) => {
      engine.enter(other, innerHandle)
      expect(engine.resume(other, 1)).toBe('done')
      runtime.store64(on + TASK.regs, runtime.load64(other + TASK.regs))
    }),
  )
  const [innerHandle = 0] = prepare('call 8\nr0 += 5\nexit', [leaf(0, 'bpf_get_smp_processor_id')])
  const outer = prepare('r1 = 0\nr2 = 0\nr3 = 0\nr4 = 0\nr5 = 0\ncall 6\nr6 = r0\ncall 8\nr0 += r6\nexit', [
    [5, { kind: 'host', id: 1 }],
    leaf(7, 'bpf_get_smp_processor_id'),
  ])
  expect(run(outer)).toBe(5n)
  expect(inner).toHaveLength(1)
})

describe('what cannot be executed traps', () => {
  const code = (text: string, functions: readonly number[] = [0]): bigint | string => run(prepare(text, [], functions))

  it('beyond the memory, opcodes that do not exist, the end of the program', () => {
    expect(code('r1 = 0x7ffffff0\nr0 = *(u64 *)(r1 +0)\nexit')).toMatch(/^bad-address/)
    expect(code('r0 = 1')).toBe('bad-opcode at 1')
    expect(code('goto pc+1\nr0 = 5 ll\nexit')).toBe('bad-opcode at 2')
  })
  it('the ninth function at once, and a call of what is no function', () => {
    expect(code('call f\nexit\nf: call f\nexit', [0, 2])).toBe('stack-overflow at 2')
    expect(code('r1 = 5\ncallx r1')).toBe('bad-function at 1')
    expect(code('r1 = r10\nr1 += -8\ncallx r1')).toBe('bad-function at 2')
    expect(code('r1 = -8 ll\ncallx r1')).toMatch(/^bad-/)
  })
  it('a lock that another holds: compiled code cannot wait for it', () => {
    const lock = runtime.calls.allocZeroed(8)
    runtime.store32(lock, 1)
    const handles = prepare('call 93\nr0 = 9\nexit', [leaf(0, 'bpf_spin_lock')])
    expect(run(handles, BigInt(lock))).toBe('would-block at 0')
    runtime.store32(lock, 0)
    expect(run(handles, BigInt(lock))).toBe(9n)
  })
  it('and the engine goes on with the next run', () => {
    const good = prepare('r0 = 3\nexit')
    expect(code('r1 = 0x7ffffff0\nr0 = *(u64 *)(r1 +0)\nexit')).toMatch(/^bad-address/)
    expect(run(good)).toBe(3n)
  })
})

it('refuses a routine that the runtime does not have, and takes nothing for it', () => {
  const used = runtime.views.u32.slice()
  expect(() => prepare('call 1\nexit', [leaf(0, 'bpf_nothing')])).toThrow('bpf_nothing')
  expect(() => prepare('call 1\nexit', [[0, { kind: 'control', name: 'bpf_nothing' }]])).toThrow('bpf_nothing')
  expect(runtime.views.u32.length).toBe(used.length)
})

it('calls through pointers reach functions of the same program only', () => {
  const [, callee = 0] = prepare('r1 = subprog[f]\nr0 = 0\nexit\nf: r0 = r1\nr0 += r2\nexit', [], [0, 4])
  expect(run(prepare(`r3 = ${callee} ll\nr1 = 40\nr2 = 2\ncallx r3\nexit`))).toMatch(/^bad-function/)
  expect(run(prepare('r3 = subprog[f]\nr1 = 40\nr2 = 2\ncallx r3\nexit\nf: r0 = r1\nr0 += r2\nexit', [], [0, 6]))).toBe(
    42n,
  )
})

it('a released program can no longer be entered or called, and its slots are used again', () => {
  const text = 'r1 = subprog[f]\nr0 = 1\nexit\nf: r0 = 2\nexit'
  const first = prepare(text, [], [0, 4])
  const slots = first.map((handle) => runtime.load32(handle + FUNC.slot))
  engine.release(first)
  expect(run(first)).toMatch(/^bad-function/)
  const again = prepare(text, [], [0, 4])
  expect(again.map((handle) => runtime.load32(handle + FUNC.slot)).sort()).toEqual(slots.sort())
})

it('a static callback of bpf_loop runs in place, one that is computed by its slot', () => {
  const body = 'body: r3 = *(u64 *)(r2 +0)\nr3 += r1\n*(u64 *)(r2 +0) = r3\nr0 = 0\nif r1 != 6 goto pc+1\nr0 = 1\nexit'
  const loop = (pointer: string): string => `
    *(u64 *)(r10 -8) = 0
    ${pointer}
    r1 = 100
    r3 = r10
    r3 += -8
    r4 = 0
    call 181
    r0 *= 1000
    r1 = *(u64 *)(r10 -8)
    r0 += r1
    exit
    ${body}`
  const target: CallTarget = { kind: 'control', name: 'bpf_loop' }
  expect(run(prepare(loop('r2 = subprog[body]'), [[7, target]], [0, 12]))).toBe(7021n)
  const computed = loop('r2 = subprog[body]\nr6 = *(u64 *)(r10 -8)\nr2 += r6')
  expect(run(prepare(computed, [[9, target]], [0, 14]))).toBe(7021n)
})

it('the packet loads of socket filters are big-endian, and end the function outside the packet', () => {
  const packet = runtime.calls.allocZeroed(8)
  runtime.store64(packet, 0x0807060504030201n)
  const at = (text: string): bigint | string => {
    const handles = prepare(`${text}\nexit`)
    runtime.store32(task + TASK.packet, packet)
    runtime.store32(task + TASK.packetEnd, packet + 8)
    return run(handles, 3n)
  }
  expect([at('r0 = *(u8 *)skb[7]'), at('r0 = *(u16 *)skb[6]'), at('r0 = *(u32 *)skb[r1 + -1]')]).toEqual([
    8n,
    0x708n,
    0x3040506n,
  ])
  expect([at('r0 = *(u32 *)skb[5]\nr0 = 9'), at('r1 = -1\nr0 = *(u8 *)skb[r1 + 0]\nr0 = 9')]).toEqual([0n, 0n])
})

it('repeat runs many times in one call, batch once for each packet of a list', () => {
  const counter = runtime.calls.allocZeroed(8)
  const handles = prepare(`r2 = ${counter} ll\nr0 = *(u64 *)(r2 +0)\nr0 += r1\n*(u64 *)(r2 +0) = r0\nexit`)
  runtime.store64(task + TASK.regs + 8, 3n)
  expect(engine.repeat(task, handles[0] ?? 0, 1000)).toBe('done')
  expect([register(0), runtime.load64(counter)]).toEqual([3000n, 3000n])
  const list = runtime.calls.allocZeroed(3 * BATCH.size)
  for (const [index, ctx] of [10, 20, 30].entries()) runtime.store32(list + index * BATCH.size + BATCH.ctx, ctx)
  expect(engine.batch(task, handles[0] ?? 0, list, 3)).toBe('done')
  expect([0, 1, 2].map((index) => runtime.load32(list + index * BATCH.size + BATCH.retval))).toEqual([3010, 3030, 3060])
})

it('maps known at load, atomics, clock, locks and inlined functions never call JavaScript', () => {
  const map = createMap(runtime, { type: 'hash', keySize: 4, valueSize: 8, maxEntries: 4 })
  const text = `
    *(u32 *)(r10 -4) = 7
    *(u64 *)(r10 -16) = 5
    r1 = ${map} ll
    r2 = r10
    r2 += -4
    r3 = r10
    r3 += -16
    r4 = 0
    call 2
    r1 = ${map} ll
    r2 = r10
    r2 += -4
    call 1
    if r0 == 0 goto out
    r1 = 37
    r1 = atomic64_fetch_add((u64 *)(r0 +0), r1)
    r0 = *(u64 *)(r0 +0)
    out: exit`
  const imports: string[] = []
  const { compile: _, ...options } = compilerOptions(runtime, () => void hosted.push('called'))
  engine = createCompiler({
    ...options,
    compile(bytes) {
      const module = new WebAssembly.Module(bytes)
      imports.push(
        ...WebAssembly.Module.imports(module).flatMap(({ kind, name }) => (kind === 'function' ? [name] : [])),
      )
      return module
    },
  })
  expect(run(prepare(text, [leaf(9, 'bpf_map_update_elem'), leaf(14, 'bpf_map_lookup_elem')]))).toBe(42n)
  expect(imports).toEqual(['grown', 'call'])
  expect(hosted).toEqual([])
  expect(runtime.load32(map + MAP.count)).toBe(1)
})

it("a stack argument of an inlined function, and of a called one, is the caller's", () => {
  const program = (padding: string): bigint =>
    bareProgram(
      assemble(`*(u64 *)(r10 -8) = 1\nr1 = r10\nr1 += -8\ncall f\ncall f\nr0 = *(u64 *)(r10 -8)\nexit
      f: *(u64 *)(r10 -8) = 77\nr2 = *(u64 *)(r1 +0)\n${padding}r2 *= 5\n*(u64 *)(r1 +0) = r2\nr0 = 0\nexit`),
      { engine: createCompiler },
    ).run()
  expect([program(''), program('r2 += 0\n'.repeat(100))]).toEqual([25n, 25n])
})

it('emits real atomics for a machine of threads: they trap where the address is no multiple of their size', () => {
  const shared = createRuntime({ mode: 'atomic' })
  runtime = shared
  engine = createCompiler(compilerOptions(shared, () => {}))
  task = shared.calls.taskNew(0, 0)
  expect(run(prepare('*(u64 *)(r10 -8) = 5\nr1 = 2\nlock *(u64 *)(r10 -8) += r1\nr0 = *(u64 *)(r10 -8)\nexit'))).toBe(
    7n,
  )
  expect(run(prepare('r1 = 2\nlock *(u64 *)(r10 -12) += r1\nexit'))).toMatch(/^misaligned-atomic/)
})
