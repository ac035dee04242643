/** The machine's memory as host calls see it: bounded reads and writes by address. */
import { BpfError } from '../bits/index.js'
import { NULL_PAGE_END } from '../runtime/layout.js'
import type { StringSource } from './printk.js'

/** Bounded access to linear memory. What lies outside, or in the NULL page, is `undefined` or `BpfError` (`bad-address`). */
export interface GuestMemory extends StringSource {
  /** The buffer as it is now; it changes when the memory grows. */
  readonly buffer: ArrayBufferLike
  /** Whether all of these bytes exist. */
  has(address: number | bigint, size: number): boolean
  /** A copy; throws `BpfError` (`bad-address`). */
  read(address: number, size: number): Uint8Array
  /** Throws `BpfError` (`bad-address`). */
  write(address: number, bytes: Uint8Array): void
  /** Zeros; throws `BpfError` (`bad-address`). */
  clear(address: number, size: number): void
}

/** Wraps a WebAssembly memory. */
export function guestMemory(memory: WebAssembly.Memory): GuestMemory {
  const has = (address: number | bigint, size: number): boolean =>
    size >= 0 && address >= NULL_PAGE_END && BigInt(address) + BigInt(size) <= BigInt(memory.buffer.byteLength)
  const check = (address: number, size: number) => {
    if (has(address, size)) return
    throw new BpfError('bad-address', `${size} bytes at 0x${address.toString(16)} are not mapped`)
  }
  return {
    get buffer() {
      return memory.buffer
    },
    has,
    read(address, size) {
      check(address, size)
      return new Uint8Array(memory.buffer, address, size).slice()
    },
    write(address, bytes) {
      check(address, bytes.length)
      new Uint8Array(memory.buffer, address, bytes.length).set(bytes)
    },
    clear(address, size) {
      check(address, size)
      new Uint8Array(memory.buffer, address, size).fill(0)
    },
    bytes: (address, size) =>
      has(address, size) ? new Uint8Array(memory.buffer, Number(address), size).slice() : undefined,
    string(address, max) {
      if (!has(address, 1)) return undefined
      const at = Number(address)
      const bytes = new Uint8Array(memory.buffer, at, Math.min(max, memory.buffer.byteLength - at))
      const end = bytes.indexOf(0)
      return bytes.slice(0, end < 0 ? undefined : end)
    },
  }
}
