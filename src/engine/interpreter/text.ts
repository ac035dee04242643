/**
 * Programs as the interpreter reads them: four 32-bit words an instruction, in linear memory.
 *
 *     word 0   bits 0-9 operation, 10-14 twice dst, 16-20 twice src, 31 set: the operand is words 1 and 2
 *     word 1-2 the immediate, sign-extended to 64 bits (calls: what to call)
 *     word 3   memory: offset in bytes; jumps: distance in words from this instruction
 *
 * Decoding folds what does not matter at run time: an immediate operand is read like a register (it lies in memory too),
 * so that ALU and jump operations are the register forms' opcode bytes; gotol is a goto; a load-acquire is a load, since
 * one thread runs a machine. What the opcode byte does not tell apart gets numbers from 0x100 (`numbers`).
 */
import { BpfError } from '../../bits/index.js'
import { callxRegister, type Insn, isWide, type OpcodeRow, opcode, pseudoCall, pseudoLoad } from '../../isa/index.js'
import type { CallTarget, Code } from '../engine.js'

/** Words of one pre-decoded instruction. */
export const TEXT_WORDS = 4

/** Bytes of one pre-decoded instruction. */
export const TEXT_BYTES = 4 * TEXT_WORDS

/** Set in word 0 where the second operand is the immediate. */
const IMMEDIATE = 0x80000000

/** Operations that an opcode byte does not name. The main loop has a case for each, by number. */
const numbers = {
  bad: 0,
  goto: 0x05,
  sdiv64: 0x100,
  smod64: 0x101,
  sdiv32: 0x102,
  smod32: 0x103,
  movsx64_1: 0x104,
  movsx64_2: 0x105,
  movsx64_4: 0x106,
  movsx32_1: 0x107,
  movsx32_2: 0x108,
  low32: 0x109,
  le2: 0x10a,
  le8: 0x10b,
  swap2: 0x10c,
  swap4: 0x10d,
  swap8: 0x10e,
  callLocal: 0x110,
  callLeaf: 0x111,
  callHost: 0x112,
  callControl: 0x113,
  packet: 0x114,
} as const

/** Operations by name where neither the opcode byte nor its register form is the number. */
const special: Partial<Record<OpcodeRow['op'], (row: OpcodeRow) => number>> = {
  sdiv: (row) => (row.width === 64 ? numbers.sdiv64 : numbers.sdiv32),
  smod: (row) => (row.width === 64 ? numbers.smod64 : numbers.smod32),
  movsx: (row) =>
    row.width === 64
      ? row.size === 1
        ? numbers.movsx64_1
        : row.size === 2
          ? numbers.movsx64_2
          : numbers.movsx64_4
      : row.size === 1
        ? numbers.movsx32_1
        : numbers.movsx32_2,
  // A pointer is an address below 2^32 in every address space of a machine.
  addr_space_cast: () => numbers.low32,
  le: (row) => (row.size === 2 ? numbers.le2 : row.size === 4 ? 0xbc : numbers.le8),
  be: swapNumber,
  bswap: swapNumber,
  gotol: () => numbers.goto,
  load_acquire: (row) => 0x61 | (row.code & 0x18),
  store_release: (row) => 0x63 | (row.code & 0x18),
  ld_abs: () => numbers.packet,
  ld_ind: () => numbers.packet,
}

function swapNumber(row: OpcodeRow): number {
  return row.size === 2 ? numbers.swap2 : row.size === 4 ? numbers.swap4 : numbers.swap8
}

/** The main loop's number of an operation. */
function operationNumber(row: OpcodeRow): number {
  const named = special[row.op]
  if (named) return named(row)
  if (row.kind === 'alu' && row.op !== 'neg') return row.code | 0x08
  if (row.kind === 'if') return row.code | 0x08
  return row.op === 'st' ? row.code | 0x01 : row.code
}

/** What writing a program's text needs to know. */
export interface TextOptions {
  readonly code: Code
  /** Address of the function descriptor by first instruction. */
  readonly handles: ReadonlyMap<number, number>
  /** Number of a leaf or control routine, for word 1. Throws where there is none of that name. */
  readonly routine: (target: CallTarget) => number
}

/** Bytes that a program's text takes: one more instruction than it has, which traps. */
export function textBytes(code: Code): number {
  return (code.insns.length + 1) * TEXT_BYTES
}

/** Writes the text of a program to `words` from index `at`. Throws `BpfError` (`bad-function`) for a function unknown. */
export function writeText(words: Int32Array, at: number, options: TextOptions): void {
  const { insns } = options.code
  const end = at + insns.length * TEXT_WORDS
  words.fill(0, at, end + TEXT_WORDS)
  for (let index = 0; index < insns.length; index++) {
    const insn = insns[index]
    const row = insn && opcode(insn)
    if (!insn || !row || insn.dst > 10 || (insn.src > 10 && !row.reserved.includes('src'))) continue
    const to = at + index * TEXT_WORDS
    const source = row.source === 'reg' || row.kind === 'end' ? 0 : IMMEDIATE
    const right = row.kind === 'end' ? insn.dst : insn.src
    let number = operationNumber(row)
    let low = insn.imm
    let high = insn.imm >> 31
    let last = insn.off
    if (row.kind === 'imm64') {
      const upper = insns[index + 1]
      if (!upper) continue
      low = insn.src === pseudoLoad.func ? handleOf(options, index + 1 + insn.imm, index) : insn.imm
      high = insn.src === pseudoLoad.func ? 0 : upper.imm
    } else if (row.kind === 'if' || row.kind === 'goto') {
      last = distance(insn, row, index, insns.length)
    } else if (row.op === 'call') {
      if (insn.src === pseudoCall.local) {
        number = numbers.callLocal
        low = handleOf(options, index + 1 + insn.imm, index)
        last = (insn.imm + 1) * TEXT_WORDS
      } else {
        const target = options.code.calls.get(index)
        number = target ? callNumbers[target.kind] : numbers.bad
        low = target ? options.routine(target) : 0
      }
    } else if (row.kind === 'packet') {
      high = row.source === 'reg' ? 1 : 0
      last = row.size
    }
    const left = row.op === 'callx' ? callxRegister(insn) : insn.dst
    words[to] = number | (left << 11) | (right << 17) | source
    words[to + 1] = low
    words[to + 2] = high
    words[to + 3] = last
    if (isWide(insn)) index++
  }
}

const callNumbers = { leaf: numbers.callLeaf, control: numbers.callControl, host: numbers.callHost } as const

/** Words from a jump to its target; a target outside the program becomes the trapping instruction at its end. */
function distance(insn: Insn, row: OpcodeRow, index: number, count: number): number {
  const target = index + 1 + (row.op === 'gotol' ? insn.imm : insn.off)
  return ((target >= 0 && target < count ? target : count) - index) * TEXT_WORDS
}

function handleOf(options: TextOptions, start: number, index: number): number {
  const handle = options.handles.get(start)
  if (handle === undefined) {
    const place = `${options.code.name}, instruction ${index}`
    throw new BpfError('bad-function', `no function begins at instruction ${start}`, { place })
  }
  return handle
}
