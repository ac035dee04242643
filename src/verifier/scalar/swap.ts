/**
 * Byte swaps of scalars: known bits move with their bytes and the ranges start anew from them (Linux 6.18.44); "to little
 * endian" on a little-endian machine only truncates.
 */
import { constant, type Scalar, sync, truncate, unknownScalar } from './scalar.js'

/** The value with the lowest `bytes` bytes in reverse order, and zeros above. */
export function reverseBytes(value: bigint, bytes: number): bigint {
  let reversed = 0n
  for (let i = 0; i < bytes; i++) reversed = (reversed << 8n) | ((value >> BigInt(8 * i)) & 0xffn)
  return reversed
}

/** `le`, `be` and `bswap` of 2, 4 or 8 bytes on a little-endian machine. */
export function swap(op: 'le' | 'be' | 'bswap', bytes: 2 | 4 | 8, s: Scalar): Scalar {
  if (op === 'le') return truncate(s, bytes)
  const value = reverseBytes(s.tnum.value, bytes)
  const mask = reverseBytes(s.tnum.mask, bytes)
  return mask === 0n ? constant(value) : sync({ ...unknownScalar, tnum: { value, mask } })
}
