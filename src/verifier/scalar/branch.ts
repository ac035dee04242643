/**
 * Conditional jumps on scalars in Linux 6.18: whether the outcome is already known, and what each outcome teaches about
 * both operands. A 32-bit jump compares and refines the 32-bit views only.
 *
 * A branch that cannot happen may still be explored where no single view shows it; its ranges then contradict each
 * other. Linux (since 6.8) notices, forgets the ranges and keeps the known bits, and so do we.
 */
import { type Draft, max, min, type Scalar, sync, U64_MAX, unknownScalar } from './scalar.js'
import {
  type Tnum,
  tnumAnd,
  tnumConst,
  tnumIntersect,
  tnumOr,
  tnumOverlap,
  tnumSubreg,
  tnumWithSubreg,
} from './tnum.js'

/** A conditional jump. */
export type JumpOp = 'jeq' | 'jne' | 'jgt' | 'jge' | 'jlt' | 'jle' | 'jsgt' | 'jsge' | 'jslt' | 'jsle' | 'jset'

/** What both operands are known to be afterwards, `[dst, src]`. */
export interface Refined {
  readonly taken: readonly [Scalar, Scalar]
  readonly fallthrough: readonly [Scalar, Scalar]
}

/** One width's view of a scalar; 32-bit bounds as bigints too, so that comparisons are written once. */
interface View {
  readonly tnum: Tnum
  readonly smin: bigint
  readonly smax: bigint
  readonly umin: bigint
  readonly umax: bigint
}

function view(s: Scalar, width: 32 | 64): View {
  if (width === 64) return s
  return {
    tnum: tnumSubreg(s.tnum),
    smin: BigInt(s.s32min),
    smax: BigInt(s.s32max),
    umin: BigInt(s.u32min),
    umax: BigInt(s.u32max),
  }
}

/** `true`: always jumps; `false`: never; `undefined`: may go either way. */
export function branchTaken(op: JumpOp, width: 32 | 64, a: Scalar, b: Scalar): boolean | undefined {
  const x = view(a, width)
  const y = view(b, width)
  if (op === 'jset') return anyBit(x.tnum, y.tnum)
  if (op === 'jeq' || op === 'jne') {
    const equal = equality(x, y) ?? (width === 64 && disjoint(view(a, 32), view(b, 32)) ? false : undefined)
    return equal === undefined ? undefined : equal === (op === 'jeq')
  }
  const signed = op.startsWith('js')
  const [xmin, xmax, ymin, ymax] = signed ? [x.smin, x.smax, y.smin, y.smax] : [x.umin, x.umax, y.umin, y.umax]
  return orders[signed ? (`j${op.slice(2)}` as Order) : (op as Order)](xmin, xmax, ymin, ymax)
}

type Order = 'jgt' | 'jge' | 'jlt' | 'jle'

const orders: Record<Order, (a: bigint, b: bigint, c: bigint, d: bigint) => boolean | undefined> = {
  jgt: (xmin, xmax, ymin, ymax) => (xmin > ymax ? true : xmax <= ymin ? false : undefined),
  jge: (xmin, xmax, ymin, ymax) => (xmin >= ymax ? true : xmax < ymin ? false : undefined),
  jlt: (xmin, xmax, ymin, ymax) => (xmax < ymin ? true : xmin >= ymax ? false : undefined),
  jle: (xmin, xmax, ymin, ymax) => (xmax <= ymin ? true : xmin > ymax ? false : undefined),
}

function equality(x: View, y: View): boolean | undefined {
  if (x.tnum.mask === 0n && y.tnum.mask === 0n) return x.tnum.value === y.tnum.value
  return !tnumOverlap(x.tnum, y.tnum) || disjoint(x, y) ? false : undefined
}

function disjoint(x: View, y: View): boolean {
  return x.umin > y.umax || x.umax < y.umin || x.smin > y.smax || x.smax < y.smin
}

