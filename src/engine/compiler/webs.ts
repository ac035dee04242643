/**
 * Webs: what a program calls R3 is many unrelated variables. A web holds all writes of a register that can reach a common
 * read, and those reads; it is found by uniting, over the edges of the graph, what is live at their ends. Each web gets its
 * type of its own (`types.ts`); webs of one register are never live at once, so all of one type share one local.
 */
import { type Block, type Graph, successors } from './cfg.js'
import type { Dominance } from './dominators.js'
import { FRAME_POINTER, R0, readsDst, readsR0, readsSrc, writes } from './operands.js'

/** The web of each operand, by `Op.pos`; -1 where there is none. R10 has no web. */
export interface Webs {
  readonly count: number
  /** Read through `dst`, read through `src`, R0 read unnamed, written. */
  readonly dst: Int32Array
  readonly src: Int32Array
  readonly r0: Int32Array
  readonly def: Int32Array
  /** At a call: webs of R1 to R5, by register; -1 for registers that it does not read. */
  readonly args: ReadonlyMap<number, Int32Array>
  /** Webs that are live where the function begins, by register. */
  readonly params: Int32Array
}

const REGISTERS = 10

/** Registers R1 to R5 that a call reads, as bits. */
export type ArgsOf = (pos: number) => number

function* opsOf({ ops, end }: Block) {
  yield* ops
  if ('op' in end) yield end.op
}

/** Registers live at the start of each block, as bits. */
function liveness(graph: Graph, { order }: Dominance, argsOf: ArgsOf): Uint16Array {
  const { blocks } = graph
  const reads = new Uint16Array(blocks.length)
  const kills = new Uint16Array(blocks.length)
  for (const id of order) {
    let read = 0
    let killed = 0
    for (const op of opsOf(blocks[id] as Block)) {
      let now = op.row.kind === 'call' ? argsOf(op.pos) : 0
      for (const register of [readsDst(op), readsSrc(op)]) if (register >= 0) now |= 1 << register
      if (readsR0(op)) now |= 1 << R0
      read |= now & ~killed
      const written = writes(op)
      if (written >= 0) killed |= 1 << written
    }
    reads[id] = read & ~(1 << FRAME_POINTER)
    kills[id] = killed
  }
  const live = new Uint16Array(blocks.length)
  const backwards = [...order].reverse()
  for (let changed = true; changed; ) {
    changed = false
    for (const id of backwards) {
      let out = 0
      for (const next of successors((blocks[id] as Block).end)) out |= live[next] as number
      const now = (reads[id] as number) | (out & ~(kills[id] as number))
      if (now === live[id]) continue
      live[id] = now
      changed = true
    }
  }
  return live
}

/** Registers that hold something the function reads when it is entered, as bits. */
export function liveAtEntry(graph: Graph, found: Dominance, argsOf: ArgsOf): number {
  return liveness(graph, found, argsOf)[0] as number
}

/** Finds the webs of a function. */
export function findWebs(graph: Graph, found: Dominance, argsOf: ArgsOf): Webs {
  const { blocks, opCount } = graph
  const live = liveness(graph, found, argsOf)
  // Nodes: what each register holds at the start of each block, then what each instruction writes.
  const firstDef = blocks.length * REGISTERS
  const parent = Int32Array.from({ length: firstDef + opCount }, (_, node) => node)
  const find = (node: number): number => {
    let root = node
    while (parent[root] !== root) {
      parent[root] = parent[parent[root] as number] as number
      root = parent[root] as number
    }
    return root
  }
  const table = (): Int32Array => new Int32Array(opCount).fill(-1)
  const webs = { dst: table(), src: table(), r0: table(), def: table(), args: new Map<number, Int32Array>() }
  const holds = new Int32Array(REGISTERS)
  const read = (register: number): number =>
    register < 0 || register === FRAME_POINTER ? -1 : (holds[register] as number)
  for (const id of found.order) {
    const block = blocks[id] as Block
    for (let register = 0; register < REGISTERS; register++) holds[register] = id * REGISTERS + register
    for (const op of opsOf(block)) {
      const { pos } = op
      webs.dst[pos] = read(readsDst(op))
      webs.src[pos] = read(readsSrc(op))
      if (readsR0(op)) webs.r0[pos] = read(R0)
      if (op.row.kind === 'call') {
        const bits = argsOf(pos)
        webs.args.set(
          pos,
          Int32Array.from({ length: 6 }, (_, register) => ((bits >> register) & 1 ? read(register) : -1)),
        )
      }
      const written = writes(op)
      if (written < 0) continue
      holds[written] = firstDef + pos
      webs.def[pos] = firstDef + pos
    }
    for (const next of successors(block.end)) {
      for (let register = 0; register < REGISTERS; register++) {
        if (!(((live[next] as number) >> register) & 1)) continue
        parent[find(holds[register] as number)] = find(next * REGISTERS + register)
      }
    }
  }
  // Number the webs densely.
  const numbers = new Map<number, number>()
  const number = (node: number): number => {
    if (node < 0) return -1
    const root = find(node)
    const known = numbers.get(root)
    if (known !== undefined) return known
    numbers.set(root, numbers.size)
    return numbers.size - 1
  }
  for (const list of [webs.dst, webs.src, webs.r0, webs.def, ...webs.args.values()]) {
    for (let i = 0; i < list.length; i++) list[i] = number(list[i] as number)
  }
  const params = Int32Array.from({ length: REGISTERS }, (_, register) =>
    ((live[0] as number) >> register) & 1 ? number(register) : -1,
  )
  return { ...webs, params, count: numbers.size }
}
