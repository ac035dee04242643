/**
 * What options say, from text. Each function names its option in the error (`BpfError` with code `usage`), so that a typing
 * mistake is answered in the words in which it was made.
 */
import { readFileSync } from 'node:fs'
import { BpfError } from '../bits/index.js'
import { usageError } from './exit.js'

/** A whole number from `least` to `most`. */
export function parseCount(option: string, text: string, least: number, most: number): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  if (!(value >= least && value <= most))
    throw usageError(option, `a number from ${least} to ${most} is wanted, not '${text}'`)
  return value
}

const UNITS: Readonly<Record<string, bigint>> = { ns: 1n, us: 1_000n, ms: 1_000_000n, s: 1_000_000_000n }

/** A length of time with its unit, in nanoseconds: `10ms`, `1.5s`. */
export function parseTime(option: string, text: string): bigint {
  const [, whole = '', fraction = '', unit = ''] = /^(\d{1,9})(?:\.(\d{1,9}))?(ns|us|ms|s)$/.exec(text) ?? []
  const factor = UNITS[unit]
  if (factor === undefined) throw usageError(option, `a time such as 10ms or 1.5s is wanted, not '${text}'`)
  return BigInt(whole) * factor + (BigInt(fraction || '0') * factor) / 10n ** BigInt(fraction.length)
}

/** Bytes: hexadecimal digits (blanks allowed between bytes), or `@file` for a file's content. */
export function parseBytes(option: string, text: string): Uint8Array {
  if (text.startsWith('@')) return readInput(text.slice(1), option)
  const digits = text.replace(/^0x/i, '').replace(/[\s:]+/g, '')
  if (!/^([0-9a-f]{2})*$/i.test(digits)) throw usageError(option, 'two hexadecimal digits a byte are wanted, or @file')
  return Uint8Array.from(digits.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))
}

/** A context: a JSON object of its members, or `@file` with one. Text is taken for large numbers. */
export function parseContext(option: string, text: string): Record<string, unknown> {
  const json = text.startsWith('@') ? new TextDecoder().decode(readInput(text.slice(1), option)) : text
  const value = parseJson(option, json)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw usageError(option, 'a JSON object is wanted, such as {"mark": 7}')
  }
  return value as Record<string, unknown>
}

/**
 * `NAME=VALUE` as name and value. Arrays, objects and fractions are read as JSON; everything else stays text, which
 * variables of every type understand: `7`, `0xff`, `true`, the name of an enumerator, the content of a `char[]`.
 */
export function parseAssignment(option: string, text: string): [name: string, value: unknown] {
  const at = text.indexOf('=')
  if (at <= 0) throw usageError(option, `VARIABLE=VALUE is wanted, not '${text}'`)
  const value = text.slice(at + 1)
  const structured = /^[[{]/.test(value) || /^-?\d+\.\d+(e[+-]?\d+)?$/i.test(value)
  return [text.slice(0, at), structured ? parseJson(option, value) : value]
}

function parseJson(option: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw usageError(option, `this is not JSON: ${(cause as Error).message}`)
  }
}

/** A file's bytes. Throws `BpfError` (`unreadable`). */
export function readInput(path: string, place = path): Uint8Array {
  try {
    return new Uint8Array(readFileSync(path))
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code
    const why =
      code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a directory' : (code ?? 'unknown')
    throw new BpfError('unreadable', `cannot read ${path}: ${why}`, { place: place === path ? '' : place, cause })
  }
}
