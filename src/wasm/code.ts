/**
 * Writes the bytes of one function's body, instruction by instruction, with no tree in between: what the builder of
 * routines uses beneath its expressions, and what a compiler that emits thousands of functions uses directly.
 */
import { opcode, type ValType } from './opcodes.js'

/** Encodings of value types. */
export const valTypes: Readonly<Record<ValType, number>> = { i32: 0x7f, i64: 0x7e }

/** Result of a block: none or one value. */
export type BlockType = ValType | undefined

/** A growing sequence of bytes with the number encodings of wasm. */
export class Bytes {
  private buffer: Uint8Array<ArrayBuffer>
  /** Bytes written. */
  length = 0

  constructor(capacity = 256) {
    this.buffer = new Uint8Array(capacity)
  }

  /** One byte. */
  byte(value: number): this {
    if (this.length === this.buffer.length) this.grow(1)
    this.buffer[this.length++] = value
    return this
  }

  /** Bytes as they are. */
  raw(bytes: ArrayLike<number>): this {
    if (this.length + bytes.length > this.buffer.length) this.grow(bytes.length)
    this.buffer.set(bytes, this.length)
    this.length += bytes.length
    return this
  }

  /** Unsigned LEB128 of an u32. */
  u32(value: number): this {
    let rest = value >>> 0
    while (rest > 0x7f) {
      this.byte((rest & 0x7f) | 0x80)
      rest >>>= 7
    }
    return this.byte(rest)
  }

  /** Signed LEB128 of an i32. */
  s32(value: number): this {
    let rest = value | 0
    while (rest < -64 || rest > 63) {
      this.byte((rest & 0x7f) | 0x80)
      rest >>= 7
    }
    return this.byte(rest & 0x7f)
  }

  /** Signed LEB128 of the low 64 bits. */
  s64(value: bigint): this {
    let rest = BigInt.asIntN(64, value)
    if (rest >= -0x8000_0000n && rest <= 0x7fff_ffffn) return this.s32(Number(rest))
    while (rest < -64n || rest > 63n) {
      this.byte(Number(rest & 0x7fn) | 0x80)
      rest >>= 7n
    }
    return this.byte(Number(rest & 0x7fn))
  }

  /** Length and UTF-8 bytes. */
  name(text: string): this {
    const bytes = new TextEncoder().encode(text)
    return this.u32(bytes.length).raw(bytes)
  }

  /** A copy of what was written. */
  take(): Uint8Array<ArrayBuffer> {
    return this.buffer.slice(0, this.length)
  }

  private grow(by: number): void {
    const larger = new Uint8Array(Math.max(this.buffer.length * 2, this.length + by))
    larger.set(this.buffer)
    this.buffer = larger
  }
}

/** One function's body: declares locals, writes instructions. Indices are those of the module. */
export class Code {
  readonly bytes = new Bytes()
  /** Types of parameters and locals, in order of index. */
  readonly locals: ValType[]
  private readonly paramCount: number

  constructor(params: readonly ValType[]) {
    this.locals = [...params]
    this.paramCount = params.length
  }

  /** Declares a local, initially 0, and returns its index. */
  local(type: ValType): number {
    return this.locals.push(type) - 1
  }

  /** An instruction without immediates: `i32.add`. */
  op(name: string): this {
    this.bytes.raw(opcode(name).code)
    return this
  }

  /** A load, store or atomic access: address (and value) are on the stack; `offset` is an unsigned immediate. */
  memory(name: string, offset = 0): this {
    const { code, align } = opcode(name)
    this.bytes.raw(code).u32(align).u32(offset)
    return this
  }

  i32(value: number): this {
    this.bytes.byte(0x41).s32(value)
    return this
  }

  i64(value: bigint | number): this {
    this.bytes.byte(0x42).s64(BigInt(value))
    return this
  }

  get(local: number): this {
    this.bytes.byte(0x20).u32(local)
    return this
  }

  set(local: number): this {
    this.bytes.byte(0x21).u32(local)
    return this
  }

  tee(local: number): this {
    this.bytes.byte(0x22).u32(local)
    return this
  }

  globalGet(index: number): this {
    this.bytes.byte(0x23).u32(index)
    return this
  }

  globalSet(index: number): this {
    this.bytes.byte(0x24).u32(index)
    return this
  }

  /** `br depth` leaves to the end of this construct. */
  block(result?: BlockType): this {
    this.bytes.byte(0x02).byte(result ? valTypes[result] : 0x40)
    return this
  }

  /** `br depth` goes back to its start. */
  loop(result?: BlockType): this {
    this.bytes.byte(0x03).byte(result ? valTypes[result] : 0x40)
    return this
  }

  if(result?: BlockType): this {
    this.bytes.byte(0x04).byte(result ? valTypes[result] : 0x40)
    return this
  }

  else(): this {
    this.bytes.byte(0x05)
    return this
  }

  end(): this {
    this.bytes.byte(0x0b)
    return this
  }

  br(depth: number): this {
    this.bytes.byte(0x0c).u32(depth)
    return this
  }

  brIf(depth: number): this {
    this.bytes.byte(0x0d).u32(depth)
    return this
  }

  /** Jumps to `depths[i]`, or to `otherwise` when i is out of range. */
  brTable(depths: readonly number[], otherwise: number): this {
    this.bytes.byte(0x0e).u32(depths.length)
    for (const depth of depths) this.bytes.u32(depth)
    this.bytes.u32(otherwise)
    return this
  }

  return(): this {
    this.bytes.byte(0x0f)
    return this
  }

  call(func: number): this {
    this.bytes.byte(0x10).u32(func)
    return this
  }

  /** The slot is on top of the stack, above the arguments. */
  callIndirect(type: number, table = 0): this {
    this.bytes.byte(0x11).u32(type).u32(table)
    return this
  }

  drop(): this {
    this.bytes.byte(0x1a)
    return this
  }

  /** `a b condition -> condition ? a : b` */
  select(): this {
    this.bytes.byte(0x1b)
    return this
  }

  unreachable(): this {
    this.bytes.byte(0x00)
    return this
  }

  /** Pages of 64 KiB. */
  memorySize(): this {
    this.bytes.byte(0x3f).byte(0)
    return this
  }

  /** `pages -> old size, or -1` */
  memoryGrow(): this {
    this.bytes.byte(0x40).byte(0)
    return this
  }

  /** `to from length ->`; the ranges may overlap. */
  memoryCopy(): this {
    this.bytes.raw([0xfc, 0x0a, 0, 0])
    return this
  }

  /** `to byte length ->` */
  memoryFill(): this {
    this.bytes.raw([0xfc, 0x0b, 0])
    return this
  }

  atomicFence(): this {
    this.bytes.raw([0xfe, 0x03, 0])
    return this
  }

  /** The body as the code section holds it: size, locals in runs of equal type, instructions, end. */
  finish(): Uint8Array<ArrayBuffer> {
    const runs: { type: ValType; count: number }[] = []
    for (const type of this.locals.slice(this.paramCount)) {
      const last = runs.at(-1)
      if (last?.type === type) last.count++
      else runs.push({ type, count: 1 })
    }
    const body = new Bytes(this.bytes.length + 16).u32(runs.length)
    for (const { type, count } of runs) body.u32(count).byte(valTypes[type])
    body.raw(this.bytes.take()).byte(0x0b)
    return new Bytes(body.length + 5).u32(body.length).raw(body.take()).take()
  }
}
