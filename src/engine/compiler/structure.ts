/**
 * From a reducible graph to nested blocks and loops (after Ramsey, "Beyond Relooper", 2022). A block is written where its
 * immediate dominator is:
 *
 *     block that several edges lead to (a merge):   block ... <dominator> ... br ... end  <merge>
 *     head of a loop:                                loop <head> ... br (back) ... end
 *     any other:                                     at the end of its only predecessor
 *
 * One addition: what a loop leaves to is written behind the loop and not inside it, though a block of the loop dominates it;
 * so that a loop of the code is a loop of the program and nothing else. The walk keeps its own stack: programs of a million
 * instructions nest deeply.
 */
import { type Block, successors } from './cfg.js'
import type { Dominance } from './dominators.js'

/** Where each block is written. */
export interface Layout {
  readonly blocks: readonly Block[]
  readonly place: Int32Array
  readonly isHead: Uint8Array
  /** Blocks that get a label of their own, by the block inside whose construct they stand, in order. */
  readonly merges: readonly (readonly number[])[]
  /** The same for those that stand behind the loop of which a block is the head. */
  readonly exits: readonly (readonly number[])[]
  readonly isLabelled: Uint8Array
}

/** Innermost loop of each block by its head, and of each head the loop around it; -1 for none. */
function loopsOf(blocks: readonly Block[], { order, place, predecessors }: Dominance): Int32Array[] {
  const innermost = new Int32Array(blocks.length).fill(-1)
  const around = new Int32Array(blocks.length).fill(-1)
  // Inner loops have later heads: going backwards, what already belongs to a loop stands for that whole loop.
  for (const head of [...order].reverse()) {
    const work = (predecessors[head] ?? []).filter((from) => (place[from] as number) >= (place[head] as number))
    if (work.length === 0) continue
    innermost[head] = head
    for (let block = work.pop(); block !== undefined; block = work.pop()) {
      if (innermost[block] === -1) {
        innermost[block] = head
        work.push(...(predecessors[block] ?? []))
        continue
      }
      let loop = innermost[block] as number
      while (loop !== head && around[loop] !== -1) loop = around[loop] as number
      if (loop === head) continue
      around[loop] = head
      work.push(...(predecessors[loop] ?? []))
    }
  }
  return [innermost, around]
}

/** Decides where each block is written. The graph must be reducible. */
export function layout(blocks: readonly Block[], found: Dominance): Layout {
  const { order, place, dominator, predecessors } = found
  const [innermost, around] = loopsOf(blocks, found) as [Int32Array, Int32Array]
  const isHead = new Uint8Array(blocks.length)
  const isLabelled = new Uint8Array(blocks.length)
  const merges: number[][] = blocks.map(() => [])
  const exits: number[][] = blocks.map(() => [])
  const isIn = (block: number, head: number): boolean => {
    let loop = innermost[block] as number
    while (loop !== -1 && loop !== head) loop = around[loop] as number
    return loop === head
  }
  for (const block of order.slice(1)) {
    const before = predecessors[block] ?? []
    const forward = before.filter((from) => (place[from] as number) < (place[block] as number))
    if (forward.length < before.length) isHead[block] = 1
    const parent = dominator[block] as number
    let left = -1
    for (let loop = innermost[parent] as number; loop !== -1 && !isIn(block, loop); loop = around[loop] as number) {
      left = loop
    }
    const switched = forward.some((from) => ['switch', 'table'].includes((blocks[from] as Block).end.kind))
    if (left === -1 && forward.length < 2 && !switched) continue
    isLabelled[block] = 1
    if (left !== -1) exits[left]?.push(block)
    else merges[parent]?.push(block)
  }
  return { blocks, place, isHead, merges, exits, isLabelled }
}

/** What the walk writes to. */
export interface Sink {
  block(): void
  loop(): void
  else(): void
  end(): void
  /** Jumps to the construct that was opened `depth` constructs ago, counted from the innermost. */
  br(depth: number): void
  brIf(depth: number): void
  /** Jumps by the selector of a dispatcher, or the register of a table: the last depth is for any other value. */
  brTable(block: number, depths: readonly number[]): void
  /** The instructions of a block, without its end. */
  body(block: number): void
  /** Leaves whether a conditional end jumps (or, negated, does not) on the stack. */
  condition(block: number, negated: boolean): void
  /** `if` on the condition on the stack. */
  if(): void
  /** An end that goes nowhere. */
  leave(block: number): void
}

type Task = { readonly do: 'place'; readonly block: number } | { readonly do: 'else' | 'end' }

/** Writes a function's blocks. */
export function writeStructured({ blocks, place, isHead, merges, exits, isLabelled }: Layout, sink: Sink): void {
  const blockLabel = new Int32Array(blocks.length)
  const loopLabel = new Int32Array(blocks.length)
  const work: Task[] = [{ do: 'place', block: 0 }]
  let depth = 0
  /** The depth to jump to, or -1 where the block is to be written here. */
  const label = (from: number, to: number): number => {
    if ((place[to] as number) <= (place[from] as number)) return depth - (loopLabel[to] as number)
    return isLabelled[to] ? depth - (blockLabel[to] as number) : -1
  }
  const openAll = (list: readonly number[]): void => {
    for (const block of [...list].reverse()) {
      sink.block()
      blockLabel[block] = ++depth
    }
  }
  /** The last of these tasks is done first. */
  const closeAll = (list: readonly number[]): void => {
    for (const block of [...list].reverse()) work.push({ do: 'place', block }, { do: 'end' })
  }
  const go = (from: number, to: number): void => {
    const found = label(from, to)
    if (found < 0) work.push({ do: 'place', block: to })
    else sink.br(found)
  }
  const branch = (from: number, taken: number, otherwise: number): void => {
    const [yes, no] = [label(from, taken), label(from, otherwise)]
    sink.condition(from, yes < 0 && no >= 0)
    if (yes >= 0) {
      sink.brIf(yes)
      go(from, otherwise)
    } else if (no >= 0) {
      sink.brIf(no)
      go(from, taken)
    } else {
      sink.if()
      depth++
      work.push({ do: 'end' }, { do: 'place', block: otherwise }, { do: 'else' }, { do: 'place', block: taken })
    }
  }
  const write = (block: number): void => {
    openAll(exits[block] ?? [])
    closeAll(exits[block] ?? [])
    if (isHead[block]) {
      sink.loop()
      loopLabel[block] = ++depth
      work.push({ do: 'end' })
    }
    openAll(merges[block] ?? [])
    closeAll(merges[block] ?? [])
    sink.body(block)
    const { end } = blocks[block] as Block
    if (end.kind === 'goto') go(block, end.to)
    else if (end.kind === 'if') branch(block, end.taken, end.otherwise)
    else if (end.kind === 'switch' || end.kind === 'table') {
      sink.brTable(
        block,
        successors(end).map((to) => label(block, to)),
      )
    } else sink.leave(block)
  }
  for (let task = work.pop(); task; task = work.pop()) {
    if (task.do === 'place') write(task.block)
    else if (task.do === 'else') sink.else()
    else {
      sink.end()
      depth--
    }
  }
}
