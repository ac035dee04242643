/**
 * Little-endian reading and writing with bounds. Every parser reads through {@link ByteReader}, so that no input,
 * however damaged, can read outside itself: the first byte too many is a `ParseError` that names its offset.
 */
import { ParseError } from './errors.js'

const utf8 = new TextDecoder()
const encoder = new TextEncoder()

/** A bounded little-endian cursor over bytes. Offsets in errors count from `base`. */
export class ByteReader {
  readonly bytes: Uint8Array
  /** Next byte to be read, from the start of `bytes`. */
  offset: number
  private readonly view: DataView
  private readonly what: string
  private readonly base: number

  /** `what` names the input in errors ("ELF", "BTF"); `base` is added to offsets there. */
  constructor(bytes: Uint8Array, what: string, base = 0) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.offset = 0
    this.what = what
    this.base = base
  }

  /** Bytes left. */
  get left(): number {
    return this.bytes.length - this.offset
  }

  /** Moves to `offset`; throws `ParseError` where that lies outside. */
  seek(offset: number): this {
    if (!(offset >= 0 && offset <= this.bytes.length)) throw this.truncated(offset, 0)
    this.offset = offset
    return this
  }

  u8(): number {
    return this.view.getUint8(this.take(1))
  }
  u16(): number {
    return this.view.getUint16(this.take(2), true)
  }
  i16(): number {
    return this.view.getInt16(this.take(2), true)
  }
  u32(): number {
    return this.view.getUint32(this.take(4), true)
  }
  i32(): number {
    return this.view.getInt32(this.take(4), true)
  }
  u64(): bigint {
    return this.view.getBigUint64(this.take(8), true)
  }

  /** The next `length` bytes, not copied. */
  slice(length: number): Uint8Array {
    const at = this.take(length)
    return this.bytes.subarray(at, at + length)
  }

  private take(length: number): number {
    const at = this.offset
    if (!(length >= 0 && length <= this.bytes.length - at)) throw this.truncated(at, length)
    this.offset = at + length
    return at
  }

  private truncated(at: number, length: number): ParseError {
    const name = `${this.what.toLowerCase()}-truncated`
    return new ParseError(name, `${this.what} ends at ${this.bytes.length}, ${length} bytes wanted`, this.base + at)
  }
}

/** The text from `offset` to the next NUL; `undefined` where `offset` lies outside or no NUL follows. */
export function cString(bytes: Uint8Array, offset: number): string | undefined {
  if (!(offset >= 0 && offset < bytes.length)) return undefined
  const end = bytes.indexOf(0, offset)
  return end < 0 ? undefined : utf8.decode(bytes.subarray(offset, end))
}

/** A little-endian byte sink that grows. */
export class ByteWriter {
  private bytes: Uint8Array<ArrayBuffer> = new Uint8Array(256)
  private view = new DataView(this.bytes.buffer)
  /** Bytes written so far. */
  length = 0

  u8(value: number): this {
    this.room(1)
    this.view.setUint8(this.length, value)
    this.length += 1
    return this
  }
  u16(value: number): this {
    this.room(2)
    this.view.setUint16(this.length, value, true)
    this.length += 2
    return this
  }
  u32(value: number): this {
    this.room(4)
    this.view.setUint32(this.length, value, true)
    this.length += 4
    return this
  }
  u64(value: bigint): this {
    this.room(8)
    this.view.setBigUint64(this.length, BigInt.asUintN(64, value), true)
    this.length += 8
    return this
  }
  raw(bytes: ArrayLike<number>): this {
    this.room(bytes.length)
    this.bytes.set(bytes, this.length)
    this.length += bytes.length
    return this
  }
  /** UTF-8 text, without a terminator. */
  text(text: string): this {
    return this.raw(encoder.encode(text))
  }
  /** Zero bytes up to the next multiple of `alignment`. */
  align(alignment: number): this {
    while (this.length % alignment) this.u8(0)
    return this
  }
  /** What was written, as a copy. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(0, this.length)
  }

  private room(more: number): void {
    if (this.length + more <= this.bytes.length) return
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.length + more))
    larger.set(this.bytes)
    this.bytes = larger
    this.view = new DataView(larger.buffer)
  }
}