function anyBit(x: Tnum, y: Tnum): boolean | undefined {
  const [bits, tested] = y.mask === 0n ? [x, y.value] : [y, x.value]
  if (x.mask !== 0n && y.mask !== 0n) return undefined
  if (bits.value & tested) return true
  return (bits.value | bits.mask) & tested ? undefined : false
}

/** Both outcomes of `if (a op b)`. `same`: both operands are one register, which then learns both lessons. */
export function refine(op: JumpOp, width: 32 | 64, a: Scalar, b: Scalar, same = false): Refined {
  const { taken, fallthrough } = relations[op]
  return { taken: learn(taken, width, a, b, same), fallthrough: learn(fallthrough, width, a, b, same) }
}

/** What holds after a jump: `le` and its like swapped where that saves a rule. */
type Relation = 'eq' | 'ne' | 'le' | 'lt' | 'ge' | 'gt' | 'sle' | 'slt' | 'sge' | 'sgt' | 'any' | 'none'

const relations: Record<JumpOp, { taken: Relation; fallthrough: Relation }> = {
  jeq: { taken: 'eq', fallthrough: 'ne' },
  jne: { taken: 'ne', fallthrough: 'eq' },
  jgt: { taken: 'gt', fallthrough: 'le' },
  jge: { taken: 'ge', fallthrough: 'lt' },
  jlt: { taken: 'lt', fallthrough: 'ge' },
  jle: { taken: 'le', fallthrough: 'gt' },
  jsgt: { taken: 'sgt', fallthrough: 'sle' },
  jsge: { taken: 'sge', fallthrough: 'slt' },
  jslt: { taken: 'slt', fallthrough: 'sge' },
  jsle: { taken: 'sle', fallthrough: 'sgt' },
  jset: { taken: 'any', fallthrough: 'none' },
}

type Learn = (a: Draft, b: Draft, width: 32 | 64) => void

const learned: Record<Relation, Learn> = {
  eq: (a, b, width) => {
    const lower = { ...a }
    meet(a, b, width)
    meet(b, lower, width)
  },
  ne: (a, b, width) => {
    const [known, other] = isKnown(b, width) ? [b, a] : [a, b]
    if (isKnown(known, width)) exclude(other, view(known, width).tnum.value, width)
  },
  le: (a, b, width) => unsignedOrder(a, b, width, 0),
  lt: (a, b, width) => unsignedOrder(a, b, width, 1),
  ge: (a, b, width) => unsignedOrder(b, a, width, 0),
  gt: (a, b, width) => unsignedOrder(b, a, width, 1),
  sle: (a, b, width) => signedOrder(a, b, width, 0),
  slt: (a, b, width) => signedOrder(a, b, width, 1),
  sge: (a, b, width) => signedOrder(b, a, width, 0),
  sgt: (a, b, width) => signedOrder(b, a, width, 1),
  any: (a, b, width) => {
    const tested = testedBits(a, b, width)
    // Only a single bit that was tested is known to be set.
    if (tested && tested.bits !== 0n && (tested.bits & (tested.bits - 1n)) === 0n) {
      setBits(tested.of, width, tnumOr(view(tested.of, width).tnum, tnumConst(tested.bits)))
    }
  },
  none: (a, b, width) => {
    const tested = testedBits(a, b, width)
    if (!tested) return
    // Linux forgets the ranges here since 6.17: on a branch that cannot happen they would contradict the bits.
    Object.assign(tested.of, withoutRanges(tested.of))
    setBits(tested.of, width, tnumAnd(view(tested.of, width).tnum, tnumConst(U64_MAX ^ tested.bits)))
  },
}

function learn(relation: Relation, width: 32 | 64, first: Scalar, second: Scalar, same: boolean): [Scalar, Scalar] {
  const a: Draft = { ...first }
  const b: Draft = same ? a : { ...second }
  learned[relation](a, b, width)
  return [consistent(sync(a)), consistent(sync(b))]
}

