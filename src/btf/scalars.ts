/**
 * Numbers in memory: ints up to 128 bits, enums, pointers, floats and bit fields, little-endian. Up to 32 bits a value is
 * a `number`, beyond a `bigint`; writing takes either, and decimal or 0x text as JSON carries large numbers. A value that
 * does not fit its type is an error, never cut off. The rules for users stand in docs/values.md.
 */
import { BpfError } from '../bits/index.js'
import type { BtfTypeOf } from './kinds.js'

/** Memory under a codec: the same bytes twice. */
export interface Memory {
  readonly bytes: Uint8Array
  readonly view: DataView
}

/** Reads and writes values of one type at an offset. `path` names the value in errors. */
export interface Place {
  /** Bytes. */
  readonly size: number
  /** Bytes that the kernel manages lie inside. */
  readonly opaque: boolean
  read(memory: Memory, at: number): unknown
  /** Writes all of it; members that `value` omits become zero. */
  write(memory: Memory, at: number, value: unknown, path: string): void
  /** Lays `size` bytes of `source`, or zeros, over the place and leaves out what the kernel manages. */
  lay(memory: Memory, at: number, source: Uint8Array | undefined): void
}

/** {@link Place.lay} for places without opaque fields. */
export function layPlain(size: number): Place['lay'] {
  return ({ bytes }, at, source) => {
    if (source) bytes.set(source, at)
    else bytes.fill(0, at, at + size)
  }
}

/** `BpfError` (`bad-value`) at a path. */
export function badValue(path: string, sentence: string): BpfError {
  return new BpfError('bad-value', sentence, { place: path || 'value' })
}

/** How a wrong value is named in an error: short, and never its whole content. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return value.length > 40 ? `text of ${value.length} characters` : `'${value}'`
  if (typeof value === 'bigint') return `${value}n`
  if (value === null || typeof value !== 'object') return String(value)
  if (Array.isArray(value)) return `an array of ${value.length}`
  return value instanceof Uint8Array ? `a Uint8Array of ${value.length}` : 'an object'
}

/** A whole number from what users write: number, bigint, boolean, decimal or 0x text. `undefined` where it is none. */
export function toBigInt(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined
  if (typeof value !== 'string' || !/^[+-]?(\d{1,40}|0x[0-9a-f]{1,32})$/i.test(value)) return undefined
  return value.startsWith('-') ? -BigInt(value.slice(1)) : BigInt(value.replace('+', ''))
}

/** Reads `bits` (1 to 128) from bit `shift` of the byte at `at`, unsigned. */
export function readBits({ bytes }: Memory, at: number, shift: number, bits: number): bigint {
  let value = 0n
  const first = at + (shift >> 3)
  const low = shift & 7
  const count = (low + bits + 7) >> 3
  for (let i = count - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[first + i] ?? 0)
  return BigInt.asUintN(bits, value >> BigInt(low))
}

/** Writes `bits` of `value` at bit `shift` of the byte at `at`; neighbours stay. */
export function writeBits({ bytes }: Memory, at: number, shift: number, bits: number, value: bigint): void {
  const low = shift & 7
  const mask = ((1n << BigInt(bits)) - 1n) << BigInt(low)
  let rest = (BigInt.asUintN(bits, value) << BigInt(low)) & mask
  let keep = mask
  for (let i = at + (shift >> 3); keep > 0n; i++) {
    bytes[i] = ((bytes[i] ?? 0) & ~Number(keep & 255n)) | Number(rest & 255n)
    rest >>= 8n
    keep >>= 8n
  }
}

/** A whole number that fits `bits`, or `bad-value`. */
function fitting(value: unknown, bits: number, signed: boolean, path: string): bigint {
  const number = toBigInt(value)
  if (number === undefined) throw badValue(path, `${describe(value)} is not a whole number`)
  const least = signed ? -(1n << BigInt(bits - 1)) : 0n
  const most = (1n << BigInt(signed ? bits - 1 : bits)) - 1n
  if (number < least || number > most) {
    throw badValue(path, `${number} does not fit ${signed ? 'signed' : 'unsigned'} ${bits} bits (${least} to ${most})`)
  }
  return number
}

/** What bits are called in JavaScript and back: the part that fields and bit fields of one type share. */
interface Meaning {
  decode(bits: bigint): unknown
  encode(value: unknown, path: string): bigint
}

