/**
 * What the verifier knows about a number in a register: a tnum (which bits are known) and four ranges, signed and
 * unsigned, of all 64 bits and of the lower 32. No view holds all that another knows, so after each step they are
 * brought together by {@link sync}: three rounds of deduction between the ranges, as Linux does since 6.17 (two before).
 * The results equal those of Linux 6.18, bound by bound, since people compare logs and since pruning depends on them.
 *
 * Scalars are immutable and shared. 64-bit bounds are bigints (signed ones negative where they are), 32-bit bounds are
 * JS numbers.
 */
import {
  type Tnum,
  tnumCast,
  tnumConst,
  tnumContains,
  tnumIntersect,
  tnumNext,
  tnumRange,
  tnumSubreg,
  tnumUnknown,
  tnumWithSubreg,
} from './tnum.js'

/** A set of 64-bit numbers: those that satisfy every one of its views. */
export interface Scalar {
  readonly tnum: Tnum
  readonly smin: bigint
  readonly smax: bigint
  readonly umin: bigint
  readonly umax: bigint
  readonly s32min: number
  readonly s32max: number
  readonly u32min: number
  readonly u32max: number
}

/** A scalar under construction; it is not shared until it is returned as a {@link Scalar}. */
export type Draft = { -readonly [Key in keyof Scalar]: Scalar[Key] }

export const U64_MAX = 0xffff_ffff_ffff_ffffn
export const S64_MIN = -0x8000_0000_0000_0000n
export const S64_MAX = 0x7fff_ffff_ffff_ffffn
export const U32_MAX = 0xffff_ffff
export const S32_MIN = -0x8000_0000
export const S32_MAX = 0x7fff_ffff
const U32 = 0xffff_ffffn

/** Nothing is known. */
export const unknownScalar: Scalar = Object.freeze({
  tnum: tnumUnknown,
  smin: S64_MIN,
  smax: S64_MAX,
  umin: 0n,
  umax: U64_MAX,
  s32min: S32_MIN,
  s32max: S32_MAX,
  u32min: 0,
  u32max: U32_MAX,
})

/** Exactly `value`; signed and unsigned spellings of the same 64 bits give the same scalar. */
export function constant(value: bigint): Scalar {
  const unsigned = BigInt.asUintN(64, value)
  const signed = BigInt.asIntN(64, value)
  const low = Number(unsigned & U32)
  return {
    tnum: tnumConst(unsigned),
    smin: signed,
    smax: signed,
    umin: unsigned,
    umax: unsigned,
    s32min: low | 0,
    s32max: low | 0,
    u32min: low,
    u32max: low,
  }
}

/** Whether all 64 bits are known. */
export function isConstant(s: Scalar): boolean {
  return s.tnum.mask === 0n
}

/** The only member, as an unsigned 64-bit number; `undefined` where there may be several. */
export function constantValue(s: Scalar): bigint | undefined {
  return s.tnum.mask === 0n ? s.tnum.value : undefined
}

/** Whether the concrete number (any spelling of its 64 bits) is a member. */
export function contains(s: Scalar, value: bigint): boolean {
  const u = BigInt.asUintN(64, value)
  const i = BigInt.asIntN(64, value)
  const u32 = Number(u & U32)
  const s32 = u32 | 0
  return (
    (u & ~s.tnum.mask) === s.tnum.value &&
    u >= s.umin &&
    u <= s.umax &&
    i >= s.smin &&
    i <= s.smax &&
    u32 >= s.u32min &&
    u32 <= s.u32max &&
    s32 >= s.s32min &&
    s32 <= s.s32max
  )
}

/** Whether `old` promises no more than `cur`: each view of `cur` lies within that of `old` (what pruning asks). */
export function subsumes(old: Scalar, cur: Scalar): boolean {
  if (old === cur) return true
  return (
    old.umin <= cur.umin &&
    old.umax >= cur.umax &&
    old.smin <= cur.smin &&
    old.smax >= cur.smax &&
    old.u32min <= cur.u32min &&
    old.u32max >= cur.u32max &&
    old.s32min <= cur.s32min &&
    old.s32max >= cur.s32max &&
    tnumContains(old.tnum, cur.tnum)
  )
}

