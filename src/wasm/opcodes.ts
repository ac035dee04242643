/**
 * The instructions of WebAssembly that work on i32, i64, memory and atomics (core specification 2.0, threads proposal):
 * one table from the text format's name to encoding and types. Consecutive opcodes stand in one row, as in the
 * specification's own tables. Floats and vectors are left out: eBPF has none.
 */

/** Types of values on the operand stack. */
export type ValType = 'i32' | 'i64'

/** One instruction. */
export interface Opcode {
  /** Bytes of the opcode, prefix included. */
  readonly code: readonly number[]
  readonly params: readonly ValType[]
  readonly result: ValType | undefined
  /** Memory access: log2 of the natural alignment, which the encoding carries; -1 for all others. */
  readonly align: number
}

const table: Record<string, Opcode> = {}

function row(prefix: readonly number[], first: number, names: string, params: string, result: string): void {
  names.split(' ').forEach((name, i) => {
    if (table[name]) throw new Error(`opcode ${name} is listed twice`)
    table[name] = {
      code: [...prefix, first + i],
      params: params.split(' ').filter(Boolean) as ValType[],
      result: (result || undefined) as ValType | undefined,
      align: accessAlign(name),
    }
  })
}

/** log2 of how many bytes the name says are accessed. */
function accessAlign(name: string): number {
  if (!/load|store|rmw|wait|notify/.test(name)) return -1
  const narrow = /(?:load|store|rmw|wait)(8|16|32|64)/.exec(name)?.[1]
  return Math.log2(Number(narrow ?? (name.startsWith('i64') ? 64 : 32)) / 8)
}

const compares = ['eq', 'ne', 'lt_s', 'lt_u', 'gt_s', 'gt_u', 'le_s', 'le_u', 'ge_s', 'ge_u']
const counts = ['clz', 'ctz', 'popcnt']
const arithmetic = ['add', 'sub', 'mul', 'div_s', 'div_u', 'rem_s', 'rem_u', 'and', 'or', 'xor']
const shifts = ['shl', 'shr_s', 'shr_u', 'rotl', 'rotr']
const rmw = ['add', 'sub', 'and', 'or', 'xor', 'xchg']
const named = (type: string, names: readonly string[]): string => names.map((name) => `${type}.${name}`).join(' ')

for (const [type, compare, count] of [
  ['i32', 0x45, 0x67],
  ['i64', 0x50, 0x79],
] as const) {
  row([], compare, `${type}.eqz`, type, 'i32')
  row([], compare + 1, named(type, compares), `${type} ${type}`, 'i32')
  row([], count, named(type, counts), type, type)
  row([], count + 3, named(type, [...arithmetic, ...shifts]), `${type} ${type}`, type)
}
row([], 0xa7, 'i32.wrap_i64', 'i64', 'i32')
row([], 0xac, 'i64.extend_i32_s i64.extend_i32_u', 'i32', 'i64')
row([], 0xc0, 'i32.extend8_s i32.extend16_s', 'i32', 'i32')
row([], 0xc2, 'i64.extend8_s i64.extend16_s i64.extend32_s', 'i64', 'i64')

row([], 0x28, 'i32.load', 'i32', 'i32')
row([], 0x29, 'i64.load', 'i32', 'i64')
row([], 0x2c, 'i32.load8_s i32.load8_u i32.load16_s i32.load16_u', 'i32', 'i32')
row([], 0x30, 'i64.load8_s i64.load8_u i64.load16_s i64.load16_u i64.load32_s i64.load32_u', 'i32', 'i64')
row([], 0x36, 'i32.store', 'i32 i32', '')
row([], 0x37, 'i64.store', 'i32 i64', '')
row([], 0x3a, 'i32.store8 i32.store16', 'i32 i32', '')
row([], 0x3c, 'i64.store8 i64.store16 i64.store32', 'i32 i64', '')

row([0xfe], 0x00, 'memory.atomic.notify', 'i32 i32', 'i32')
row([0xfe], 0x01, 'memory.atomic.wait32', 'i32 i32 i64', 'i32')
row([0xfe], 0x02, 'memory.atomic.wait64', 'i32 i64 i64', 'i32')
row([0xfe], 0x10, 'i32.atomic.load', 'i32', 'i32')
row([0xfe], 0x11, 'i64.atomic.load', 'i32', 'i64')
row([0xfe], 0x12, 'i32.atomic.load8_u i32.atomic.load16_u', 'i32', 'i32')
row([0xfe], 0x14, 'i64.atomic.load8_u i64.atomic.load16_u i64.atomic.load32_u', 'i32', 'i64')
row([0xfe], 0x17, 'i32.atomic.store', 'i32 i32', '')
row([0xfe], 0x18, 'i64.atomic.store', 'i32 i64', '')
row([0xfe], 0x19, 'i32.atomic.store8 i32.atomic.store16', 'i32 i32', '')
row([0xfe], 0x1b, 'i64.atomic.store8 i64.atomic.store16 i64.atomic.store32', 'i32 i64', '')
for (const [i, name] of [...rmw, 'cmpxchg'].entries()) {
  const operands = (type: string): string => (name === 'cmpxchg' ? `i32 ${type} ${type}` : `i32 ${type}`)
  const first = 0x1e + 7 * i
  row([0xfe], first, `i32.atomic.rmw.${name}`, operands('i32'), 'i32')
  row([0xfe], first + 1, `i64.atomic.rmw.${name}`, operands('i64'), 'i64')
  row([0xfe], first + 2, `i32.atomic.rmw8.${name}_u i32.atomic.rmw16.${name}_u`, operands('i32'), 'i32')
  row(
    [0xfe],
    first + 4,
    `i64.atomic.rmw8.${name}_u i64.atomic.rmw16.${name}_u i64.atomic.rmw32.${name}_u`,
    operands('i64'),
    'i64',
  )
}

/** All instructions of this file by the text format's names: `i32.add`, `i64.load8_u`, `i32.atomic.rmw.cmpxchg`. */
export const opcodes: Readonly<Record<string, Opcode>> = table

/** The instruction of that name. Throws `Error` where there is none: a mistake of ours, never of input. */
export function opcode(name: string): Opcode {
  const found = table[name]
  if (!found) throw new Error(`no wasm instruction is called ${name}`)
  return found
}
