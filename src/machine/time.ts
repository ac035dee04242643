/** Lengths of time for `machine.advance`: nanoseconds as `bigint`, which is what the kernel counts in. */
import { BpfError } from '../bits/index.js'

function scaled(unit: string, factor: number) {
  return (amount: number): bigint => {
    const ns = Math.round(amount * factor)
    if (!Number.isSafeInteger(ns)) throw new BpfError('bad-time', `${amount} ${unit} is no length of time`)
    return BigInt(ns)
  }
}

/** Microseconds in nanoseconds: `us(1.5)` is `1500n`. */
export const us = scaled('us', 1e3)
/** Milliseconds in nanoseconds. */
export const ms = scaled('ms', 1e6)
/** Seconds in nanoseconds. */
export const s = scaled('s', 1e9)

/** Nanoseconds from what a caller gave; throws `BpfError` (`bad-time`) unless it is a whole number that is not negative. */
export function toNs(time: bigint | number): bigint {
  if (typeof time === 'number' && !Number.isSafeInteger(time)) {
    throw new BpfError('bad-time', `${time} is no whole number of nanoseconds`)
  }
  if (time < 0) throw new BpfError('bad-time', `time cannot go back by ${-time} ns`)
  return BigInt(time)
}
