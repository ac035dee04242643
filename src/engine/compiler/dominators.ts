/**
 * Order and dominance in a graph of blocks. Reverse postorder puts every block before its successors, but for edges back to
 * the head of a loop; a block dominates another if every way from the entry to the other leads through it. Immediate
 * dominators are found by iteration over the order (Cooper, Harvey and Kennedy), which takes two or three rounds in practice.
 */
import { type Block, successors } from './cfg.js'

/** The blocks that can be reached, in order, and who dominates whom. */
export interface Dominance {
  /** Reverse postorder; the entry (block 0) first. */
  readonly order: readonly number[]
  /** Place of a block in the order; -1 where it cannot be reached. */
  readonly place: Int32Array
  /** Immediate dominator of a block; the entry is its own. */
  readonly dominator: Int32Array
  /** Predecessors that can be reached, without repetition. */
  readonly predecessors: readonly (readonly number[])[]
}

/** Blocks in reverse postorder of a depth-first walk. */
function reversePostorder(blocks: readonly Block[]): number[] {
  const order: number[] = []
  const seen = new Uint8Array(blocks.length)
  const stack: { block: number; next: readonly number[]; index: number }[] = []
  const visit = (block: number): void => {
    seen[block] = 1
    stack.push({ block, next: successors((blocks[block] as Block).end), index: 0 })
  }
  visit(0)
  for (let top = stack.at(-1); top; top = stack.at(-1)) {
    const next = top.next[top.index++]
    if (next === undefined) {
      order.push(top.block)
      stack.pop()
    } else if (!seen[next]) visit(next)
  }
  return order.reverse()
}

/** Computes order, predecessors and immediate dominators. */
export function dominance(blocks: readonly Block[]): Dominance {
  const order = reversePostorder(blocks)
  const place = new Int32Array(blocks.length).fill(-1)
  order.forEach((block, index) => {
    place[block] = index
  })
  const predecessors: number[][] = blocks.map(() => [])
  for (const block of order) {
    for (const next of new Set(successors((blocks[block] as Block).end))) predecessors[next]?.push(block)
  }
  const dominator = new Int32Array(blocks.length).fill(-1)
  dominator[0] = 0
  const common = (a: number, b: number): number => {
    let [x, y] = [a, b]
    while (x !== y) {
      while ((place[x] as number) > (place[y] as number)) x = dominator[x] as number
      while ((place[y] as number) > (place[x] as number)) y = dominator[y] as number
    }
    return x
  }
  for (let changed = true; changed; ) {
    changed = false
    for (const block of order.slice(1)) {
      let best = -1
      for (const before of predecessors[block] ?? []) {
        if (dominator[before] !== -1) best = best < 0 ? before : common(before, best)
      }
      if (dominator[block] === best) continue
      dominator[block] = best
      changed = true
    }
  }
  return { order, place, dominator, predecessors }
}

/** Whether `a` dominates `b`. */
export function dominates({ place, dominator }: Dominance, a: number, b: number): boolean {
  let x = b
  while ((place[x] as number) > (place[a] as number)) x = dominator[x] as number
  return x === a
}

/** Whether every edge back in the order leads to a block that dominates its source: loops have one way in. */
export function isReducible(blocks: readonly Block[], found: Dominance): boolean {
  return found.order.every((block) =>
    successors((blocks[block] as Block).end).every(
      (next) => (found.place[next] as number) > (found.place[block] as number) || dominates(found, next, block),
    ),
  )
}
