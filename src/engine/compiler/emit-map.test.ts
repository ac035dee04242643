/**
 * Programs over maps do the same on both engines: the compiler's routines for the one map, written in place, and the general
 * ones that the interpreter calls. Registers, values, free lists, order of use: every byte of the map is compared.
 */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { assemble } from '../../isa/index.js'
import { createMap, createProg, createRuntime, MAP, type NewMap, type Runtime, TASK } from '../../runtime/index.js'
import type { CallTarget, Engine } from '../engine.js'
import { createInterpreter, runtimeOptions } from '../interpreter/index.js'
import { compilerOptions, createCompiler } from './index.js'

const maps: fc.Arbitrary<NewMap> = fc
  .record({
    kind: fc.constantFrom(
      { type: 'hash' as const },
      { type: 'hash' as const, flags: 1 },
      { type: 'lru_hash' as const },
      { type: 'array' as const },
    ),
    keySize: fc.constantFrom(4, 5, 8, 12, 16),
    valueSize: fc.constantFrom(8, 9, 16, 24),
    maxEntries: fc.integer({ min: 1, max: 6 }),
    special: fc.constantFrom({}, {}, { lock: 0 }),
  })
  .map(({ kind, keySize, special, ...rest }) => ({
    ...kind,
    ...rest,
    keySize: kind.type === 'array' ? 4 : keySize,
    special: kind.type === 'lru_hash' ? {} : special,
  }))

const step = fc.record({
  op: fc.constantFrom('lookup' as const, 'update' as const, 'update' as const, 'delete' as const),
  key: fc.nat(7),
  flags: fc.constantFrom(0, 0, 0, 1, 2, 3, 4),
  /** How the registers get what they hold: straight, or by ways on which a compiler loses sight of it. */
  mapBy: fc.constantFrom('number', 'copy', 'memory'),
  keyBy: fc.constantFrom('frame', 'memory'),
  /** The key is stored as a number, from a register that keeps it, or from one that the call's arguments overwrite. */
  storedBy: fc.constantFrom('number', 'r5', 'r5', 'r1'),
  /** Its first byte is then stored once more. */
  patched: fc.option(fc.nat(7), { nil: undefined, freq: 4 }),
  flagsBy: fc.constantFrom('number', 'memory'),
})
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** One operation as text: the key at R10 - 16, the value at R10 - 40; what it gives is mixed into R7. R6 is the map. */
function textOf(one: Step, map: number, keySize: number, index: number): string[] {
  const { op, key, flags, mapBy, keyBy, flagsBy, storedBy, patched } = one
  const through = (register: string): string[] => [`*(u64 *)(r10 -48) = ${register}`, `${register} = *(u64 *)(r10 -48)`]
  const byMap = { number: [`r1 = ${map} ll`], copy: ['r1 = r6'], memory: ['r1 = r6', ...through('r1')] }[mapBy]
  const lines = [
    ...(storedBy === 'number' ? [] : [`${storedBy} = ${key}`]),
    `*(u${keySize === 8 ? 64 : 32} *)(r10 -16) = ${storedBy === 'number' ? key : storedBy}`,
    ...(patched === undefined ? [] : [`*(u8 *)(r10 -16) = ${patched}`]),
    `r8 += ${index + 1}`,
    '*(u64 *)(r10 -40) = r8',
    '*(u64 *)(r10 -32) = r8',
    '*(u64 *)(r10 -24) = r8',
    ...byMap,
    'r2 = r10',
    'r2 += -16',
    ...(keyBy === 'memory' ? through('r2') : []),
    'r3 = r10',
    'r3 += -40',
    `r4 = ${flags}`,
    ...(flagsBy === 'memory' ? through('r4') : []),
  ]
  if (op === 'lookup') {
    return [
      ...lines,
      'call 1',
      `if r0 == 0 goto none${index}`,
      'r1 = *(u8 *)(r0 +7)',
      '*(u8 *)(r0 +7) = r8',
      'r0 = r1',
      `none${index}: r7 *= 31`,
      'r7 ^= r0',
    ]
  }
  return [...lines, `call ${op === 'update' ? 2 : 3}`, 'r7 *= 31', 'r7 ^= r0']
}

const helpers = { 1: 'bpf_map_lookup_elem', 2: 'bpf_map_update_elem', 3: 'bpf_map_delete_elem' } as const

/** Runs the steps twice in a loop; what is left in R0 and in the memory of the map. */
function execute(spec: NewMap, steps: readonly Step[], make: (runtime: Runtime) => Engine) {
  const runtime = createRuntime({ cpus: 2, seed: 11n })
  const map = createMap(runtime, spec)
  const engine = make(runtime)
  const insns = assemble(
    [
      `r6 = ${map} ll`,
      'r7 = 0',
      'r8 = 0',
      'r9 = 0',
      '*(u64 *)(r10 -16) = 0',
      '*(u64 *)(r10 -8) = 0',
      'again: r9 += 1',
      ...steps.flatMap((one, index) => textOf(one, map, spec.keySize, index)),
      'if r9 < 2 goto again',
      'r0 = r7',
      'exit',
    ].join('\n'),
  )
  const calls = new Map<number, CallTarget>()
  insns.forEach(({ code, imm }, at) => {
    if (code === 0x85) calls.set(at, { kind: 'leaf', name: helpers[imm as keyof typeof helpers] })
  })
  const functions = [{ name: 'main', start: 0 }]
  const prog = createProg(runtime, { type: 31 })
  const [handle = 0] = engine.prepare({ name: 'test', prog, insns, functions, calls })
  const task = runtime.calls.taskNew(1, 0)
  engine.enter(task, handle)
  const stop = engine.resume(task, 1_000_000)
  const { load32, views } = runtime
  const part = (address: number, bytes: number): number[] => [...views.u8.slice(address, address + bytes)]
  return {
    stop,
    r0: runtime.load64(task + TASK.regs),
    descriptor: part(map, MAP.size),
    storage: part(load32(map + MAP.storage), load32(map + MAP.storageBytes)),
    buckets: part(load32(map + MAP.buckets), load32(map + MAP.buckets) ? 4 * (load32(map + MAP.bucketMask) + 1) : 0),
  }
}

it('compiled programs over maps = interpreted ones', () => {
  fc.assert(
    fc.property(maps, fc.array(step, { minLength: 1, maxLength: 24 }), (spec, steps) => {
      const expected = execute(spec, steps, (runtime) => createInterpreter(runtimeOptions(runtime)))
      expect(expected.stop).toBe('done')
      const found = execute(spec, steps, (runtime) => createCompiler(compilerOptions(runtime, () => {})))
      // Elements of NO_PREALLOC come from the heap, which the engines fill differently.
      if (spec.flags === 1) expect([found.stop, found.r0]).toEqual([expected.stop, expected.r0])
      else expect(found).toEqual(expected)
    }),
    { numRuns: 100 },
  )
}, 60_000)
