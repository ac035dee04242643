/**
 * Is an access through a pointer inside of what it points to? The pointer is its base plus a fixed offset plus an unknown
 * part between a signed minimum and an unsigned maximum; both ends must fit. Texts as Linux 6.18 prints them.
 */
import type { Env } from '../env.js'
import type { Reg } from '../registers.js'
import { S64_MIN } from '../scalar/scalar.js'

/** Offsets at or beyond this are never allowed (BPF_MAX_VAR_OFF). */
export const maxVarOffset = 1n << 29n

/** What is said about a region when an access falls outside. */
type Complaint = (reg: Reg, n: number, size: number, offset: bigint, limit: number) => string

const complaints: Partial<Record<Reg['type'], Complaint>> = {
  map_key: (_reg, _n, size, offset, limit) => `invalid access to map key, key_size=${limit} off=${offset} size=${size}`,
  map_value: (_reg, _n, size, offset, limit) =>
    `invalid access to map value, value_size=${limit} off=${offset} size=${size}`,
  pkt: packetComplaint,
  pkt_meta: packetComplaint,
  pkt_end: packetComplaint,
}

function packetComplaint(reg: Reg, n: number, size: number, offset: bigint, limit: number): string {
  return `invalid access to packet, off=${offset} size=${size}, R${n}(id=${reg.id},off=${offset},r=${limit})`
}

/** Options of region checks. */
export interface RegionOptions {
  /** An access of no bytes is fine (helpers with `const_size_or_zero`). */
  readonly zeroAllowed?: boolean
}

/** A problem with an access at one exact offset; `undefined` where it fits into `limit` bytes. */
export function outside(
  reg: Reg,
  n: number,
  offset: bigint,
  size: number,
  limit: number,
  options: RegionOptions = {},
): string | undefined {
  const sizeOk = size > 0 || (size === 0 && options.zeroAllowed === true)
  // The kernel keeps offsets in 32 bits here.
  const at = BigInt.asIntN(32, offset)
  if (at >= 0n && sizeOk && at + BigInt(size) <= BigInt(limit)) return undefined
  const complain = complaints[reg.type]
  if (complain) return complain(reg, n, size, at, limit)
  return `invalid access to memory, mem_size=${limit} off=${at} size=${size}`
}

/** Register `n` plus `offset` may be anywhere in its range: all of `size` bytes must lie within `limit`. */
export function checkRegion(
  env: Env,
  n: number,
  offset: number,
  size: number,
  limit: number,
  options: RegionOptions = {},
): void {
  const reg = env.reg(n)
  const off = BigInt(offset)
  const { smin, umax } = reg.value
  const lowest = smin + off
  if (smin < 0n && (smin === S64_MIN || lowest !== BigInt.asIntN(32, lowest) || lowest < 0n)) {
    env.reject('EACCES', `R${n} min value is negative, either use unsigned index or do a if (index >=0) check.`)
  }
  const low = outside(reg, n, lowest, size, limit, options)
  if (low) {
    env.note(low)
    env.reject('EACCES', `R${n} min value is outside of the allowed memory range`)
  }
  if (umax >= maxVarOffset) {
    env.reject('EACCES', `R${n} unbounded memory access, make sure to bounds check any such access`)
  }
  const high = outside(reg, n, umax + off, size, limit, options)
  if (!high) return
  env.note(high)
  env.reject('EACCES', `R${n} max value is outside of the allowed memory range`)
}
