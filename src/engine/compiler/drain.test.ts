import { beforeEach, expect, it } from 'vitest'
import { assemble } from '../../isa/index.js'
import {
  CPU,
  cpuAt,
  createMap,
  createProg,
  createRuntime,
  FUNC,
  MACHINE,
  MACHINE_AT,
  MAP,
  PROG,
  type Runtime,
  readObject,
  TASK,
} from '../../runtime/index.js'
import { type Compiler, compilerOptions, createCompiler } from './index.js'

const ELEMENTS = 4
let runtime: Runtime
let engine: Compiler
let worker: number
let map: number
let prog: number
let fromHost: () => void

beforeEach(() => {
  runtime = createRuntime({ cpus: 2, seed: 1n })
  engine = createCompiler(compilerOptions(runtime, () => fromHost()))
  worker = runtime.calls.taskNew(0, 1)
  prog = createProg(runtime, { type: 31 })
  map = createMap(runtime, {
    type: 'array',
    keySize: 4,
    valueSize: 40,
    maxEntries: ELEMENTS,
    special: { wq: 8, timer: 24 },
  })
})

const element = (index: number): number => runtime.load32(map + MAP.storage) + index * runtime.load32(map + MAP.stride)
const runs = (): bigint[] => Array.from({ length: ELEMENTS }, (_, index) => runtime.load64(element(index)))

/** A program with the callback `text` (R1 map, R2 key, R3 value), bound to every element. */
function bind(
  text: string,
  calls: ReadonlyMap<number, { kind: 'leaf'; name: string } | { kind: 'host'; id: number }> = new Map(),
): number {
  const handles = engine.prepare({
    name: 'work',
    prog,
    insns: assemble(`r0 = subprog[callback]\nexit\ncallback: ${text}`),
    functions: [
      { name: 'main', start: 0 },
      { name: 'callback', start: 3 },
    ],
    calls: new Map([...calls].map(([at, target]) => [at + 3, target])),
  })
  for (let index = 0; index < ELEMENTS; index++) {
    expect(runtime.calls.wqInit(element(index) + 8, map, 0)).toBe(0)
    expect(runtime.calls.wqSetCallback(element(index) + 8, handles[1] ?? 0, 0, prog)).toBe(0)
  }
  return handles[1] ?? 0
}
const start = (index: number, cpu = 0): void => {
  runtime.calls.clockRead()
  expect(runtime.calls.wqStart(element(index) + 8, 0, cpu)).toBe(0)
}

const count = 'r1 = *(u64 *)(r3 +0)\nr1 += 1\n*(u64 *)(r3 +0) = r1\n'

it('runs what is queued, in order of starting over CPUs, with map, key and value in R1 to R3', () => {
  // Writes key, order and CPU of the run into the value.
  const next = runtime.calls.allocZeroed(8)
  bind(
    `r6 = r3\nr7 = *(u32 *)(r2 +0)\nr4 = ${next} ll\nr5 = *(u64 *)(r4 +0)\nr5 += 1\n*(u64 *)(r4 +0) = r5\n` +
      'r7 *= 100\nr7 += r5\ncall 8\nr0 *= 10\nr7 += r0\n*(u64 *)(r6 +0) = r7\nr0 = 0\nexit',
    new Map([[9, { kind: 'leaf', name: 'bpf_get_smp_processor_id' }]]),
  )
  for (const [index, cpu] of [
    [2, 0],
    [0, 1],
    [3, 0],
    [1, 1],
  ] as const)
    start(index, cpu)
  expect(engine.drain(worker, 0, 2, 100)).toEqual({ done: 4, trapped: false })
  expect(runs()).toEqual([12n, 114n, 201n, 303n])
  expect(readObject(runtime, runtime.load32(element(0) + 8))).toMatchObject({ state: 'idle', starts: 1 })
  expect(runtime.load32(prog + PROG.running)).toBe(0)
})

it('a callback that starts itself again runs until the limit, and is still queued then', () => {
  bind(
    `r6 = r3\n${count}r1 = r6\nr1 += 8\nr2 = 0\ncall 5\nr0 = 0\nexit`,
    new Map([[7, { kind: 'leaf', name: 'bpf_wq_start' }]]),
  )
  start(1)
  expect(engine.drain(worker, 0, 2, 50)).toEqual({ done: 50, trapped: false })
  expect(runs()).toEqual([0n, 50n, 0n, 0n])
  expect(readObject(runtime, runtime.load32(element(1) + 8)).state).toBe('pending')
})

it('only takes work of the CPUs that it is asked for', () => {
  bind(`${count}r0 = 0\nexit`)
  start(0, 0)
  start(1, 1)
  expect(engine.drain(worker, 1, 1, 100).done).toBe(1)
  expect(runs()).toEqual([0n, 1n, 0n, 0n])
})

it('leaves what needs the machine: an expired timer first, a callback that is not compiled', () => {
  const callback = bind(`${count}r0 = 0\nexit`)
  start(0)
  expect(runtime.calls.timerInit(element(2) + 24, map, 1)).toBe(0)
  expect(runtime.calls.timerSetCallback(element(2) + 24, callback, prog)).toBe(0)
  expect(runtime.calls.timerStart(element(2) + 24, 0n, 0, 0)).toBe(0)
  expect(engine.drain(worker, 0, 2, 100).done).toBe(0)
  runtime.calls.timerFinish(runtime.calls.timerPick(0))
  runtime.store32(callback + FUNC.slot, 0)
  expect(engine.drain(worker, 0, 2, 100).done).toBe(0)
  expect(readObject(runtime, runtime.load32(element(0) + 8)).state).toBe('pending')
})

it('a callback that traps is finished and named; what is behind it stays', () => {
  bind('r1 = 0x7ffffff0\nr0 = *(u64 *)(r1 +0)\nexit')
  start(3)
  start(1)
  const current = cpuAt(runtime, 0) + CPU.current
  expect(engine.drain(worker, 0, 2, 100)).toEqual({ done: 0, trapped: true })
  expect(engine.trap(worker)).toMatchObject({ code: 'bad-address', program: 'work' })
  expect(runtime.load32(worker + TASK.object)).toBe(runtime.load32(element(3) + 8))
  expect(readObject(runtime, runtime.load32(element(3) + 8)).state).toBe('idle')
  expect(readObject(runtime, runtime.load32(element(1) + 8)).state).toBe('pending')
  expect([runtime.load32(current), runtime.load32(prog + PROG.running)]).toEqual([0, 0])
})

it('what a host call throws in the middle leaves no object running', () => {
  bind('r4 = 0\nr5 = 0\ncall 6\nr0 = 0\nexit', new Map([[2, { kind: 'host', id: 9 }]]))
  fromHost = () => {
    throw new Error('host says no')
  }
  start(0)
  expect(() => engine.drain(worker, 0, 2, 100)).toThrow('host says no')
  expect(readObject(runtime, runtime.load32(element(0) + 8)).state).toBe('idle')
  expect(runtime.load32(MACHINE_AT + MACHINE.asyncCount)).toBe(ELEMENTS)
})