function isKnown(s: Scalar, width: 32 | 64): boolean {
  return width === 64 ? s.tnum.mask === 0n : (s.tnum.mask & 0xffff_ffffn) === 0n
}

function testedBits(a: Draft, b: Draft, width: 32 | 64): { of: Draft; bits: bigint } | undefined {
  const [known, of] = isKnown(b, width) ? [b, a] : [a, b]
  return isKnown(known, width) ? { of, bits: view(known, width).tnum.value } : undefined
}

function setBits(d: Draft, width: 32 | 64, tnum: Tnum): void {
  d.tnum = width === 64 ? tnum : tnumWithSubreg(d.tnum, tnum)
}

/** Narrows `a` to what `b` may be. */
function meet(a: Draft, b: Scalar, width: 32 | 64): void {
  if (width === 64) {
    a.umin = max(a.umin, b.umin)
    a.umax = min(a.umax, b.umax)
    a.smin = max(a.smin, b.smin)
    a.smax = min(a.smax, b.smax)
    a.tnum = tnumIntersect(a.tnum, b.tnum)
  }
  if (width === 32) {
    a.u32min = Math.max(a.u32min, b.u32min)
    a.u32max = Math.min(a.u32max, b.u32max)
    a.s32min = Math.max(a.s32min, b.s32min)
    a.s32max = Math.min(a.s32max, b.s32max)
    a.tnum = tnumWithSubreg(a.tnum, tnumIntersect(tnumSubreg(a.tnum), tnumSubreg(b.tnum)))
  }
}

/** Removes one value where it is an end of a range. */
function exclude(d: Draft, value: bigint, width: 32 | 64): void {
  const signed = BigInt.asIntN(width, value)
  if (width === 64) {
    if (d.umin === value) d.umin++
    if (d.umax === value) d.umax--
    if (d.smin === signed) d.smin++
    if (d.smax === signed) d.smax--
    return
  }
  if (d.u32min === Number(value)) d.u32min++
  if (d.u32max === Number(value)) d.u32max--
  if (d.s32min === Number(signed)) d.s32min++
  if (d.s32max === Number(signed)) d.s32max--
}

/** `a + gap <= b`, unsigned. */
function unsignedOrder(a: Draft, b: Draft, width: 32 | 64, gap: 0 | 1): void {
  if (width === 32) {
    a.u32max = Math.min(a.u32max, b.u32max - gap)
    b.u32min = Math.max(a.u32min + gap, b.u32min)
  } else {
    a.umax = min(a.umax, b.umax - BigInt(gap))
    b.umin = max(a.umin + BigInt(gap), b.umin)
  }
}

/** `a + gap <= b`, signed. */
function signedOrder(a: Draft, b: Draft, width: 32 | 64, gap: 0 | 1): void {
  if (width === 32) {
    a.s32max = Math.min(a.s32max, b.s32max - gap)
    b.s32min = Math.max(a.s32min + gap, b.s32min)
  } else {
    a.smax = min(a.smax, b.smax - BigInt(gap))
    b.smin = max(a.smin + BigInt(gap), b.smin)
  }
}

/** The scalar itself, or only its known bits where its views contradict each other. */
function consistent(s: Scalar): Scalar {
  const { value, mask } = s.tnum
  const low = Number(value & 0xffff_ffffn)
  const proper =
    s.umin <= s.umax &&
    s.smin <= s.smax &&
    s.u32min <= s.u32max &&
    s.s32min <= s.s32max &&
    (mask !== 0n ||
      (s.umin === value && s.umax === value && s.smin === BigInt.asIntN(64, value) && s.smax === s.smin)) &&
    ((mask & 0xffff_ffffn) !== 0n ||
      (s.u32min === low && s.u32max === low && s.s32min === (low | 0) && s.s32max === (low | 0)))
  if (proper) return s
  return withoutRanges(s)
}

/** What is left where only the known bits are believed. */
function withoutRanges({ tnum }: Scalar): Scalar {
  return { ...unknownScalar, tnum }
}
