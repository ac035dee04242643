/**
 * What each ALU instruction makes of two scalars, in Linux 6.18: known bits and every range are computed on their own,
 * then brought together. Additions and subtractions keep an unsigned range that wraps as a whole (since 6.17),
 * multiplication keeps signed ranges (6.14), negation is `0 - x` (6.17), a shift keeps something only by a known amount
 * within the width, division and remainder give nothing.
 *
 * Operands of 32-bit instructions are the lower halves; their result is zero-extended, except where it is unknown as a
 * whole: Linux then forgets the zeros above, too.
 */
import {
  assign32,
  constant,
  constantValue,
  type Draft,
  fromTnum32,
  fromTnum64,
  max,
  min,
  S32_MAX,
  S32_MIN,
  S64_MAX,
  S64_MIN,
  type Scalar,
  sync,
  U32_MAX,
  U64_MAX,
  unknownScalar,
} from './scalar.js'
import {
  type Tnum,
  tnumAdd,
  tnumAnd,
  tnumArsh,
  tnumConst,
  tnumIsConst32,
  tnumLsh,
  tnumMul,
  tnumOr,
  tnumRsh,
  tnumSub,
  tnumSubreg,
  tnumWithSubreg,
  tnumXor,
} from './tnum.js'

/** An ALU operation on scalars. `neg` looks only at `dst`. */
export type AluOp =
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'mod'
  | 'sdiv'
  | 'smod'
  | 'or'
  | 'and'
  | 'xor'
  | 'lsh'
  | 'rsh'
  | 'arsh'
  | 'neg'

/** The result of `dst op= src`. An immediate operand is `constant(imm)`, sign-extended. */
export function alu(op: AluOp, width: 32 | 64, dst: Scalar, src: Scalar): Scalar {
  if (op === 'div' || op === 'mod' || op === 'sdiv' || op === 'smod') return unknownScalar
  if (op === 'neg') return alu('sub', width, constant(0n), dst)
  if (op === 'lsh' || op === 'rsh' || op === 'arsh') return shift(op, width, dst, src)
  const folded = fold(op, width, dst, src)
  if (folded) return folded
  const { tnum, range32, range64 } = arithmetic[op]
  const d: Draft = { ...dst, tnum: tnum(dst.tnum, src.tnum) }
  range32(d, src)
  if (width === 32) return sync(assign32(d))
  range64(d, src)
  return sync(d)
}

/**
 * `and` and `or` with a constant split the exploration in two where `dst` is either -1 or 0 (as left by an arithmetic shift
 * by 63 or 31): compilers make selections out of that, and only apart the two can be told. Returns what `dst` is on the path
 * that goes on (-1) and on the one that is pushed and executes the same instruction again (0); `undefined` where nothing is
 * to be split. Observed on 6.18.44 (Linux 7.0 has it, the stable release took it over).
 */
export function forkScalar(op: AluOp, dst: Scalar, src: Scalar): { now: Scalar; pushed: Scalar } | undefined {
  if ((op !== 'and' && op !== 'or') || src.tnum.mask !== 0n) return undefined
  if (dst.smin === -1n && dst.smax === 0n) return { now: constant(-1n), pushed: constant(0n) }
  if (dst.s32min === -1 && dst.s32max === 0) return { now: lower32(dst, -1), pushed: lower32(dst, 0) }
  return undefined
}

/** `s` with its lower half known; the 64-bit ranges are left as they are. */
function lower32(s: Scalar, value: number): Scalar {
  return {
    ...s,
    tnum: tnumWithSubreg(s.tnum, tnumConst(BigInt(value >>> 0))),
    s32min: value,
    s32max: value,
    u32min: value >>> 0,
    u32max: value >>> 0,
  }
}

type Arithmetic = 'add' | 'sub' | 'mul' | 'or' | 'and' | 'xor'

const concrete: Record<Arithmetic, (a: bigint, b: bigint) => bigint> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  or: (a, b) => a | b,
  and: (a, b) => a & b,
  xor: (a, b) => a ^ b,
}

function fold(op: Arithmetic, width: 32 | 64, dst: Scalar, src: Scalar): Scalar | undefined {
  const a = constantValue(dst)
  const b = constantValue(src)
  return a === undefined || b === undefined ? undefined : constant(BigInt.asUintN(width, concrete[op](a, b)))
}

