/**
 * The grammar of one assembly statement. A statement is told by how it begins (`if`, `goto`, `*`, a register, ...); what it
 * means is then looked up in the opcode table by kind, symbol, width, source and size.
 */
import { helperIds } from '../uapi/index.js'
import { type Kind, type OpcodeRow, opcodes, pseudoCall, pseudoLoad } from './opcodes.js'
import {
  imm32,
  needRegister,
  offset,
  placeAt,
  placeType,
  type Register,
  register,
  type Scanner,
  type Spot,
  wholeNumber,
} from './scanner.js'

/** A parsed statement: its row and the fields that it sets. */
export interface Statement {
  readonly row: OpcodeRow
  readonly dst?: number
  readonly src?: number
  readonly off?: number
  readonly imm?: number
  /** Upper half of a 64-bit immediate. */
  readonly upper?: number
  /** A label whose distance goes into `field`. */
  readonly label?: { readonly name: string; readonly spot: Spot; readonly field: 'off' | 'imm' }
}

const identifier = /[A-Za-z_][\w.]*/y
const operators = /s?>>=|<<=|s?\/=|s?%=|[-+*|&^]=|=(?!=)/y
const comparisons = /s?>=|s?<=|s?>|s?<|==|!=|&/y
const helpers = new Map<string, number>(Object.entries(helperIds))

function key(kind: Kind, symbol: string, width: number, source: string, size: number): string {
  return `${kind} ${symbol} ${width} ${source} ${size}`
}
const rows = new Map(opcodes.map((row) => [key(row.kind, row.symbol, row.width, row.source, row.size), row]))

/** The row that a statement asks for; throws where the instruction set has none. */
function find(scan: Scanner, kind: Kind, symbol: string, width: number, source: string, size = 0): OpcodeRow {
  const row = rows.get(key(kind, symbol, width, source, size))
  if (!row) throw scan.error('there is no such instruction')
  return row
}

/** A register of the given width or an immediate. */
function operand(scan: Scanner, width: 32 | 64): { source: 'reg' | 'imm'; fields: { src?: number; imm?: number } } {
  const spot = scan.spot()
  const right = register(scan)
  if (!right) return { source: 'imm', fields: { imm: imm32(scan) } }
  if (right.width !== width) throw scan.error(`${width}-bit register expected`, spot)
  return { source: 'reg', fields: { src: right.index } }
}

/** `pc+3`, `+3` or a label. */
function target(scan: Scanner, field: 'off' | 'imm'): Pick<Statement, 'off' | 'imm' | 'label'> {
  if (scan.match(/(?:pc)?(?=[+-])/y) !== undefined) {
    return field === 'off' ? { off: offset(scan) } : { imm: imm32(scan) }
  }
  const spot = scan.spot()
  return { label: { name: scan.need(identifier, 'pc+N or label'), spot, field } }
}

function ifStatement(scan: Scanner): Statement {
  const spot = scan.spot()
  const left = register(scan)
  if (!left) throw scan.error('register expected', spot)
  const symbol = scan.need(comparisons, 'comparison')
  const { source, fields } = operand(scan, left.width)
  const row = find(scan, 'if', symbol, left.width, source)
  scan.expect('goto')
  return { row, dst: left.index, ...fields, ...target(scan, 'off') }
}

function callStatement(scan: Scanner): Statement {
  const row = find(scan, 'call', 'call', 64, 'imm')
  if (scan.match(/pc(?=[+-])/y) !== undefined) return { row, src: pseudoCall.local, imm: imm32(scan) }
  if (scan.accept('kernel-function')) {
    const off = scan.accept('@') ? offset(scan) : 0
    scan.expect('#')
    return { row, src: pseudoCall.kfunc, off, imm: imm32(scan) }
  }
  const spot = scan.spot()
  const name = scan.match(identifier)
  if (name === undefined) return { row, src: pseudoCall.helper, imm: imm32(scan) }
  const helper = helpers.get(name)
  if (!scan.accept('#')) {
    if (helper !== undefined) return { row, src: pseudoCall.helper, imm: helper }
    return { row, src: pseudoCall.local, label: { name, spot, field: 'imm' } }
  }
  const imm = imm32(scan)
  const isHelper = name === 'unknown' || helper === imm
  return { row, src: isHelper ? pseudoCall.helper : pseudoCall.kfunc, imm }
}

/** `*(u32 *)(r1 +0) = r2`, the first `*` already read. */
function storeStatement(scan: Scanner): Statement {
  const at = placeAt(scan, placeType(scan))
  scan.expect('=')
  const { source, fields } = operand(scan, 64)
  return { row: find(scan, 'store', at.symbol, 64, source, at.size), dst: at.base, off: at.off, ...fields }
}

