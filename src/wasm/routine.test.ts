import fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  type AnyRoutine,
  createLinker,
  hostRoutine,
  i64,
  type Mode,
  ModuleWriter,
  type Routine,
  routine,
} from './index.js'

type Exports = Record<string, (...args: (number | bigint)[]) => number | bigint | undefined>

/** A module with these routines exported by their ids, over a small memory. */
function link(
  routines: readonly AnyRoutine[],
  mode: Mode = 'plain',
  imports: Record<string, AnyRoutine> = {},
  inlined: readonly AnyRoutine[] = [],
) {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 2, shared: mode === 'atomic' })
  const module = new ModuleWriter()
  module.importMemory('host', 'memory', { min: 1, max: 2, shared: mode === 'atomic' })
  const linker = createLinker(module, mode, Object.values(imports), new Set(inlined))
  for (const item of routines) module.exportFunc(item.id, linker.index(item))
  linker.flush()
  const bytes = module.finish()
  return { memory, bytes, view: new DataView(memory.buffer), module: new WebAssembly.Module(bytes) }
}

function run(built: ReturnType<typeof link>, host: WebAssembly.ModuleImports = {}): Exports {
  return new WebAssembly.Instance(built.module, { host: { memory: built.memory, ...host } }).exports as Exports
}

const gcd = routine('gcd', ['i32', 'i32'], 'i32', (f, a, b) => {
  f.while(b.ne(0), () => {
    const rest = f.local(a.remU(b))
    f.set(a, b)
    f.set(b, rest)
  })
  return a
})

it('reads like the function that it emits', () => {
  const { gcd: compute } = run(link([gcd]))
  fc.assert(
    fc.property(fc.nat(), fc.nat(), (a, b) => {
      const reference = (x: number, y: number): number => (y ? reference(y, x % y) : x)
      expect(compute?.(a, b)).toBe(reference(a, b))
    }),
  )
})

it('brings along the routines that a routine calls, and only those', () => {
  const lcm = routine('lcm', ['i32', 'i32'], 'i32', (_f, a, b) => a.divU(gcd(a, b)).mul(b))
  const stranger = routine('stranger', [], 'i32', () => 1)
  const built = link([lcm])
  const text = new TextDecoder().decode(built.bytes)
  expect(text).toContain('gcd')
  expect(text).not.toContain(stranger.id)
  expect(run(built).lcm?.(4, 6)).toBe(12)
})

it('lets routines call each other whatever their order', () => {
  const isEven: Routine<readonly ['i32'], 'i32'> = routine('is_even', ['i32'], 'i32', (f, n) => {
    f.if(n.eqz(), () => f.return(1))
    return isOdd(n.sub(1))
  })
  const isOdd: Routine<readonly ['i32'], 'i32'> = routine('is_odd', ['i32'], 'i32', (f, n) => {
    f.if(n.eqz(), () => f.return(0))
    return isEven(n.sub(1))
  })
  expect(run(link([isEven])).is_even?.(7)).toBe(0)
})

it('jumps by table, with one default', () => {
  const name = routine('name', ['i32'], 'i32', (f, n) => {
    const result = f.var32()
    const three = () => f.set(result, 3)
    f.switch(n, { 1: () => f.set(result, 10), 4: three, 5: three }, () => f.set(result, -1))
    return result
  })
  const { name: of } = run(link([name]))
  expect([0, 1, 2, 3, 4, 5, 6, -1].map((n) => of?.(n))).toEqual([-1, 10, -1, -1, 3, 3, -1, -1])
})

it('leaves the construct that is named, from any depth', () => {
  const find = routine('find', ['i32'], 'i32', (f, n) => {
    const i = f.var32()
    const found = f.var32(-1)
    f.block((out) => {
      f.forever((end, start) => {
        f.set(i, i.add(1))
        f.breakIf(end, i.gtU(100))
        f.if(i.remU(2).ne(0), () => f.break(start))
        f.if(i.mul(i).geU(n), () => {
          f.set(found, i)
          f.break(out)
        })
      })
      f.set(found, -2)
    })
    return found
  })
  const { find: run1 } = run(link([find]))
  expect([run1?.(10), run1?.(37), run1?.(1_000_000)]).toEqual([4, 8, -2])
})