/** Whether both say exactly the same. */
export function sameScalar(a: Scalar, b: Scalar): boolean {
  return a === b || (subsumes(a, b) && subsumes(b, a))
}

/** The members of both, brought together; they must have one in common. */
export function intersect(a: Scalar, b: Scalar): Scalar {
  return sync({
    tnum: tnumIntersect(a.tnum, b.tnum),
    smin: max(a.smin, b.smin),
    smax: min(a.smax, b.smax),
    umin: max(a.umin, b.umin),
    umax: min(a.umax, b.umax),
    s32min: Math.max(a.s32min, b.s32min),
    s32max: Math.min(a.s32max, b.s32max),
    u32min: Math.max(a.u32min, b.u32min),
    u32max: Math.min(a.u32max, b.u32max),
  })
}

/** All numbers from `min` to `max`, unsigned. */
export function unsignedRange(low: bigint, high: bigint): Scalar {
  return sync({ ...unknownScalar, umin: low, umax: high })
}

/** All numbers from `min` to `max`, signed. */
export function signedRange(low: bigint, high: bigint): Scalar {
  return sync({ ...unknownScalar, smin: low, smax: high })
}

/** The lower `bytes` (1, 2, 4 or 8) bytes, zero-extended: a load of that size, or part of a wider value. */
export function truncate(s: Scalar, bytes: number): Scalar {
  if (bytes >= 8) return s
  const known = constantValue(s)
  if (known !== undefined) return constant(BigInt.asUintN(bytes * 8, known))
  const mask = (1n << BigInt(bytes * 8)) - 1n
  const fits = (s.umin & ~mask) === (s.umax & ~mask)
  const low = fits ? s.umin & mask : 0n
  const high = fits ? s.umax & mask : mask
  const keeps32 = bytes === 4
  return sync({
    tnum: tnumCast(s.tnum, bytes),
    smin: low,
    smax: high,
    umin: low,
    umax: high,
    s32min: keeps32 ? s.s32min : S32_MIN,
    s32max: keeps32 ? s.s32max : S32_MAX,
    u32min: keeps32 ? s.u32min : 0,
    u32max: keeps32 ? s.u32max : U32_MAX,
  })
}

/** The lower 32 bits, zero-extended, from the 32-bit views: what every 32-bit ALU instruction leaves (`w1 = w2` too). */
export function zeroExtend32(s: Scalar): Scalar {
  const known = constantValue(s)
  if (known !== undefined) return known <= U32 ? s : constant(known & U32)
  return sync(assign32(s))
}

/** The draft whose 64-bit ranges follow from the 32-bit ones, the upper half being zero. */
export function assign32(s: Scalar): Draft {
  const positive = s.s32min >= 0 && s.s32max >= 0
  return {
    ...s,
    tnum: tnumSubreg(s.tnum),
    smin: positive ? BigInt(s.s32min) : 0n,
    smax: positive ? BigInt(s.s32max) : U32,
    umin: BigInt(s.u32min),
    umax: BigInt(s.u32max),
  }
}

/**
 * The lower `bits` (8, 16 or 32), sign-extended to 64 (`width` 64: `r1 = (s8)r2`) or to 32 and zero-extended from there
 * (`w1 = (s8)w2`). A range is kept only where the bits above do not vary in it and the sign does not change.
 */
export function signExtend(s: Scalar, bits: 8 | 16 | 32, width: 32 | 64 = 64): Scalar {
  return width === 64 ? signExtend64(s, bits) : zeroExtend32(signExtend32(s, bits))
}

function signExtend64(s: Scalar, bits: number): Scalar {
  const known = constantValue(s)
  if (known !== undefined) return constant(BigInt.asIntN(bits, known))
  const by = BigInt(bits)
  const ends = [BigInt.asIntN(bits, s.smin), BigInt.asIntN(bits, s.smax)] as const
  const low = min(...ends)
  const high = max(...ends)
  if (s.smin >> by === s.smax >> by && low < 0n === high < 0n) {
    return {
      tnum: tnumRange(BigInt.asUintN(64, low), BigInt.asUintN(64, high)),
      smin: low,
      smax: high,
      umin: BigInt.asUintN(64, low),
      umax: BigInt.asUintN(64, high),
      s32min: Number(low & U32) | 0,
      s32max: Number(high & U32) | 0,
      u32min: Number(low & U32),
      u32max: Number(high & U32),
    }
  }
  const limit = 1n << (by - 1n)
  return { ...unknownScalar, smin: -limit, smax: limit - 1n, s32min: Number(-limit), s32max: Number(limit - 1n) }
}