/** `lock *(u64 *)(r1 +0) += r2`, the word already read. */
function lockStatement(scan: Scanner): Statement {
  scan.expect('*')
  const at = placeAt(scan, placeType(scan))
  const symbol = scan.need(operators, 'operator')
  const src = needRegister(scan)
  return { row: find(scan, 'atomic', symbol, at.size * 8, 'reg', at.size), dst: at.base, off: at.off, src }
}

/** `atomic64_xchg((u64 *)(r1 +0), r2)` and its kin, the name's front already read. */
function fetchStatement(scan: Scanner, dst: Register, prefix: string): Statement {
  const symbol = scan.need(/_(\w+)/y, 'name of an atomic operation')
  scan.expect('(')
  const at = placeAt(scan, placeType(scan))
  scan.expect(',')
  if (symbol === 'cmpxchg') {
    scan.expect('r0')
    scan.expect(',')
  }
  const spot = scan.spot()
  const src = needRegister(scan)
  scan.expect(')')
  if (dst.width !== 64 || dst.index !== (symbol === 'cmpxchg' ? 0 : src)) {
    throw scan.error('an atomic operation returns the old value in its operand register (cmpxchg: in r0)', spot)
  }
  if ((prefix === 'atomic64') !== (at.size === 8)) throw scan.error(`${prefix} does not go with ${at.symbol}`, spot)
  return { row: find(scan, 'atomic', symbol, at.size * 8, 'reg', at.size), dst: at.base, off: at.off, src }
}

function releaseStatement(scan: Scanner): Statement {
  scan.expect('(')
  const at = placeAt(scan, placeType(scan))
  scan.expect(',')
  const src = needRegister(scan)
  scan.expect(')')
  return { row: find(scan, 'atomic', 'store_release', 64, 'reg', at.size), dst: at.base, off: at.off, src }
}

/** `*(u32 *)(r1 +0)`, `*(u8 *)skb[4]`, `*(u8 *)skb[r1 + 4]`, the first `*` already read. */
function loadStatement(scan: Scanner, dst: number): Statement {
  const symbol = placeType(scan)
  if (scan.accept('skb')) {
    if (dst !== 0) throw scan.error('a packet load goes into r0')
    scan.expect('[')
    const base = register(scan)
    if (base) scan.expect('+')
    const imm = imm32(scan)
    scan.expect(']')
    const row = find(scan, 'packet', symbol, 64, base ? 'reg' : 'imm', Number(symbol.slice(1)) / 8)
    return { row, imm, ...(base && { src: base.index }) }
  }
  const at = placeAt(scan, symbol)
  return { row: find(scan, 'load', symbol, 64, 'reg', at.size), dst, src: at.base, off: at.off }
}

/** `map[fd:3]`, `map[fd:3][0]+8`, `map[idx:3]`, `map[idx:3]+8`, the word and `[` already read. */
function mapStatement(scan: Scanner, row: OpcodeRow, dst: number): Statement {
  const byFd = scan.need(/(fd|idx):/y, 'fd: or idx:') === 'fd'
  const imm = imm32(scan)
  scan.expect(']')
  scan.accept('[0]')
  const value = scan.accept('+')
  const plain = byFd ? pseudoLoad.mapFd : pseudoLoad.mapIdx
  if (!value) return { row, dst, src: plain, imm }
  return { row, dst, src: byFd ? pseudoLoad.mapValue : pseudoLoad.mapIdxValue, imm, upper: imm32(scan) }
}

/** A number: an ordinary move, or with `ll` (or where `wide` says so) a 64-bit immediate load. */
function numberStatement(scan: Scanner, dst: Register, wide: boolean): Statement {
  const imm64 = find(scan, 'imm64', '', 64, 'imm')
  const spot = scan.spot()
  const isWide = wide || scan.match(/(?=[+-]?\w+\s+ll(?!\w))/y) !== undefined
  if (!isWide) return { row: find(scan, 'alu', '=', dst.width, 'imm'), dst: dst.index, imm: imm32(scan) }
  const value = wholeNumber(scan, 64)
  scan.match(/ll(?!\w)/y)
  if (dst.width === 32) throw scan.error('64-bit register expected', spot)
  const low = Number(BigInt.asIntN(32, value))
  return { row: imm64, dst: dst.index, src: 0, imm: low, upper: Number(BigInt.asIntN(32, value >> 32n)) }
}