/** `d` holds the ranges of dst and, for bitwise operations, the tnum of the result. */
type Ranges = (d: Draft, src: Scalar) => void

const arithmetic: Record<Arithmetic, { tnum: (a: Tnum, b: Tnum) => Tnum; range32: Ranges; range64: Ranges }> = {
  add: {
    tnum: tnumAdd,
    range32: (d, src) => {
      signed32(d, d.s32min + src.s32min, d.s32max + src.s32max)
      unsigned32(d, d.u32min + src.u32min, d.u32max + src.u32max)
    },
    range64: (d, src) => {
      signed64(d, d.smin + src.smin, d.smax + src.smax)
      unsigned64(d, d.umin + src.umin, d.umax + src.umax)
    },
  },
  sub: {
    tnum: tnumSub,
    range32: (d, src) => {
      signed32(d, d.s32min - src.s32max, d.s32max - src.s32min)
      unsigned32(d, d.u32min - src.u32max, d.u32max - src.u32min)
    },
    range64: (d, src) => {
      signed64(d, d.smin - src.smax, d.smax - src.smin)
      unsigned64(d, d.umin - src.umax, d.umax - src.umin)
    },
  },
  mul: {
    tnum: tnumMul,
    range32: (d, src) => {
      // Products of 32-bit bounds exceed 2^53, where numbers round; BigInt keeps them exact.
      const [low, high] = products(BigInt(d.s32min), BigInt(d.s32max), BigInt(src.s32min), BigInt(src.s32max))
      signed32(d, Number(low), Number(high))
      const top = BigInt(d.u32max) * BigInt(src.u32max)
      if (top > BigInt(U32_MAX)) unsigned32(d, 0, U32_MAX)
      else unsigned32(d, d.u32min * src.u32min, Number(top))
    },
    range64: (d, src) => {
      const [low, high] = products(d.smin, d.smax, src.smin, src.smax)
      signed64(d, low, high)
      const top = d.umax * src.umax
      if (top > U64_MAX) unsigned64(d, 0n, U64_MAX)
      else unsigned64(d, d.umin * src.umin, top)
    },
  },
  // A bitwise result's bound comes from its known bits on the side on which they are exact, from the operands on the other.
  and: {
    tnum: tnumAnd,
    range32: (d, src) => bitwise32(d, low32(d.tnum), Math.min(d.u32max, src.u32max)),
    range64: (d, src) => bitwise64(d, d.tnum.value, min(d.umax, src.umax)),
  },
  or: {
    tnum: tnumOr,
    range32: (d, src) => bitwise32(d, Math.max(d.u32min, src.u32min), high32(d.tnum)),
    range64: (d, src) => bitwise64(d, max(d.umin, src.umin), d.tnum.value | d.tnum.mask),
  },
  xor: {
    tnum: tnumXor,
    range32: (d) => bitwise32(d, low32(d.tnum), high32(d.tnum)),
    range64: (d) => bitwise64(d, d.tnum.value, d.tnum.value | d.tnum.mask),
  },
}

function low32(t: Tnum): number {
  return Number(t.value & 0xffff_ffffn)
}

function high32(t: Tnum): number {
  return Number((t.value | t.mask) & 0xffff_ffffn)
}

function products(a: bigint, b: bigint, c: bigint, d: bigint): [bigint, bigint] {
  const all = [a * c, a * d, b * c, b * d]
  return [all.reduce(min), all.reduce(max)]
}

function signed32(d: Draft, low: number, high: number): void {
  const fits = low >= S32_MIN && high <= S32_MAX && low <= S32_MAX && high >= S32_MIN
  d.s32min = fits ? low : S32_MIN
  d.s32max = fits ? high : S32_MAX
}

function signed64(d: Draft, low: bigint, high: bigint): void {
  const fits = low >= S64_MIN && high <= S64_MAX && low <= S64_MAX && high >= S64_MIN
  d.smin = fits ? low : S64_MIN
  d.smax = fits ? high : S64_MAX
}