function signExtend32(s: Scalar, bits: number): Scalar {
  const shift = 32 - bits
  const extend = (value: number): number => (value << shift) >> shift
  if ((s.tnum.mask & U32) === 0n) return constant(BigInt(extend(Number(s.tnum.value & U32)) >>> 0))
  const ends = [extend(s.s32min), extend(s.s32max)] as const
  const low = Math.min(...ends)
  const high = Math.max(...ends)
  if (bits < 32 && s.s32min >> bits === s.s32max >> bits && low < 0 === high < 0) {
    const unsigned = tnumRange(BigInt(low >>> 0), BigInt(high >>> 0))
    return {
      ...s,
      tnum: tnumSubreg(unsigned),
      s32min: low,
      s32max: high,
      u32min: low >>> 0,
      u32max: high >>> 0,
    }
  }
  const limit = 2 ** (bits - 1)
  return { ...s, tnum: tnumSubreg(tnumUnknown), s32min: -limit, s32max: limit - 1, u32min: 0, u32max: U32_MAX }
}

/** Brings the views of a draft together; the draft must not be used afterwards. */
export function sync(d: Draft): Scalar {
  fromTnum32(d)
  fromTnum64(d)
  for (let round = 0; round < 3; round++) {
    deduce32(d)
    deduce64(d)
    deduceMixed(d)
  }
  intoTnum(d)
  fromTnum32(d)
  fromTnum64(d)
  return d
}

/** Tightens the 32-bit ranges by the lower half of the tnum. */
export function fromTnum32(d: Draft): void {
  const value = Number(d.tnum.value & U32)
  const mask = Number(d.tnum.mask & U32)
  d.u32min = Math.max(d.u32min, value)
  d.u32max = Math.min(d.u32max, (value | mask) >>> 0)
  d.s32min = Math.max(d.s32min, value | (mask & S32_MIN))
  d.s32max = Math.min(d.s32max, value | (mask & S32_MAX))
}

/** Tightens the 64-bit ranges by the tnum; where both share a single number, it is known. */
export function fromTnum64(d: Draft): void {
  const { value, mask } = d.tnum
  d.umin = max(d.umin, value)
  d.umax = min(d.umax, value | mask)
  d.smin = max(d.smin, BigInt.asIntN(64, value | (mask & (1n << 63n))))
  d.smax = min(d.smax, BigInt.asIntN(64, value | (mask & S64_MAX)))
  if (mask === 0n && d.umin === value && d.umax === value) return
  const only = singleMember(d.tnum, d.umin, d.umax)
  if (only !== undefined) Object.assign(d, constant(only))
}

/** The only member of the tnum from `low` to `high`, if there is just one. */
function singleMember(t: Tnum, low: bigint, high: bigint): bigint | undefined {
  const isMember = (low & ~t.mask) === t.value
  const next = tnumNext(t, low)
  if (isMember) return next > high ? low : undefined
  if (next === (t.value | t.mask)) return next
  return next <= high && tnumNext(t, next) > high ? next : undefined
}

/** 32-bit ranges from the 64-bit ones and from each other. */
function deduce32(d: Draft): void {
  lowerHalf(d, d.umin, d.umax)
  lowerHalf(d, BigInt.asUintN(64, d.smin), BigInt.asUintN(64, d.smax))
  // A range that does not cross the sign boundary is the same range in the other reading.
  if ((d.u32min | 0) <= (d.u32max | 0)) {
    d.s32min = Math.max(d.s32min, d.u32min | 0)
    d.s32max = Math.min(d.s32max, d.u32max | 0)
  }
  if (d.s32min >>> 0 <= d.s32max >>> 0) {
    d.u32min = Math.max(d.u32min, d.s32min >>> 0)
    d.u32max = Math.min(d.u32max, d.s32max >>> 0)
  } else if (d.u32max < d.s32min >>> 0) {
    d.s32min = d.u32min | 0
    d.u32max = Math.min(d.u32max, d.s32max >>> 0)
  } else if (d.s32max >>> 0 < d.u32min) {
    d.s32max = d.u32max | 0
    d.u32min = Math.max(d.u32min, d.s32min >>> 0)
  }
}

