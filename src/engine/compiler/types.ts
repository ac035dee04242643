/**
 * i32 or i64: WebAssembly computes 32-bit results at no cost, and an address is an i32; eBPF's registers are 64 bits wide. A
 * web is held in an i32 where nobody looks at its upper half (how many bits are *demanded*), or where the upper half is
 * known to be zero. Two fixpoints over the instructions: demand grows from what reads, zero extension shrinks from what writes.
 */
import type { Block, Graph, Op } from './cfg.js'
import type { Dominance } from './dominators.js'
import { FRAME_POINTER } from './operands.js'
import type { Webs } from './webs.js'

/** What is known of each web. */
export interface Types {
  /** 1 where it is held in an i32. */
  readonly narrow: Uint8Array
  /** 1 where its upper half is always zero. */
  readonly zero: Uint8Array
  /** Most bits that are read: 0, 32 or 64. */
  readonly demand: Uint8Array
  /** The number that it always holds; `undefined` where it is not one number. */
  readonly constant: readonly (bigint | undefined)[]
  /** Where it always points in the function's own frame, relative to R10; `undefined` where that is not certain. */
  readonly frameOffset: readonly (number | undefined)[]
}

/** What calls ask of their arguments and say about their results. */
export interface CallTypes {
  /** Bits that the call reads of a register, 32 or 64. */
  demand(op: Op, register: number): number
  /** Whether the upper half of R0 is zero after it. */
  zero(op: Op): boolean
}

/** Operations whose lower 32 bits depend on the lower 32 bits of their operands only. */
const closed: readonly string[] = ['add', 'sub', 'mul', 'and', 'or', 'xor', 'neg', 'mov']

/** Whether a 64-bit operation can be computed on lower halves where no more is demanded. */
export function isClosed({ row, insn }: Op): boolean {
  return closed.includes(row.op) || (row.op === 'lsh' && row.source === 'imm' && (insn.imm & 63) < 32)
}

interface Lists {
  readonly webs: Webs
  readonly ops: readonly Op[]
  readonly calls: CallTypes
}

function allOps(blocks: readonly Block[], { order }: Dominance): Op[] {
  return order.flatMap((id) => {
    const { ops, end } = blocks[id] as Block
    return 'op' in end ? [...ops, end.op] : ops
  })
}

/** Bits that an instruction reads through `dst` and `src` when `demand` bits of its result are read. */
function operandDemand(op: Op, demand: number, zeroDst: boolean, zeroSrc: boolean): [dst: number, src: number] {
  const { row, insn } = op
  switch (row.kind) {
    case 'alu': {
      if (row.width === 32 || row.op === 'movsx' || row.op === 'addr_space_cast') return [32, 32]
      if (row.op === 'and') {
        const least = Math.min(demand, 32)
        const zeroOther = row.source === 'imm' ? insn.imm >= 0 : zeroSrc
        return [zeroOther ? least : demand, zeroDst ? least : demand]
      }
      if (row.op === 'lsh') return [row.source === 'imm' && (insn.imm & 63) >= 32 ? Math.min(demand, 32) : demand, 32]
      if (closed.includes(row.op)) return [demand, demand]
      return row.op === 'rsh' || row.op === 'arsh' ? [64, 32] : [64, 64]
    }
    case 'end':
      return row.size === 8 ? [row.op === 'le' ? demand : 64, 0] : [32, 0]
    case 'if':
      if (row.op === 'jset' && row.source === 'imm' && insn.imm >= 0) return [32, 32]
      return [row.width, row.width]
    case 'store':
      return [32, row.size === 8 ? 64 : 32]
    case 'atomic':
      return [32, row.op === 'load_acquire' || row.size < 8 ? 32 : 64]
    default:
      return [64, 32]
  }
}

function findDemand({ webs, ops, calls }: Lists, zero: Uint8Array): Uint8Array {
  const demand = new Uint8Array(webs.count)
  let changed = true
  const ask = (web: number, bits: number): void => {
    if (web < 0 || (demand[web] as number) >= bits) return
    demand[web] = bits
    changed = true
  }
  while (changed) {
    changed = false
    for (let i = ops.length - 1; i >= 0; i--) {
      const op = ops[i] as Op
      const { pos, row } = op
      const [dst, src, def] = [webs.dst[pos] as number, webs.src[pos] as number, webs.def[pos] as number]
      const [a, b] = operandDemand(op, def < 0 ? 0 : (demand[def] as number), zero[dst] === 1, zero[src] === 1)
      ask(dst, a)
      ask(src, b)
      ask(webs.r0[pos] as number, row.kind === 'exit' || row.size === 8 ? 64 : 32)
      webs.args.get(pos)?.forEach((web, register) => {
        ask(web, calls.demand(op, register))
      })
    }
  }
  return demand
}