function meaning(type: BtfTypeOf<'int'> | BtfTypeOf<'enum'> | BtfTypeOf<'ptr'>, bits: number): Meaning {
  if (type.kind === 'ptr') {
    return { decode: (value) => value, encode: (value, path) => fitting(value, bits, false, path) }
  }
  const narrow = type.size <= 4
  const signed = type.signed
  const decode = (value: bigint): number | bigint => {
    const whole = signed ? BigInt.asIntN(bits, value) : value
    return narrow ? Number(whole) : whole
  }
  if (type.kind === 'int') {
    if (!type.bool) return { decode, encode: (value, path) => fitting(value, bits, signed, path) }
    return {
      decode: (value) => value !== 0n,
      encode(value, path) {
        if (typeof value === 'boolean') return value ? 1n : 0n
        if (value === 'true' || value === 'false') return value === 'true' ? 1n : 0n
        const number = toBigInt(value)
        if (number !== 0n && number !== 1n) throw badValue(path, `${describe(value)} is not true or false`)
        return number
      },
    }
  }
  const names = new Map<bigint, string>()
  const values = new Map<string, bigint>()
  for (const { name, value } of type.values) {
    if (!names.has(value)) names.set(value, name)
    values.set(name, value)
  }
  return {
    decode(value) {
      const whole = signed ? BigInt.asIntN(bits, value) : value
      return names.get(whole) ?? decode(value)
    },
    encode(value, path) {
      const known = typeof value === 'string' ? values.get(value) : undefined
      if (known === undefined && typeof value === 'string' && toBigInt(value) === undefined) {
        throw badValue(path, `${describe(value)} is not a name of enum ${type.name || '(anonymous)'}`)
      }
      return fitting(known ?? value, bits, signed, path)
    },
  }
}

/** The place of an int, enum or pointer; `bitOffset` and `bits` tell a bit field, relative to the place. */
export function scalarPlace(
  type: BtfTypeOf<'int'> | BtfTypeOf<'enum'> | BtfTypeOf<'ptr'>,
  field?: { readonly bitOffset: number; readonly bits: number },
): Place {
  const size = type.kind === 'ptr' ? 8 : type.size
  const own = type.kind === 'int' ? { bitOffset: type.bitOffset, bits: type.bits } : { bitOffset: 0, bits: size * 8 }
  const { bitOffset, bits } = field ?? own
  const { decode, encode } = meaning(type, bits)
  const place: Place = {
    size,
    opaque: false,
    lay: layPlain(size),
    read: (memory, at) => decode(readBits(memory, at, bitOffset, bits)),
    write: (memory, at, value, path) => writeBits(memory, at, bitOffset, bits, encode(value, path)),
  }
  // The common case, without going through bigint: plain numbers of up to 32 bits.
  if (type.kind !== 'int' || type.bool || bitOffset !== 0 || bits !== size * 8) return place
  const fast = FAST[`${type.signed ? 'i' : 'u'}${size}`]
  return fast ? { ...place, read: ({ view }, at) => fast(view, at) } : place
}

const FAST: Readonly<Record<string, (view: DataView, at: number) => number | bigint>> = {
  u1: (view, at) => view.getUint8(at),
  i1: (view, at) => view.getInt8(at),
  u2: (view, at) => view.getUint16(at, true),
  i2: (view, at) => view.getInt16(at, true),
  u4: (view, at) => view.getUint32(at, true),
  i4: (view, at) => view.getInt32(at, true),
  u8: (view, at) => view.getBigUint64(at, true),
  i8: (view, at) => view.getBigInt64(at, true),
}

/** The place of a float or double. Other widths have no counterpart in JavaScript and stay bytes. */
export function floatPlace(type: BtfTypeOf<'float'>): Place {
  const { size } = type
  if (size !== 4 && size !== 8) return rawPlace(size, type.name)
  return {
    size,
    opaque: false,
    lay: layPlain(size),
    read: ({ view }, at) => (size === 4 ? view.getFloat32(at, true) : view.getFloat64(at, true)),
    write({ view }, at, value, path) {
      if (typeof value !== 'number') throw badValue(path, `${describe(value)} is not a number`)
      if (size === 4) view.setFloat32(at, value, true)
      else view.setFloat64(at, value, true)
    },
  }
}

/** Bytes as they are. */
function rawPlace(size: number, name: string): Place {
  return {
    size,
    opaque: false,
    lay: layPlain(size),
    read: ({ bytes }, at) => bytes.slice(at, at + size),
    write({ bytes }, at, value, path) {
      if (!(value instanceof Uint8Array) || value.length !== size) {
        throw badValue(path, `${name} takes a Uint8Array of ${size} bytes`)
      }
      bytes.set(value, at)
    },
  }
}
