/**
 * Tristate numbers: 64 bits of which each is 0, 1 or unknown. `mask` has a 1 where a bit is unknown, `value` holds the
 * known bits and is 0 where `mask` is 1. The operations are those of "Sound, Precise, and Fast Abstract Interpretation
 * with Tristate Numbers" (Vishwanathan et al., CGO 2022); multiplication is the long multiplication over unions that
 * Linux uses since 6.18. Everything here is unsigned: both members lie in 0 .. 2^64-1.
 */

/** A set of 64-bit numbers: all `v` with `(v & ~mask) == value`. */
export interface Tnum {
  readonly value: bigint
  readonly mask: bigint
}

const U64 = 0xffff_ffff_ffff_ffffn
const U32 = 0xffff_ffffn

/** Every bit unknown. */
export const tnumUnknown: Tnum = { value: 0n, mask: U64 }

/** Exactly `value` (unsigned 64 bits). */
export function tnumConst(value: bigint): Tnum {
  return { value, mask: 0n }
}

/** Whether it stands for a single number. */
export function tnumIsConst(t: Tnum): boolean {
  return t.mask === 0n
}

/** Whether the lower 32 bits stand for a single number. */
export function tnumIsConst32(t: Tnum): boolean {
  return (t.mask & U32) === 0n
}

/** Whether nothing is known. */
export function tnumIsUnknown(t: Tnum): boolean {
  return t.mask === U64
}

/** The smallest tnum that contains every number from `min` to `max` (unsigned, `min <= max`). */
export function tnumRange(min: bigint, max: bigint): Tnum {
  if (min === max) return { value: min, mask: 0n }
  const mask = (1n << BigInt(bitLength(min ^ max))) - 1n
  return { value: min & ~mask, mask }
}

/** Sums: a bit is unknown where an operand's is, or where carries may differ. */
export function tnumAdd(a: Tnum, b: Tnum): Tnum {
  const low = a.value + b.value
  const high = low + a.mask + b.mask
  return known(low, (low ^ high) | a.mask | b.mask)
}

/** Differences: a bit is unknown where an operand's is, or where borrows may differ. */
export function tnumSub(a: Tnum, b: Tnum): Tnum {
  const middle = a.value - b.value
  return known(middle, ((middle + a.mask) ^ (middle - b.mask)) | a.mask | b.mask)
}

/** Negations: `0 - a`. */
export function tnumNeg(a: Tnum): Tnum {
  return tnumSub({ value: 0n, mask: 0n }, a)
}

export function tnumAnd(a: Tnum, b: Tnum): Tnum {
  const value = a.value & b.value
  return { value, mask: (a.value | a.mask) & (b.value | b.mask) & ~value }
}

export function tnumOr(a: Tnum, b: Tnum): Tnum {
  const value = a.value | b.value
  return { value, mask: (a.mask | b.mask) & ~value }
}

export function tnumXor(a: Tnum, b: Tnum): Tnum {
  return known(a.value ^ b.value, a.mask | b.mask)
}

/**
 * Products: for each bit of `a`, add the shifted `b` (bit 1), do not (bit 0), or take the union of both (unknown). At
 * most 64 rounds.
 */
export function tnumMul(a: Tnum, b: Tnum): Tnum {
  if (a.mask === 0n && b.mask === 0n) return tnumConst(BigInt.asUintN(64, a.value * b.value))
  let sum: Tnum = { value: 0n, mask: 0n }
  let term = b
  for (let value = a.value, mask = a.mask; value !== 0n || mask !== 0n; value >>= 1n, mask >>= 1n) {
    if (value & 1n) sum = tnumAdd(sum, term)
    else if (mask & 1n) sum = tnumUnion(sum, tnumAdd(sum, term))
    term = tnumLsh(term, 1)
  }
  return sum
}

/** Shifts left by `shift` (0 to 63). */
export function tnumLsh(a: Tnum, shift: number): Tnum {
  const by = BigInt(shift)
  return { value: BigInt.asUintN(64, a.value << by), mask: BigInt.asUintN(64, a.mask << by) }
}

