import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Bytes, Code, ModuleWriter } from './index.js'

/** Instantiates a module and gives its exports as plain functions. */
function exportsOf(module: ModuleWriter, host: WebAssembly.ModuleImports = {}): Record<string, CallableFunction> {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module.finish()), { host })
  return instance.exports as Record<string, CallableFunction>
}

it('writes every i32 and i64 constant so that wasm reads the same number', () => {
  fc.assert(
    fc.property(fc.integer(), fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }), (small, large) => {
      const module = new ModuleWriter()
      const [a, b] = [module.func('a', { params: [], result: 'i32' }), module.func('b', { params: [], result: 'i64' })]
      module.body(a, new Code([]).i32(small))
      module.body(b, new Code([]).i64(large))
      module.exportFunc('a', a)
      module.exportFunc('b', b)
      const { a: readSmall, b: readLarge } = exportsOf(module)
      expect(readSmall?.()).toBe(small)
      expect(readLarge?.()).toBe(large)
    }),
    { numRuns: 200 },
  )
})

it('writes unsigned LEB128 at the borders of each length', () => {
  const bytes = (value: number): number[] => [...new Bytes().u32(value).take()]
  expect(bytes(127)).toEqual([0x7f])
  expect(bytes(128)).toEqual([0x80, 1])
  expect(bytes(0xffffffff)).toEqual([0xff, 0xff, 0xff, 0xff, 0x0f])
})

it('nests block, loop, if and br_table', () => {
  // sum of i for i below n, then a digit chosen by n: 0 -> 100, 1 -> 200, else 300
  const module = new ModuleWriter()
  const func = module.func('f', { params: ['i32'], result: 'i32' })
  const code = new Code(['i32'])
  const [i, sum] = [code.local('i32'), code.local('i32')]
  code.block().loop()
  code.get(i).get(0).op('i32.ge_u').brIf(1)
  code.get(sum).get(i).op('i32.add').set(sum).get(i).i32(1).op('i32.add').set(i).br(0)
  code.end().end()
  code.block().block().block().get(0).brTable([0, 1], 2).end()
  code.i32(100).get(sum).op('i32.add').return().end()
  code.i32(200).get(sum).op('i32.add').return().end()
  code.get(0).if('i32').i32(300).else().i32(-1).end().get(sum).op('i32.add')
  module.body(func, code)
  module.exportFunc('f', func)
  const { f } = exportsOf(module)
  expect([0, 1, 5].map((n) => f?.(n))).toEqual([100, 200, 310])
})

it('calls through a table, keeps globals, imports functions and globals', () => {
  const module = new ModuleWriter()
  const log = module.importFunc('host', 'log', { params: ['i32'], result: undefined })
  const base = module.importGlobal('host', 'base', 'i32', false)
  const type = { params: ['i32'], result: 'i64' } as const
  const table = module.table({ min: 2, max: 2 })
  const counter = module.global('i64', true, 40n)
  const [one, two] = [module.func('one', type), module.func('two', type)]
  module.body(one, new Code(['i32']).get(0).call(log).globalGet(counter).i64(1).op('i64.add').globalSet(counter).i64(1))
  module.body(two, new Code(['i32']).globalGet(base).op('i64.extend_i32_u'))
  const pick = module.func('pick', { params: ['i32'], result: 'i64' })
  module.body(pick, new Code(['i32']).i32(7).get(0).callIndirect(module.type(type), table))
  module.element(0, [one, two])
  module.exportFunc('pick', pick)
  module.exportTable('table', table)
  module.exportGlobal('counter', counter)
  const seen: number[] = []
  const host = { log: (value: number) => seen.push(value), base: new WebAssembly.Global({ value: 'i32' }, 9) }
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module.finish()), { host })
  const run = instance.exports.pick as (slot: number) => bigint
  expect([run(0), run(1)]).toEqual([1n, 9n])
  expect(seen).toEqual([7])
  expect((instance.exports.counter as WebAssembly.Global).value).toBe(41n)
  expect((instance.exports.table as WebAssembly.Table).length).toBe(2)
  expect(() => run(2)).toThrow(WebAssembly.RuntimeError)
})

it('names functions, so that a stack trace says which routine trapped', () => {
  const module = new ModuleWriter()
  const func = module.func('the_culprit', { params: [], result: undefined })
  module.body(func, new Code([]).unreachable())
  module.exportFunc('f', func)
  try {
    exportsOf(module).f?.()
    expect.unreachable()
  } catch (error) {
    expect(String((error as Error).stack)).toContain('the_culprit')
  }
})

it('moves and fills memory, asks for its size and grows it', () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 3 })
  const module = new ModuleWriter()
  module.importMemory('host', 'memory', { min: 1, max: 3 })
  const func = module.func('f', { params: [], result: 'i32' })
  const code = new Code([]).i32(8).i32(0xab).i32(4).memoryFill().i32(100).i32(8).i32(4).memoryCopy()
  module.body(func, code.i32(1).memoryGrow().drop().atomicFence().memorySize())
  module.exportFunc('f', func)
  expect(exportsOf(module, { memory }).f?.()).toBe(2)
  expect([...new Uint8Array(memory.buffer, 99, 6)]).toEqual([0, 0xab, 0xab, 0xab, 0xab, 0])
})

it('refuses a module in which a declared function has no body', () => {
  const module = new ModuleWriter()
  module.func('hollow', { params: [], result: undefined })
  expect(() => module.finish()).toThrow('hollow')
})
