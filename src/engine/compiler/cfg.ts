/**
 * Control-flow graphs: the instructions that a function can reach, cut into basic blocks. A function is what can be reached
 * from its first instruction, so that two functions may share instructions (unverified programs do).
 *
 * What the interpreter traps on when it gets there (an unknown opcode, the second slot of a 64-bit load, the end of the
 * program) is a block that traps: it costs nothing where it is never reached.
 */
import { type Insn, isWide, type OpcodeRow, opcode, pseudoLoad } from '../../isa/index.js'

/** One instruction of a graph. */
export interface Op {
  /** Index of the instruction in the program. */
  readonly at: number
  /** Number of the instruction in its graph, dense. */
  readonly pos: number
  readonly insn: Insn
  readonly row: OpcodeRow
  /** What a 64-bit load loads; a function's handle for BPF_PSEUDO_FUNC. */
  readonly value: bigint
}

/** How a block ends. Targets are block ids. */
export type End =
  | { readonly kind: 'goto'; to: number }
  /** A conditional jump, or may_goto. */
  | { readonly kind: 'if'; readonly op: Op; taken: number; otherwise: number }
  /** Of a dispatcher: goes to `to[selector]`. */
  | { readonly kind: 'switch'; readonly selector: number; readonly to: number[] }
  /** Goes to `to[value of the register that op compares]`, 32 bits wide; any larger value to `otherwise`. */
  | { readonly kind: 'table'; readonly op: Op; readonly to: number[]; otherwise: number }
  | { readonly kind: 'exit'; readonly op: Op }
  /** `reason` is a number of `trapReasons`. */
  | { readonly kind: 'trap'; readonly at: number; readonly reason: number }

/** A basic block; its id is its place in the list of blocks. */
export interface Block {
  readonly ops: readonly Op[]
  readonly end: End
  /** A stub on the way to a dispatcher: which target the dispatcher is to take. */
  readonly select?: { readonly selector: number; readonly value: number }
}

/** A function's graph. Block 0 is empty and goes to the first instruction: nothing jumps to it. */
export interface Graph {
  readonly blocks: Block[]
  /** Instructions, so that `Op.pos` < opCount. */
  readonly opCount: number
}

/** Reason of a trap: there is no such instruction. */
const BAD_OPCODE = 2

/** Targets of a block's end, in order; a dispatcher's may repeat. */
export function successors(end: End): readonly number[] {
  if (end.kind === 'goto') return [end.to]
  if (end.kind === 'if') return [end.taken, end.otherwise]
  if (end.kind === 'table') return [...end.to, end.otherwise]
  return end.kind === 'switch' ? end.to : []
}

/** What a program's instruction is to a graph. */
interface Slot {
  readonly row: OpcodeRow
  readonly next: number
  /** Where it jumps; -1 where it does not. */
  readonly target: number
}

/** What a graph is made from. */
export interface GraphSource {
  readonly insns: readonly Insn[]
  /** Value of a pointer to the function that starts at an instruction. */
  handle(start: number): bigint
  /** Whether the call at an instruction has a target; without one it traps. */
  isCallable(at: number): boolean
}

/** Reads an instruction; `undefined` where executing it traps. */
function slotAt({ insns, isCallable }: GraphSource, at: number): Slot | undefined {
  const insn = insns[at]
  const row = insn && opcode(insn)
  if (!insn || !row || insn.dst > 10 || (insn.src > 10 && !row.reserved.includes('src'))) return undefined
  if (row.op === 'call' && !isCallable(at)) return undefined
  if (isWide(insn) && at + 1 >= insns.length) return undefined
  if (writesFramePointer(insn, row)) return undefined
  const distance = row.op === 'gotol' ? insn.imm : insn.off
  const jumps = row.kind === 'if' || row.kind === 'goto'
  const target = jumps ? at + 1 + distance : -1
  const outside = target < 0 || target >= insns.length
  return { row, next: at + (isWide(insn) ? 2 : 1), target: jumps && outside ? insns.length : target }
}

/** R10 is read-only: the verifier refuses what writes it, and compiled code has no place for it. */
function writesFramePointer(insn: Insn, row: OpcodeRow): boolean {
  const writes = ['alu', 'end', 'load', 'imm64'].includes(row.kind) || row.op === 'load_acquire'
  const fetches = row.op.startsWith('atomic_fetch') || row.op === 'atomic_xchg'
  return (writes && insn.dst === 10) || (fetches && insn.src === 10)
}

/** Instructions that begin a block: the first, targets of jumps, and what follows a jump. */
function findLeaders(source: GraphSource, start: number): Set<number> {
  const leaders = new Set([start])
  const work = [start]
  const seen = new Set<number>()
  for (let at = work.pop(); at !== undefined; at = work.pop()) {
    for (let slot: Slot | undefined; !seen.has(at); at = slot.next) {
      seen.add(at)
      slot = slotAt(source, at)
      if (!slot || slot.row.kind === 'exit') break
      if (slot.target < 0) continue
      const always = slot.row.op === 'ja' || slot.row.op === 'gotol'
      for (const leader of always ? [slot.target] : [slot.target, slot.next]) {
        leaders.add(leader)
        work.push(leader)
      }
      break
    }
  }
  return leaders
}

/** The graph of the function that starts at an instruction. */
export function buildGraph(source: GraphSource, start: number): Graph {
  const leaders = [...findLeaders(source, start)].sort((a, b) => a - b)
  const ids = new Map(leaders.map((leader, index) => [leader, index + 1]))
  const idOf = (at: number): number => ids.get(at) ?? 0
  const blocks: Block[] = [{ ops: [], end: { kind: 'goto', to: idOf(start) } }]
  let pos = 0
  const makeOp = (at: number, row: OpcodeRow): Op => {
    const insn = source.insns[at] as Insn
    return { at, pos: pos++, insn, row, value: row.kind === 'imm64' ? wideValue(source, at, insn) : 0n }
  }
  for (const leader of leaders) {
    const ops: Op[] = []
    let end: End | undefined
    for (let at = leader; !end; ) {
      const slot = slotAt(source, at)
      if (!slot) {
        end = { kind: 'trap', at, reason: BAD_OPCODE }
        break
      }
      const { row, next, target } = slot
      if (row.kind === 'exit') end = { kind: 'exit', op: makeOp(at, row) }
      else if (row.op === 'ja' || row.op === 'gotol') end = { kind: 'goto', to: idOf(target) }
      else if (target >= 0 && target === next) end = { kind: 'goto', to: idOf(next) }
      else if (target >= 0) end = { kind: 'if', op: makeOp(at, row), taken: idOf(target), otherwise: idOf(next) }
      else {
        ops.push(makeOp(at, row))
        at = next
        if (ids.has(next)) end = { kind: 'goto', to: idOf(next) }
      }
    }
    blocks.push({ ops, end })
  }
  return { blocks, opCount: pos }
}

function wideValue(source: GraphSource, at: number, insn: Insn): bigint {
  if (insn.src === pseudoLoad.func) return source.handle(at + 1 + insn.imm)
  const upper = source.insns[at + 1]?.imm ?? 0
  return (BigInt(upper >>> 0) << 32n) | BigInt(insn.imm >>> 0)
}