/**
 * What a 64-bit range (as bit patterns) says about the lower half: with one upper half for all, the lower halves are a
 * range; with two consecutive ones, the lower halves run from `low` up to the wrap and from there to `high`, which is a
 * signed range if it goes from negative to positive.
 */
function lowerHalf(d: Draft, low: bigint, high: bigint): void {
  const upperLow = low >> 32n
  const upperHigh = high >> 32n
  if (upperLow !== upperHigh && ((upperLow + 1n) & U32) !== upperHigh) return
  const u32low = Number(low & U32)
  const u32high = Number(high & U32)
  const s32low = u32low | 0
  const s32high = u32high | 0
  if (upperLow === upperHigh) {
    d.u32min = Math.max(d.u32min, u32low)
    d.u32max = Math.min(d.u32max, u32high)
    if (s32low > s32high) return
  } else if (s32low >= 0 || s32high < 0) return
  d.s32min = Math.max(d.s32min, s32low)
  d.s32max = Math.min(d.s32max, s32high)
}

/** 64-bit ranges from each other. */
function deduce64(d: Draft): void {
  const umaxSigned = BigInt.asIntN(64, d.umax)
  if (BigInt.asIntN(64, d.umin) <= umaxSigned) {
    d.smin = max(d.smin, BigInt.asIntN(64, d.umin))
    d.smax = min(d.smax, umaxSigned)
  }
  const low = BigInt.asUintN(64, d.smin)
  const high = BigInt.asUintN(64, d.smax)
  if (low <= high) {
    d.umin = max(d.umin, low)
    d.umax = min(d.umax, high)
  } else if (d.umax < low) {
    // The signed range is [low, -1] and [0, high] when read unsigned, and only the second part can hold a member.
    d.smin = BigInt.asIntN(64, d.umin)
    d.umax = min(d.umax, high)
  } else if (high < d.umin) {
    d.smax = BigInt.asIntN(64, d.umax)
    d.umin = max(d.umin, low)
  }
}

/** 64-bit ranges from the 32-bit ones. */
function deduceMixed(d: Draft): void {
  const u32min = BigInt(d.u32min)
  const u32max = BigInt(d.u32max)
  d.umin = max(d.umin, (d.umin & ~U32) | u32min)
  d.umax = min(d.umax, (d.umax & ~U32) | u32max)
  d.smin = max(d.smin, (d.smin & ~U32) | u32min)
  d.smax = min(d.smax, (d.smax & ~U32) | u32max)
  // After a sign-extending load the upper half is all ones or all zeros; a non-negative lower half leaves only zeros.
  if (d.s32min >= 0 && d.smin >= BigInt(S32_MIN) && d.smax <= BigInt(S32_MAX)) {
    d.smin = BigInt(d.s32min)
    d.smax = BigInt(d.s32max)
    d.umin = d.smin
    d.umax = BigInt.asUintN(64, d.smax)
    d.tnum = tnumIntersect(d.tnum, tnumRange(d.umin, d.umax))
  }
}

/** Known bits from the unsigned ranges. */
function intoTnum(d: Draft): void {
  const whole = tnumIntersect(d.tnum, range(d.umin, d.umax))
  const half = tnumIntersect(tnumSubreg(whole), range(BigInt(d.u32min), BigInt(d.u32max)))
  d.tnum = tnumWithSubreg(whole, half)
}

function range(low: bigint, high: bigint): Tnum {
  return low === 0n && high === U64_MAX ? tnumUnknown : tnumRange(low, high)
}

/** The smaller of two bigints. */
export function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}

/** The larger of two bigints. */
export function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}
