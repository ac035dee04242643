/**
 * A cursor over one line of assembly text, and the small things that stand there: registers, numbers, places in memory.
 * Every error names line and column, both from 1.
 */
import { ParseError } from '../bits/index.js'

/** Where a piece of a line stood, for errors that come up later (a label that nobody defines). */
export interface Spot {
  readonly line: number
  readonly column: number
}

/** Scans one line from left to right; blanks before each piece are skipped. */
export class Scanner {
  private readonly text: string
  private readonly line: number
  /** Offset of the line in the whole text. */
  private readonly base: number
  private at = 0

  constructor(text: string, line: number, base: number) {
    this.text = text
    this.line = line
    this.base = base
  }

  /** Place of the next piece. */
  spot(): Spot {
    this.blanks()
    return { line: this.line, column: this.at + 1 }
  }

  /** Whether nothing is left. */
  done(): boolean {
    this.blanks()
    return this.at >= this.text.length
  }

  /** The next piece if `pattern` (sticky) matches there: the whole match, and its first group where it has one. */
  match(pattern: RegExp): string | undefined {
    this.blanks()
    pattern.lastIndex = this.at
    const found = pattern.exec(this.text)
    if (!found) return undefined
    this.at += found[0].length
    return found[1] ?? found[0]
  }

  /** Skips `literal` if it comes next. */
  accept(literal: string): boolean {
    this.blanks()
    if (!this.text.startsWith(literal, this.at)) return false
    this.at += literal.length
    return true
  }

  /** As `match`; throws where something else stands. */
  need(pattern: RegExp, what: string): string {
    const found = this.match(pattern)
    if (found === undefined) throw this.error(`${what} expected`)
    return found
  }

  /** As `accept`; throws where something else stands. */
  expect(literal: string): void {
    if (!this.accept(literal)) throw this.error(`'${literal}' expected`)
  }

  /** The error for the next piece, or for `spot`. */
  error(sentence: string, spot: Spot = this.spot()): ParseError {
    return scanError(sentence, spot, this.base)
  }

  private blanks(): void {
    while (this.text[this.at] === ' ' || this.text[this.at] === '\t') this.at++
  }
}

/** A `ParseError` (`asm-syntax`) at a spot; `base` is the offset of its line in the text. */
export function scanError(sentence: string, spot: Spot, base = 0): ParseError {
  const place = `line ${spot.line}, column ${spot.column}`
  return new ParseError('asm-syntax', sentence, base + spot.column - 1, { place })
}

/** A register as written: `r3` or, for its lower half, `w3`. */
export interface Register {
  readonly index: number
  readonly width: 32 | 64
}

/** The register that comes next, if one does. */
export function register(scan: Scanner): Register | undefined {
  const spot = scan.spot()
  const found = scan.match(/[rw]\d+(?!\w)/y)
  if (!found) return undefined
  const index = Number(found.slice(1))
  if (index > 10) throw scan.error(`there is no register ${found}`, spot)
  return { index, width: found[0] === 'w' ? 32 : 64 }
}

/** The index of the register that must come next. */
export function needRegister(scan: Scanner, width: 32 | 64 = 64): number {
  const spot = scan.spot()
  const found = register(scan)
  if (found?.width !== width) throw scan.error(`${width}-bit register expected`, spot)
  return found.index
}

const number = /[+-]?(?:0[xX][0-9a-fA-F]+|\d+)(?!\w)/y

/** A whole number that fits `bits`, signed or unsigned. */
export function wholeNumber(scan: Scanner, bits: 16 | 32 | 64): bigint {
  const spot = scan.spot()
  const text = scan.need(number, 'number')
  const value = text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text.replace('+', ''))
  if (value < -(1n << BigInt(bits - 1)) || value >= 1n << BigInt(bits)) {
    const hint = bits === 32 ? " (a 64-bit immediate load ends in 'll')" : ''
    throw scan.error(`${text} does not fit ${bits} bits${hint}`, spot)
  }
  return value
}

/** A 32-bit immediate; unsigned ones wrap to the signed value with the same bits. */
export function imm32(scan: Scanner): number {
  return Number(BigInt.asIntN(32, wholeNumber(scan, 32)))
}

/** A signed 16-bit offset. */
export function offset(scan: Scanner): number {
  const spot = scan.spot()
  const value = wholeNumber(scan, 16)
  if (value > 32767n) throw scan.error(`offset ${value} does not fit 16 bits`, spot)
  return Number(value)
}

/** A place in memory: `(u64 *)(r10 -8)`. */
export interface Place {
  /** `u8` to `u64`, `s8` to `s32`. */
  readonly symbol: string
  readonly size: number
  readonly base: number
  readonly off: number
}

/** The type of a place, `(u32 *)`: its symbol. */
export function placeType(scan: Scanner): string {
  scan.expect('(')
  const symbol = scan.need(/u(?:8|16|32|64)(?!\w)|s(?:8|16|32)(?!\w)/y, 'u8 to u64 or s8 to s32')
  scan.expect('*')
  scan.expect(')')
  return symbol
}

/** What follows the type of a place: `(r10 -8)`; without an offset it is 0. */
export function placeAt(scan: Scanner, symbol: string): Place {
  scan.expect('(')
  const base = needRegister(scan)
  const empty = scan.accept(')')
  const off = empty ? 0 : offset(scan)
  if (!empty) scan.expect(')')
  return { symbol, size: Number(symbol.slice(1)) / 8, base, off }
}