it('computes the second condition only when it must', () => {
  const bump = routine('bump', ['i32'], 'i32', (f, address) => {
    f.add32(address, 0, 1)
    return 1
  })
  const both = routine('both', ['i32', 'i32'], 'i32', (_f, a, at) => a.andThen(bump(at)))
  const either = routine('either', ['i32', 'i32'], 'i32', (_f, a, at) => a.orElse(bump(at)))
  const built = link([both, either])
  const wasm = run(built)
  expect([wasm.both?.(0, 0), wasm.both?.(1, 0), wasm.either?.(1, 0), wasm.either?.(0, 0)]).toEqual([0, 1, 1, 1])
  expect(built.view.getUint32(0, true)).toBe(2)
})

it.each(['plain', 'atomic'] as const)('shared words behave the same when emitted %s', (mode) => {
  const swap = routine('swap', ['i32', 'i32', 'i32'], 'i32', (_f, at, from, to) => at.cmpxchg32(4, from, to))
  const add = routine('add', ['i32', 'i64'], 'i64', (_f, at, by) => at.rmw64('add', 8, by))
  const exchange = routine('exchange', ['i32', 'i32'], 'i32', (_f, at, to) => at.rmw32('xchg', 4, to))
  const put = routine('put', ['i32'], 'i64', (f, at) => {
    f.sharedStore32(at, 4, 5)
    f.sharedStore64(at, 8, i64(1n << 40n))
    return at.shared64(8).add(at.shared32(4).wide())
  })
  const built = link([swap, add, exchange, put], mode)
  const wasm = run(built)
  expect(wasm.put?.(0)).toBe((1n << 40n) + 5n)
  expect(wasm.swap?.(0, 6, 7)).toBe(5)
  expect(wasm.swap?.(0, 5, 7)).toBe(5)
  expect(wasm.exchange?.(0, 9)).toBe(7)
  expect(wasm.add?.(0, 2n)).toBe(1n << 40n)
  expect([built.view.getUint32(4, true), built.view.getBigUint64(8, true)]).toEqual([9, (1n << 40n) + 2n])
  expect(Buffer.from(built.bytes).includes(Buffer.from([0xfe, 0x48, 2, 4]))).toBe(mode === 'atomic')
})

it('calls functions of the host', () => {
  const twice = hostRoutine('twice', ['i32'], 'i32')
  const use = routine('use', ['i32'], 'i32', (_f, n) => twice(n).add(1))
  expect(run(link([use], 'plain', { twice }), { twice: (n: number) => 2 * n }).use?.(20)).toBe(41)
  expect(() => link([use])).toThrow('host function twice')
})

it('refuses a call that is forgotten or used twice, which would be a silent bug', () => {
  const effect = routine('effect', ['i32'], undefined, (f, at) => {
    f.store32(at, 0, 1)
  })
  const forgets = routine('forgets', [], undefined, () => {
    effect(0)
  })
  expect(() => link([forgets])).toThrow('f.do is missing')
  const doubles = routine('doubles', [], 'i32', () => {
    const call = gcd(1, 2)
    return call.add(call)
  })
  expect(() => link([doubles])).toThrow('used twice')
})

it('writes a routine in place of its calls where asked, returns and loops included', () => {
  const sign = routine('sign', ['i32'], 'i32', (f, x) => {
    f.while(x.ne(0), () => {
      f.if(x.ltS(0), () => f.return(-1))
      f.return(1)
    })
    return 0
  })
  const both = routine('both', ['i32', 'i32'], 'i32', (f, a, b) => {
    const first = f.local(sign(a))
    return first.mul(10).add(sign(b))
  })
  const [called, written] = [link([both]), link([both], 'plain', {}, [sign])]
  for (const [a, b] of [
    [5, -5],
    [-1, 0],
    [0, 7],
  ] as const) {
    const expected = Math.sign(a) * 10 + Math.sign(b)
    expect([run(called).both?.(a, b), run(written).both?.(a, b)]).toEqual([expected, expected])
  }
  expect(WebAssembly.Module.exports(written.module)).toHaveLength(1)
  expect(written.bytes.includes(0x10)).toBe(false)
})