/** Shifts right by `shift` (0 to 63), filling with known zeros. */
export function tnumRsh(a: Tnum, shift: number): Tnum {
  const by = BigInt(shift)
  return { value: a.value >> by, mask: a.mask >> by }
}

/** Shifts right by `shift`, repeating the sign bit; with `width` 32 the upper half of operand and result is 0. */
export function tnumArsh(a: Tnum, shift: number, width: 32 | 64): Tnum {
  const by = BigInt(shift)
  return {
    value: BigInt.asUintN(width, BigInt.asIntN(width, a.value) >> by),
    mask: BigInt.asUintN(width, BigInt.asIntN(width, a.mask) >> by),
  }
}

/** What both contain, provided that they have a member in common ({@link tnumOverlap}). */
export function tnumIntersect(a: Tnum, b: Tnum): Tnum {
  return known(a.value | b.value, a.mask & b.mask)
}

/** The smallest tnum that contains both. */
export function tnumUnion(a: Tnum, b: Tnum): Tnum {
  return known(a.value, (a.value ^ b.value) | a.mask | b.mask)
}

/** Whether they have a member in common. */
export function tnumOverlap(a: Tnum, b: Tnum): boolean {
  return ((a.value ^ b.value) & ~(a.mask | b.mask)) === 0n
}

/** Whether every member of `b` is a member of `a`. */
export function tnumContains(a: Tnum, b: Tnum): boolean {
  return (b.mask & ~a.mask) === 0n && a.value === (b.value & ~a.mask)
}

/** The smallest member above `after`; the largest member where none is above. */
export function tnumNext(t: Tnum, after: bigint): bigint {
  const top = t.value | t.mask
  if (after >= top) return top
  if (after < t.value) return t.value
  // Below the highest bit in which `after` differs from every member, bits are free: count up from there.
  const wrong = (after ^ t.value) & ~t.mask
  const high = wrong === 0n ? 0n : 1n << BigInt(bitLength(wrong) - 1)
  const free = wrong === 0n ? 0n : (high << 1n) - 1n
  // With its known bits set to one, adding carries over them; where the highest wrong bit is 1 in `after`, the unknown
  // bits above it must grow, else the member continues with zeros below it.
  if (high !== 0n && (after & high) === 0n) return (after & t.mask & ~free) | t.value
  const grown = ((after | ~t.mask | free) & U64) + 1n
  return (grown & t.mask) | t.value
}

/** Keeps the lower `bytes` bytes; the bits above become known zeros. */
export function tnumCast(a: Tnum, bytes: number): Tnum {
  return { value: BigInt.asUintN(bytes * 8, a.value), mask: BigInt.asUintN(bytes * 8, a.mask) }
}

/** The lower 32 bits, zero-extended. */
export function tnumSubreg(a: Tnum): Tnum {
  return { value: a.value & U32, mask: a.mask & U32 }
}

/** `a` with its lower 32 bits replaced by those of `subreg`. */
export function tnumWithSubreg(a: Tnum, subreg: Tnum): Tnum {
  return { value: (a.value & ~U32) | (subreg.value & U32), mask: (a.mask & ~U32) | (subreg.mask & U32) }
}

/** The tnum as the verifier's log prints it: `(0x0; 0xff)`, or just the number where all bits are known. */
export function formatTnum(t: Tnum): string {
  if (t.mask === 0n) return t.value <= 65535n ? t.value.toString() : `0x${t.value.toString(16)}`
  return `(0x${t.value.toString(16)}; 0x${t.mask.toString(16)})`
}

function known(value: bigint, mask: bigint): Tnum {
  const unknown = BigInt.asUintN(64, mask)
  return { value: BigInt.asUintN(64, value) & ~unknown, mask: unknown }
}

function bitLength(value: bigint): number {
  const high = Number(value >> 32n)
  return high ? 64 - Math.clz32(high) : 32 - Math.clz32(Number(value))
}
