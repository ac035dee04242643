/** Every instruction of the table is put into a function and executed; the expected values come from BigInt arithmetic. */
import { expect, it } from 'vitest'
import { Code, ModuleWriter, opcodes, type ValType } from './index.js'

const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true })
const view = new DataView(memory.buffer)

/** A function `name(operands) -> result` that executes one instruction. */
function execute(name: string, operands: readonly (bigint | number)[], offset?: number): bigint {
  const op = opcodes[name]
  if (!op) throw new Error(name)
  const module = new ModuleWriter()
  module.importMemory('host', 'memory', { min: 1, max: 1, shared: true })
  const func = module.func('f', op)
  const code = new Code(op.params)
  for (let i = 0; i < op.params.length; i++) code.get(i)
  if (op.align >= 0) code.memory(name, offset)
  else code.op(name)
  module.body(func, code)
  module.exportFunc('f', func)
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module.finish()), { host: { memory } })
  const call = instance.exports.f as (...args: unknown[]) => bigint | number | undefined
  const result = call(
    ...operands.map((value, i) => (op.params[i] === 'i64' ? BigInt(value) : Number(BigInt.asIntN(32, BigInt(value))))),
  )
  return BigInt(result ?? 0)
}

const samples: Record<ValType, readonly bigint[]> = {
  i32: [0n, 1n, 2n, 7n, 31n, 0x80n, 0xffffn, 0x7fffffffn, -1n, -2n, -0x80000000n, 0x12345678n],
  i64: [
    0n,
    1n,
    3n,
    63n,
    0xff80n,
    0xffffffffn,
    0x100000000n,
    -1n,
    -5n,
    -(1n << 63n),
    (1n << 63n) - 1n,
    0x123456789abcdefn,
  ],
}
const widthOf = { i32: 32, i64: 64 }

/** What `type.name` should give; `undefined` where it traps. Operands are signed. */
function reference(type: ValType, name: string, a: bigint, b: bigint): bigint | undefined {
  const width = widthOf[type]
  const u = (value: bigint): bigint => BigInt.asUintN(width, value)
  const s = (value: bigint): bigint => BigInt.asIntN(width, value)
  const shift = u(b) % BigInt(width)
  const bits = u(a).toString(2).padStart(width, '0')
  const table: Record<string, () => bigint | boolean | undefined> = {
    eqz: () => a === 0n,
    eq: () => a === b,
    ne: () => a !== b,
    lt_s: () => a < b,
    lt_u: () => u(a) < u(b),
    gt_s: () => a > b,
    gt_u: () => u(a) > u(b),
    le_s: () => a <= b,
    le_u: () => u(a) <= u(b),
    ge_s: () => a >= b,
    ge_u: () => u(a) >= u(b),
    clz: () => BigInt(bits.indexOf('1') < 0 ? width : bits.indexOf('1')),
    ctz: () => BigInt(bits.indexOf('1') < 0 ? width : width - 1 - bits.lastIndexOf('1')),
    popcnt: () => BigInt(bits.replaceAll('0', '').length),
    add: () => a + b,
    sub: () => a - b,
    mul: () => a * b,
    div_s: () => (b === 0n || (b === -1n && s(-a) === a && a !== 0n) ? undefined : a / b),
    div_u: () => (b === 0n ? undefined : u(a) / u(b)),
    rem_s: () => (b === 0n ? undefined : a % b),
    rem_u: () => (b === 0n ? undefined : u(a) % u(b)),
    and: () => a & b,
    or: () => a | b,
    xor: () => a ^ b,
    shl: () => a << shift,
    shr_s: () => a >> shift,
    shr_u: () => u(a) >> shift,
    rotl: () => (u(a) << shift) | (u(a) >> (BigInt(width) - shift)),
    rotr: () => (u(a) >> shift) | (u(a) << (BigInt(width) - shift)),
  }
  const compute = table[name]
  if (!compute) throw new Error(`no reference for ${name}`)
  const result = compute()
  return typeof result === 'boolean' ? BigInt(result) : result === undefined ? undefined : s(result)
}

const conversion = /wrap|extend/
const numeric = Object.keys(opcodes).filter((name) => opcodes[name]?.align === -1 && !conversion.test(name))

