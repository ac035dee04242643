/**
 * Scalars as the verifier's log prints them (Linux 6.8 and later): bounds that say nothing are left out, equal ones share
 * their number (`smax=umax=255`), small numbers are decimal and others hexadecimal.
 */
import type { Scalar } from './scalar.js'
import { S32_MAX, S32_MIN, S64_MAX, S64_MIN, U32_MAX, U64_MAX } from './scalar.js'
import { formatTnum, tnumIsUnknown } from './tnum.js'

/** `42` for a constant, else `scalar(…)`. `details` are printed first between the brackets (`id=3`). */
export function formatScalar(s: Scalar, details: readonly string[] = []): string {
  if (s.tnum.mask === 0n) return formatSigned(BigInt.asIntN(64, s.tnum.value))
  return `scalar(${[...details, ...formatRanges(s)].join(',')})`
}

/** The parts between the brackets: ranges that say something, then `var_off`. Empty where nothing is known. */
export function formatRanges(s: Scalar): string[] {
  const parts: string[] = []
  const rows = bounds(s)
  const printed = new Set<Bound>()
  for (const [index, row] of rows.entries()) {
    if (row.omit || printed.has(row)) continue
    // Rows alternate between minimum and maximum; only like is joined with like.
    const same = rows.filter(
      (other, at) =>
        at > index &&
        (at - index) % 2 === 0 &&
        !other.omit &&
        !printed.has(other) &&
        other.bits === row.bits &&
        negative(other) === negative(row),
    )
    for (const other of same) printed.add(other)
    const names = [row, ...same].map((each) => `${each.name}=`).join('')
    parts.push(names + (row.signed ? formatSigned(BigInt.asIntN(64, row.bits)) : formatUnsigned(row.bits)))
  }
  if (!tnumIsUnknown(s.tnum)) parts.push(`var_off=${formatTnum(s.tnum)}`)
  return parts
}

/** A signed number: decimal from -32768 to 32767, else the 64 bits in hexadecimal. */
export function formatSigned(value: bigint): string {
  if (value >= -32768n && value <= 32767n) return value.toString()
  return `0x${BigInt.asUintN(64, value).toString(16)}`
}

/** An unsigned number: decimal up to 65535, else hexadecimal. */
export function formatUnsigned(value: bigint): string {
  return value <= 65535n ? value.toString() : `0x${value.toString(16)}`
}

interface Bound {
  readonly name: string
  /** The 64 bits that are compared and printed. */
  readonly bits: bigint
  readonly signed: boolean
  readonly omit: boolean
}

function negative(row: Bound): boolean {
  return row.signed && row.bits >> 63n === 1n
}

function bounds(s: Scalar): Bound[] {
  const row = (name: string, bits: bigint, omit: boolean): Bound => ({
    name,
    bits: BigInt.asUintN(64, bits),
    signed: name.startsWith('s'),
    omit,
  })
  return [
    row('smin', s.smin, s.smin === S64_MIN),
    row('smax', s.smax, s.smax === S64_MAX),
    row('umin', s.umin, s.umin === 0n),
    row('umax', s.umax, s.umax === U64_MAX),
    row('smin32', signed32(s.s32min), s.s32min === S32_MIN),
    row('smax32', signed32(s.s32max), s.s32max === S32_MAX),
    row('umin32', BigInt(s.u32min), s.u32min === 0),
    row('umax32', BigInt(s.u32max), s.u32max === U32_MAX),
  ]
}

/** A 32-bit bound that will be printed in hexadecimal is not sign-extended. */
function signed32(value: number): bigint {
  return value >= -32768 && value <= 32767 ? BigInt(value) : BigInt(value >>> 0)
}