/** Everything that may stand right of `rN =`. */
function moveStatement(scan: Scanner, dst: Register, wide: boolean): Statement {
  const same = (): void => {
    const spot = scan.spot()
    if (needRegister(scan, dst.width) !== dst.index) throw scan.error('must be the register on the left', spot)
  }
  if (scan.match(/-(?=\s*[rw]\d)/y)) {
    same()
    return { row: find(scan, 'alu', '-', dst.width, 'none'), dst: dst.index }
  }
  const extend = scan.match(/\(s(?:8|16|32)\)/y)
  if (extend) {
    const row = find(scan, 'alu', extend, dst.width, 'reg', Number(extend.slice(2, -1)) / 8)
    return { row, dst: dst.index, src: needRegister(scan, dst.width) }
  }
  const right = register(scan)
  if (right) {
    if (right.width !== dst.width) throw scan.error('both registers must have the same width')
    return { row: find(scan, 'alu', '=', dst.width, 'reg'), dst: dst.index, src: right.index }
  }
  const atomic = scan.match(/atomic(?:64)?(?=_)/y)
  if (atomic) return fetchStatement(scan, dst, atomic)
  const swap = scan.match(/(?:le|be|bswap)(?:16|32|64)(?!\w)/y)
  if (!swap && scan.match(/(?=[+-]?\d)/y) !== undefined) return numberStatement(scan, dst, wide)
  if (dst.width === 32) throw scan.error('64-bit register expected on the left')
  if (swap) {
    same()
    return { row: find(scan, 'end', swap, 64, 'none', Number(swap.replace(/\D+/, '')) / 8), dst: dst.index }
  }
  if (scan.accept('*')) return loadStatement(scan, dst.index)
  if (scan.accept('load_acquire')) {
    scan.expect('(')
    const at = placeAt(scan, placeType(scan))
    scan.expect(')')
    const row = find(scan, 'atomic', 'load_acquire', 64, 'reg', at.size)
    return { row, dst: dst.index, src: at.base, off: at.off }
  }
  if (scan.accept('addr_space_cast')) return castStatement(scan, dst.index)
  return pseudoStatement(scan, dst.index)
}

/** `addr_space_cast(r1, 1, 0)`, the name already read. */
function castStatement(scan: Scanner, dst: number): Statement {
  scan.expect('(')
  const src = needRegister(scan)
  scan.expect(',')
  const to = Number(BigInt.asUintN(16, wholeNumber(scan, 16)))
  scan.expect(',')
  const from = Number(BigInt.asUintN(16, wholeNumber(scan, 16)))
  scan.expect(')')
  return { row: find(scan, 'alu', 'addr_space_cast', 64, 'reg'), dst, src, imm: (to << 16) | from }
}

/** Immediate loads that are not numbers yet. */
function pseudoStatement(scan: Scanner, dst: number): Statement {
  const row = find(scan, 'imm64', '', 64, 'imm')
  if (scan.accept('map[')) return mapStatement(scan, row, dst)
  if (scan.accept('subprog[')) {
    const where = target(scan, 'imm')
    scan.expect(']')
    return { row, dst, src: pseudoLoad.func, ...where }
  }
  if (!scan.accept('btf_id[')) throw scan.error('operand expected')
  const imm = imm32(scan)
  scan.expect(']')
  return { row, dst, src: pseudoLoad.btfId, imm, upper: scan.accept('@') ? imm32(scan) : 0 }
}

/** Parses one statement. `wide` says that an opcode byte in front asked for a 64-bit immediate load. */
export function statement(scan: Scanner, wide: boolean): Statement {
  const spot = scan.spot()
  const left = register(scan)
  if (left) {
    const symbol = scan.need(operators, 'operator')
    if (symbol === '=') return moveStatement(scan, left, wide)
    const { source, fields } = operand(scan, left.width)
    return { row: find(scan, 'alu', symbol, left.width, source), dst: left.index, ...fields }
  }
  if (scan.accept('*')) return storeStatement(scan)
  const word = scan.match(identifier)
  if (word === 'if') return ifStatement(scan)
  if (word === 'lock') return lockStatement(scan)
  if (word === 'store_release') return releaseStatement(scan)
  if (word === 'call') return callStatement(scan)
  if (word === 'callx') return { row: find(scan, 'call', 'callx', 64, 'reg'), dst: needRegister(scan) }
  if (word === 'exit') return { row: find(scan, 'exit', '', 64, 'none') }
  if (word === 'goto' || word === 'may_goto')
    return { row: find(scan, 'goto', word, 64, 'imm'), ...target(scan, 'off') }
  if (word === 'gotol') return { row: find(scan, 'goto', word, 64, 'imm'), ...target(scan, 'imm') }
  throw scan.error('instruction expected', spot)
}
