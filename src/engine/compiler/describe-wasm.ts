/**
 * A module's functions as text, read back from its bytes: what was emitted, not what somebody meant to emit. Knows the
 * instructions that this house emits (integers, memory, atomics, control); anything else ends the listing of that function.
 */
import { FUNC } from '../../runtime/layout.js'
import { type Opcode, opcodes } from '../../wasm/index.js'
import type { Code } from '../engine.js'
import { emitModule, enteredFunctions } from './module.js'
import { analyse } from './unit.js'

/** Instructions by their bytes. */
const byCode = new Map<string, readonly [name: string, row: Opcode]>(
  Object.entries(opcodes).map(([name, row]) => [row.code.join(), [name, row]]),
)

/** Instructions that the table of integer operations does not hold: name and immediates. */
const others: Readonly<Record<number, readonly [name: string, immediates: string]>> = {
  0: ['unreachable', ''],
  2: ['block', 'type'],
  3: ['loop', 'type'],
  4: ['if', 'type'],
  5: ['else', ''],
  11: ['end', ''],
  12: ['br', 'u'],
  13: ['br_if', 'u'],
  14: ['br_table', 'table'],
  15: ['return', ''],
  16: ['call', 'func'],
  17: ['call_indirect', 'uu'],
  26: ['drop', ''],
  27: ['select', ''],
  32: ['local.get', 'u'],
  33: ['local.set', 'u'],
  34: ['local.tee', 'u'],
  35: ['global.get', 'u'],
  36: ['global.set', 'u'],
  63: ['memory.size', 'u'],
  64: ['memory.grow', 'u'],
  65: ['i32.const', 's'],
  66: ['i64.const', 's'],
}

/** The same behind a prefix byte. */
const prefixed: Readonly<Record<string, readonly [name: string, immediates: string]>> = {
  '252,10': ['memory.copy', 'uu'],
  '252,11': ['memory.fill', 'u'],
  '254,3': ['atomic.fence', 'u'],
}

const blockTypes: Readonly<Record<number, string>> = { 64: '', 127: ' (result i32)', 126: ' (result i64)' }

/** Reads numbers from bytes. */
interface Cursor {
  readonly bytes: Uint8Array
  at: number
}

function byte(cursor: Cursor): number {
  return cursor.bytes[cursor.at++] ?? 0
}

function unsigned(cursor: Cursor): number {
  let value = 0
  for (let scale = 1; ; scale *= 128) {
    const next = byte(cursor)
    value += (next & 0x7f) * scale
    if (next < 0x80) return value
  }
}

function signed(cursor: Cursor): bigint {
  let value = 0n
  for (let shift = 0n; ; shift += 7n) {
    const next = byte(cursor)
    value |= BigInt(next & 0x7f) << shift
    if (next < 0x80) return next & 0x40 ? value - (1n << (shift + 7n)) : value
  }
}

function immediates(cursor: Cursor, kinds: string, name: (func: number) => string): string {
  if (kinds === 'type') return blockTypes[byte(cursor)] ?? ' ?'
  if (kinds === 'table') return Array.from({ length: unsigned(cursor) + 1 }, () => ` ${unsigned(cursor)}`).join('')
  if (kinds === 'func') return ` ${name(unsigned(cursor))}`
  return [...kinds].map((kind) => ` ${kind === 's' ? signed(cursor) : unsigned(cursor)}`).join('')
}

/** One instruction with its immediates; `undefined` for one that is unknown. */
function instruction(cursor: Cursor, name: (func: number) => string): string | undefined {
  const first = byte(cursor)
  const other = others[first]
  if (other) return other[0] + immediates(cursor, other[1], name)
  const key = first >= 0xfc ? `${first},${byte(cursor)}` : String(first)
  const more = prefixed[key]
  if (more) return more[0] + immediates(cursor, more[1], name)
  const known = byCode.get(key)
  if (!known) return undefined
  const [text, { align }] = known
  if (align < 0) return text
  unsigned(cursor)
  const offset = unsigned(cursor)
  return offset ? `${text} offset=${offset}` : text
}

function bodyText(cursor: Cursor, name: (func: number) => string): string[] {
  const end = unsigned(cursor) + cursor.at
  const lines: string[] = []
  const locals = Array.from(
    { length: unsigned(cursor) },
    () => `${unsigned(cursor)} x ${byte(cursor) === 0x7f ? 'i32' : 'i64'}`,
  )
  if (locals.length > 0) lines.push(`  (local ${locals.join(', ')})`)
  for (let depth = 1; cursor.at < end; ) {
    const at = cursor.at
    const text = instruction(cursor, name)
    if (text === undefined) {
      lines.push(`  ;; unknown instruction 0x${(cursor.bytes[at] ?? 0).toString(16)}`)
      break
    }
    const closes = text === 'end' || text === 'else'
    lines.push('  '.repeat(Math.max(0, depth - (closes ? 1 : 0))) + text)
    if (text === 'end') depth--
    else if (/^(block|loop|if)/.test(text)) depth++
  }
  cursor.at = end
  return lines
}

/** Sections of a module that are not read by name: where each begins, by id. */
function sections(bytes: Uint8Array): Map<number, Cursor> {
  const found = new Map<number, Cursor>()
  const cursor: Cursor = { bytes, at: 8 }
  while (cursor.at < bytes.length) {
    const id = byte(cursor)
    const size = unsigned(cursor)
    found.set(id, { bytes, at: cursor.at })
    cursor.at += size
  }
  return found
}

/** Names of functions by index, from the section `name`. */
function functionNames(section: Cursor | undefined): string[] {
  if (!section) return []
  const text = (): string => {
    const length = unsigned(section)
    section.at += length
    return new TextDecoder().decode(section.bytes.subarray(section.at - length, section.at))
  }
  text()
  byte(section)
  unsigned(section)
  return Array.from({ length: unsigned(section) }, () => {
    unsigned(section)
    return text()
  })
}

/** The functions of a module that this house emitted, as text. */
export function describeModule(bytes: Uint8Array): string {
  const found = sections(bytes)
  const names = functionNames(found.get(0))
  const code = found.get(10)
  if (!code) return ''
  const name = (index: number): string => `$${(names[index] ?? String(index)).replaceAll(' ', '_')}`
  const count = unsigned(code)
  const first = names.length - count
  return Array.from({ length: count }, (_, index) => {
    const header = `(func ${name(first + index)} ;; ${first + index}`
    return [header, ...bodyText(code, name), ''].join('\n')
  }).join('\n')
}

/**
 * The module that a program would become, as text; addresses of functions and slots are placeholders. Maps are not looked into
 * without a memory, so calls of map helpers are the general ones then.
 */
export function describeWasm(code: Code, memory?: WebAssembly.Memory): string {
  const starts = new Map(code.functions.map(({ start }, index) => [start, FUNC.size * (index + 1)]))
  const byHandle = new Map([...starts].map(([start, handle]) => [BigInt(handle), start]))
  const units = analyse(code, (start) => starts.get(start) ?? 0)
  const words = memory ? new Int32Array(memory.buffer) : new Int32Array(0)
  const load32 = (address: number): number => (words[address >> 2] ?? 0) >>> 0
  const bytes = emitModule({
    units,
    mode: 'plain',
    slots: new Map(enteredFunctions(units).map((start, index) => [start, 2 + 2 * index])),
    load32,
    load64: (address) => (BigInt(load32(address + 4)) << 32n) | BigInt(load32(address)),
    startOf: (handle) => (handle === undefined ? undefined : byHandle.get(handle)),
  })
  return describeModule(bytes)
}