it('has all 58 integer instructions', () => {
  expect(numeric).toHaveLength(58)
})

it.each(numeric)('%s computes what its name says', (name) => {
  const [type, op] = name.split('.') as [ValType, string]
  const binary = opcodes[name]?.params.length === 2
  for (const a of samples[type]) {
    for (const b of binary ? samples[type] : [0n]) {
      const expected = reference(type, op, a, b)
      const run = (): bigint => execute(name, binary ? [a, b] : [a])
      if (expected === undefined) expect(run, `${name} ${a} ${b}`).toThrow(WebAssembly.RuntimeError)
      else expect(run(), `${name} ${a} ${b}`).toBe(expected)
    }
  }
})

it.each([
  ['i32.wrap_i64', 0x1_8000_0001n, -0x7fffffffn],
  ['i64.extend_i32_s', -2n, -2n],
  ['i64.extend_i32_u', -2n, 0xfffffffen],
  ['i32.extend8_s', 0x80n, -128n],
  ['i32.extend16_s', 0x18000n, -0x8000n],
  ['i64.extend8_s', 0x1ffn, -1n],
  ['i64.extend16_s', 0x8000n, -0x8000n],
  ['i64.extend32_s', 0x80000000n, -0x80000000n],
])('%s converts', (name, from, to) => {
  expect(execute(name, [from])).toBe(to)
})

const accesses = Object.keys(opcodes).filter((name) => (opcodes[name]?.align ?? -1) >= 0)
const pattern = 0xf1e2d3c4b5a69788n

it.each(accesses.filter((name) => /load/.test(name)))('%s reads its width at address + offset', (name) => {
  const bits = 8 << (opcodes[name]?.align ?? 0)
  view.setBigUint64(64, pattern, true)
  const raw = pattern & ((1n << BigInt(bits)) - 1n)
  const result = opcodes[name]?.result === 'i64' ? 64 : 32
  const expected = name.endsWith('_s') ? BigInt.asIntN(bits, raw) : BigInt.asIntN(result, raw)
  expect(execute(name, [56], 8)).toBe(expected)
})

it.each(accesses.filter((name) => /store/.test(name)))('%s writes its width and nothing more', (name) => {
  const bits = BigInt(8 << (opcodes[name]?.align ?? 0))
  view.setBigUint64(64, 0xffffffffffffffffn, true)
  execute(name, [56, 0x1122334455667788n], 8)
  const mask = (1n << bits) - 1n
  expect(view.getBigUint64(64, true)).toBe((~mask & 0xffffffffffffffffn) | (0x1122334455667788n & mask))
})

it.each(accesses.filter((name) => /rmw/.test(name)))('%s changes its width and gives the old value', (name) => {
  const bits = BigInt(8 << (opcodes[name]?.align ?? 0))
  const mask = (1n << bits) - 1n
  const result = opcodes[name]?.result === 'i64' ? 64 : 32
  view.setBigUint64(64, pattern, true)
  const old = pattern & mask
  const op = /\.(add|sub|and|or|xor|xchg|cmpxchg)/.exec(name)?.[1] ?? ''
  const by = 0x35n
  const next = { add: old + by, sub: old - by, and: old & by, or: old | by, xor: old ^ by, xchg: by, cmpxchg: by }[op]
  const operands = op === 'cmpxchg' ? [56, BigInt.asIntN(result, old), by] : [56, by]
  expect(execute(name, operands, 8)).toBe(BigInt.asIntN(result, old))
  expect(view.getBigUint64(64, true)).toBe((pattern & ~mask) | ((next ?? 0n) & mask))
})

it('memory.atomic.wait gives not-equal and timed-out, notify counts the woken', () => {
  view.setBigUint64(64, 5n, true)
  expect(execute('memory.atomic.notify', [64, 1])).toBe(0n)
  expect(execute('memory.atomic.wait32', [64, 6, 0])).toBe(1n)
  expect(execute('memory.atomic.wait32', [64, 5, 0])).toBe(2n)
  expect(execute('memory.atomic.wait64', [64, 6, 0])).toBe(1n)
  expect(execute('memory.atomic.wait64', [64, 5, 1])).toBe(2n)
})
