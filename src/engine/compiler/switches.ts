/**
 * eBPF has no jump table, so compilers write a `switch` as a tree of comparisons of one register with constants. Such a tree is
 * walked once for every small value, and a table of where each ends goes in front of it; any other value still takes the tree.
 * Nothing needs to be known about the register, and the tree stays what it was.
 */
import type { Block, End, Graph, Op } from './cfg.js'

/** Largest value that a table has a place for, and fewest comparisons that make one worth while. */
const LARGEST = 63
const FEWEST = 5

type Test = (value: number, imm: number) => boolean

/** Comparisons of a register with a constant, for a register that holds a small number. */
const tests: Readonly<Record<string, Test>> = {
  jeq: (value, imm) => value === imm,
  jne: (value, imm) => value !== imm,
  jgt: (value, imm) => value > imm >>> 0,
  jge: (value, imm) => value >= imm >>> 0,
  jlt: (value, imm) => value < imm >>> 0,
  jle: (value, imm) => value <= imm >>> 0,
  jsgt: (value, imm) => value > imm,
  jsge: (value, imm) => value >= imm,
  jslt: (value, imm) => value < imm,
  jsle: (value, imm) => value <= imm,
}

/** The comparison with which a block ends, if it is one of 32 bits with a constant. */
function comparisonOf({ end }: Block): Extract<End, { kind: 'if' }> | undefined {
  if (end.kind !== 'if') return undefined
  const { row } = end.op
  return row.width === 32 && row.source === 'imm' && tests[row.op] ? end : undefined
}

/** The tree below a block: comparisons of the same register in blocks that do nothing else. */
function treeBelow(blocks: readonly Block[], root: number, register: number): Set<number> {
  const tree = new Set([root])
  for (const id of tree) {
    const end = comparisonOf(blocks[id] as Block)
    for (const next of end ? [end.taken, end.otherwise] : []) {
      const block = blocks[next] as Block
      if (block.ops.length === 0 && !block.select && comparisonOf(block)?.op.insn.dst === register) tree.add(next)
    }
  }
  return tree
}

/** Where a small value leaves the tree; -1 where it goes round in it. */
function leafOf(blocks: readonly Block[], tree: ReadonlySet<number>, root: number, value: number): number {
  let id = root
  for (let steps = 0; tree.has(id); steps++) {
    const end = comparisonOf(blocks[id] as Block)
    if (!end || steps > tree.size) return -1
    id = tests[end.op.row.op]?.(value, end.op.insn.imm) ? end.taken : end.otherwise
  }
  return id
}

/** Puts tables in front of the trees of a graph. Returns the graph with room for the instructions that it added. */
export function addTables({ blocks, opCount }: Graph): Graph {
  const inTrees = new Set<number>()
  const original = blocks.length
  let count = opCount
  for (let root = 0; root < original; root++) {
    const block = blocks[root] as Block
    const end = inTrees.has(root) ? undefined : comparisonOf(block)
    if (!end) continue
    const tree = treeBelow(blocks, root, end.op.insn.dst)
    if (tree.size < FEWEST) continue
    const constants = [...tree].map((id) => comparisonOf(blocks[id] as Block)?.op.insn.imm ?? 0)
    const largest = Math.max(...constants.filter((imm) => imm >= 0 && imm <= LARGEST))
    const to = Array.from({ length: Math.max(0, largest + 2) }, (_, value) => leafOf(blocks, tree, root, value))
    if (to.includes(-1) || new Set(to).size < FEWEST) continue
    for (const id of tree) inTrees.add(id)
    const otherwise = blocks.push({ ops: [], end }) - 1
    const op: Op = { ...end.op, pos: count++ }
    blocks[root] = { ...block, end: { kind: 'table', op, to, otherwise } }
  }
  return { blocks, opCount: count }
}