/** Bounds before wrapping: where both leave the range on the same side they wrap together and stay a range. */
function unsigned32(d: Draft, low: number, high: number): void {
  const together = Math.floor(low / 2 ** 32) === Math.floor(high / 2 ** 32)
  d.u32min = together ? low >>> 0 : 0
  d.u32max = together ? high >>> 0 : U32_MAX
}

function unsigned64(d: Draft, low: bigint, high: bigint): void {
  const together = low >> 64n === high >> 64n
  d.umin = together ? BigInt.asUintN(64, low) : 0n
  d.umax = together ? BigInt.asUintN(64, high) : U64_MAX
}

function bitwise32(d: Draft, low: number, high: number): void {
  d.u32min = low
  d.u32max = high
  const proper = (low | 0) <= (high | 0)
  d.s32min = proper ? low | 0 : S32_MIN
  d.s32max = proper ? high | 0 : S32_MAX
}

function bitwise64(d: Draft, low: bigint, high: bigint): void {
  d.umin = low
  d.umax = high
  const proper = BigInt.asIntN(64, low) <= BigInt.asIntN(64, high)
  d.smin = proper ? BigInt.asIntN(64, low) : S64_MIN
  d.smax = proper ? BigInt.asIntN(64, high) : S64_MAX
}

function shift(op: 'lsh' | 'rsh' | 'arsh', width: 32 | 64, dst: Scalar, src: Scalar): Scalar {
  // The amount must be known in the operand's width, and no bit of the whole register may exceed the width.
  const isKnown = width === 32 ? tnumIsConst32(src.tnum) : src.tnum.mask === 0n
  if (!isKnown || src.umax >= BigInt(width)) return unknownScalar
  const by = Number(src.umin)
  const d: Draft = { ...dst }
  shifts[op](d, by, width)
  return sync(width === 32 ? assign32(d) : d)
}

const shifts: Record<'lsh' | 'rsh' | 'arsh', (d: Draft, by: number, width: 32 | 64) => void> = {
  lsh: (d, by, width) => {
    const big = BigInt(by)
    if (width === 64) {
      // Shifting by 32 is half of how compilers sign-extend an int; the other half is arsh.
      const fromInt = by === 32
      d.smin = fromInt ? BigInt(d.s32min) << 32n : S64_MIN
      d.smax = fromInt ? BigInt(d.s32max) << 32n : S64_MAX
      const fits = d.umax <= 1n << (63n - big)
      d.umin = fits ? d.umin << big : 0n
      d.umax = fits ? d.umax << big : U64_MAX
    }
    const fits = by <= 31 && d.u32max <= 2 ** (31 - by)
    d.u32min = fits ? (d.u32min << by) >>> 0 : 0
    d.u32max = fits ? (d.u32max << by) >>> 0 : U32_MAX
    d.s32min = S32_MIN
    d.s32max = S32_MAX
    d.tnum = tnumLsh(width === 32 ? tnumSubreg(d.tnum) : d.tnum, by)
    settle(d, width)
  },
  rsh: (d, by, width) => {
    if (width === 32) {
      d.u32min >>>= by
      d.u32max >>>= by
    } else {
      d.umin >>= BigInt(by)
      d.umax >>= BigInt(by)
      d.u32min = 0
      d.u32max = U32_MAX
    }
    d.smin = S64_MIN
    d.smax = S64_MAX
    d.s32min = S32_MIN
    d.s32max = S32_MAX
    d.tnum = tnumRsh(width === 32 ? tnumSubreg(d.tnum) : d.tnum, by)
    settle(d, width)
  },
  arsh: (d, by, width) => {
    if (width === 32) {
      d.s32min >>= by
      d.s32max >>= by
    } else {
      d.smin >>= BigInt(by)
      d.smax >>= BigInt(by)
      d.s32min = S32_MIN
      d.s32max = S32_MAX
    }
    d.u32min = 0
    d.u32max = U32_MAX
    d.umin = 0n
    d.umax = U64_MAX
    d.tnum = tnumArsh(width === 32 ? tnumSubreg(d.tnum) : d.tnum, by, width)
    settle(d, width)
  },
}

function settle(d: Draft, width: 32 | 64): void {
  fromTnum32(d)
  if (width === 64) fromTnum64(d)
}
