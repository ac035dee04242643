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

/** Numbers of what is not an instruction of its own: calls by target, packet loads. */
const numbers = { local: 0x110, leaf: 0x111, host: 0x112, control: 0x113, packet: 0x114 } as const

/** Numbers of operations, by `op width size`, where neither the opcode byte nor its register form is the number. */
const special: Readonly<Record<string, number>> = {
  'sdiv 64 0': 0x100,
  'smod 64 0': 0x101,
  'sdiv 32 0': 0x102,
  'smod 32 0': 0x103,
  'movsx 64 1': 0x104,
  'movsx 64 2': 0x105,
  'movsx 64 4': 0x106,
  'movsx 32 1': 0x107,
  'movsx 32 2': 0x108,
  // A pointer is an address below 2^32 in every address space of a machine.
  'addr_space_cast 64 0': 0x109,
  'le 64 2': 0x10a,
  'le 64 4': 0xbc,
  'le 64 8': 0x10b,
  'be 64 2': 0x10c,
  'be 64 4': 0x10d,
  'be 64 8': 0x10e,
  'bswap 64 2': 0x10c,
  'bswap 64 4': 0x10d,
  'bswap 64 8': 0x10e,
  'gotol 64 0': 0x05,
  'load_acquire 64 1': 0x71,
  'load_acquire 64 2': 0x69,
  'load_acquire 64 4': 0x61,
  'load_acquire 64 8': 0x79,
  'store_release 64 1': 0x73,
  'store_release 64 2': 0x6b,
  'store_release 64 4': 0x63,
  'store_release 64 8': 0x7b,
}

/** The main loop's number of an operation. */
function operationNumber(row: OpcodeRow): number {
  const named = special[`${row.op} ${row.width} ${row.size}`]
  if (named !== undefined) return named
  if (row.kind === 'packet') return numbers.packet
  if (row.kind === 'if' || (row.kind === 'alu' && row.op !== 'neg')) return row.code | 0x08
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

/** Words 0 to 3 of an instruction; word 0 without registers. */
type Quad = readonly [operation: number, low: number, high: number, last: number]

/** Writes the text of a program to `words` from index `at`. Throws `BpfError` (`bad-function`) for a function unknown. */
export function writeText(words: Int32Array, at: number, options: TextOptions): void {
  const { insns } = options.code
  // What stays zero traps: an unknown instruction, the second slot of a load, the place behind the last instruction.
  words.fill(0, at, at + (insns.length + 1) * TEXT_WORDS)
  for (let index = 0; index < insns.length; index++) {
    const insn = insns[index]
    const row = insn && opcode(insn)
    if (!insn || !row || insn.dst > 10 || (insn.src > 10 && !row.reserved.includes('src'))) continue
    const [operation, low, high, last] = quadOf(insn, row, index, options)
    const left = row.op === 'callx' ? callxRegister(insn) : insn.dst
    const right = row.kind === 'end' ? insn.dst : insn.src
    const source = row.source === 'reg' || row.kind === 'end' ? 0 : IMMEDIATE
    words.set([operation | (left << 11) | (right << 17) | source, low, high, last], at + index * TEXT_WORDS)
    if (isWide(insn)) index++
  }
}

function quadOf(insn: Insn, row: OpcodeRow, index: number, options: TextOptions): Quad {
  const operation = operationNumber(row)
  if (row.op === 'call') return callQuad(insn, index, options)
  if (row.kind === 'imm64') {
    const upper = options.code.insns[index + 1]
    if (!upper) return [0, 0, 0, 0]
    if (insn.src === pseudoLoad.func) return [operation, handleOf(options, index + 1 + insn.imm, index), 0, 0]
    return [operation, insn.imm, upper.imm, 0]
  }
  if (row.kind === 'packet') return [operation, insn.imm, row.source === 'reg' ? 1 : 0, row.size]
  const last = row.kind === 'if' || row.kind === 'goto' ? distance(insn, row, index, options) : insn.off
  return [operation, insn.imm, insn.imm >> 31, last]
}

function callQuad(insn: Insn, index: number, options: TextOptions): Quad {
  if (insn.src === pseudoCall.local) {
    const handle = handleOf(options, index + 1 + insn.imm, index)
    return [numbers.local, handle, 0, (insn.imm + 1) * TEXT_WORDS]
  }
  const target = options.code.calls.get(index)
  return target ? [numbers[target.kind], options.routine(target), 0, 0] : [0, 0, 0, 0]
}

/** Words from a jump to its target; a target outside the program becomes the trapping instruction at its end. */
function distance(insn: Insn, row: OpcodeRow, index: number, { code }: TextOptions): number {
  const count = code.insns.length
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