/** Whether an instruction's result has a zero upper half, given that of its operands. */
function makesZero(op: Op, dst: boolean, src: boolean, calls: CallTypes): boolean {
  const { row, insn, value } = op
  const operand = row.source === 'imm' ? insn.imm >= 0 : src
  switch (row.kind) {
    case 'alu':
      if (row.width === 32 || row.op === 'addr_space_cast') return true
      if (row.op === 'mov') return operand
      if (row.op === 'and') return dst || operand
      if (row.op === 'or' || row.op === 'xor' || row.op === 'div') return dst && operand
      if (row.op === 'mod') return dst && operand
      if (row.op === 'rsh') return dst || (row.source === 'imm' && (insn.imm & 63) >= 32)
      return row.op === 'arsh' && dst
    case 'end':
      return row.size < 8 || (row.op === 'le' && dst)
    case 'load':
      return row.op === 'ldx' && row.size < 8
    case 'atomic':
      return row.size < 8
    case 'imm64':
      return value >> 32n === 0n
    case 'call':
      return row.op === 'call' && calls.zero(op)
    default:
      return row.kind === 'packet'
  }
}

function findZero({ webs, ops, calls }: Lists): Uint8Array {
  const zero = new Uint8Array(webs.count).fill(1)
  for (const web of webs.params) if (web >= 0) zero[web] = 0
  for (let changed = true; changed; ) {
    changed = false
    for (const op of ops) {
      const def = webs.def[op.pos] as number
      if (def < 0 || !zero[def]) continue
      const [dst, src] = [webs.dst[op.pos] as number, webs.src[op.pos] as number]
      if (makesZero(op, zero[dst] === 1, zero[src] === 1, calls)) continue
      zero[def] = 0
      changed = true
    }
  }
  return zero
}

/** Webs that one instruction writes and nothing else does. */
function writtenOnce({ webs, ops }: Lists): Uint8Array {
  const writers = new Uint32Array(webs.count)
  for (const web of webs.params) if (web >= 0) writers[web] = 1
  for (const { pos } of ops) {
    const def = webs.def[pos] as number
    if (def >= 0) (writers[def] as number)++
  }
  return Uint8Array.from(writers, (count) => (count === 1 ? 1 : 0))
}

/** Numbers, and places in the frame, that webs always hold; they go from web to web with copies and additions of a number. */
function findConstants(lists: Lists): Pick<Types, 'constant' | 'frameOffset'> {
  const { webs, ops } = lists
  const once = writtenOnce(lists)
  const constant: (bigint | undefined)[] = new Array(webs.count).fill(undefined)
  const frameOffset: (number | undefined)[] = new Array(webs.count).fill(undefined)
  for (const { pos, row, insn, value } of ops) {
    const def = webs.def[pos] as number
    if (def < 0 || !once[def]) continue
    if (row.kind === 'imm64') constant[def] = value
    else if (row.op === 'mov' && row.source === 'imm') {
      constant[def] = BigInt.asUintN(64, BigInt(row.width === 32 ? insn.imm >>> 0 : insn.imm))
    } else if (row.op === 'mov' && row.width === 64) {
      const src = webs.src[pos] as number
      frameOffset[def] = insn.src === FRAME_POINTER ? 0 : frameOffset[src]
      constant[def] = constant[src]
    } else if (row.op === 'add' && row.width === 64 && row.source === 'imm') {
      const base = frameOffset[webs.dst[pos] as number]
      if (base !== undefined) frameOffset[def] = base + insn.imm
    }
  }
  return { constant, frameOffset }
}

/** Webs with a write in 64-bit shifts: V8 finds its own patterns in them only where they stay i64. */
function findShifted({ webs, ops }: Lists): Uint8Array {
  const shifted = new Uint8Array(webs.count)
  for (const { pos, row } of ops) {
    const def = webs.def[pos] as number
    if (def >= 0 && row.width === 64 && ['lsh', 'rsh', 'arsh'].includes(row.op)) shifted[def] = 1
  }
  return shifted
}

/** Decides the type of every web of a function. */
export function findTypes({ blocks }: Graph, found: Dominance, webs: Webs, calls: CallTypes): Types {
  const lists = { webs, ops: allOps(blocks, found), calls }
  const zero = findZero(lists)
  const demand = findDemand(lists, zero)
  const shifted = findShifted(lists)
  const narrow = Uint8Array.from(zero, (isZero, web) =>
    (demand[web] as number) <= 32 || (isZero && !shifted[web]) ? 1 : 0,
  )
  return { narrow, zero, demand, ...findConstants(lists) }
}
