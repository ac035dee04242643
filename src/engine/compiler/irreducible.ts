/**
 * Loops with several ways in cannot be written with WebAssembly's `loop`. Such a region gets a dispatcher in front of it: every
 * edge into one of its entries first notes which (a stub sets the dispatcher's selector), then goes to the dispatcher, which
 * jumps there. The region has one way in then. What lies inside is looked at again without the way through the dispatcher,
 * so nested regions get dispatchers of their own, each with its own selector: an edge may pass through several.
 *
 * clang hardly ever makes such code; assembly and fuzzers do.
 */
import { type Block, type End, type Graph, successors } from './cfg.js'

/** Strongly connected components of the blocks in `inside`, each with more than one block or an edge to itself (Tarjan). */
function cycles(blocks: readonly Block[], inside: ReadonlySet<number>): number[][] {
  const found: number[][] = []
  const number = new Map<number, number>()
  const low = new Map<number, number>()
  const open: number[] = []
  const isOpen = new Set<number>()
  const lower = (block: number, to: number): void => {
    low.set(block, Math.min(low.get(block) ?? to, to))
  }
  for (const root of inside) {
    if (number.has(root)) continue
    const stack: { block: number; next: readonly number[]; index: number }[] = []
    const visit = (block: number): void => {
      number.set(block, number.size)
      lower(block, number.size - 1)
      open.push(block)
      isOpen.add(block)
      stack.push({ block, next: successors((blocks[block] as Block).end), index: 0 })
    }
    visit(root)
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const next = top.next[top.index++]
      if (next !== undefined) {
        if (!inside.has(next)) continue
        if (!number.has(next)) visit(next)
        else if (isOpen.has(next)) lower(top.block, number.get(next) ?? 0)
        continue
      }
      stack.pop()
      const { block } = top
      const own = low.get(block) ?? 0
      const parent = stack.at(-1)
      if (parent) lower(parent.block, own)
      if (own !== number.get(block)) continue
      const component: number[] = []
      for (let member = open.pop(); member !== undefined; member = member === block ? undefined : open.pop()) {
        isOpen.delete(member)
        component.push(member)
      }
      if (component.length > 1 || top.next.includes(block)) found.push(component)
    }
  }
  return found
}

/** Sends the edges of a block that go to `from` to `to` instead. */
function redirect(end: End, from: number, to: number): void {
  if (end.kind === 'goto') end.to = to
  else if (end.kind === 'if') {
    if (end.taken === from) end.taken = to
    if (end.otherwise === from) end.otherwise = to
  } else if (end.kind === 'switch' || end.kind === 'table') {
    if (end.kind === 'table' && end.otherwise === from) end.otherwise = to
    end.to.forEach((target, index) => {
      if (target === from) end.to[index] = to
    })
  }
}

/**
 * Puts a dispatcher in front of `entries` of the region `members`; returns its id. What comes from inside goes through stubs of its
 * own, which join the region: shared with what comes from outside they would be new ways in.
 */
function addDispatcher(blocks: Block[], members: Set<number>, entries: readonly number[], selector: number): number {
  const sources = [...blocks.keys()]
  const stubs: number[] = []
  entries.forEach((entry, value) => {
    for (const inside of [false, true]) {
      const from = sources.filter((id) => members.has(id) === inside && successors(endOf(blocks, id)).includes(entry))
      if (from.length === 0) continue
      const stub = blocks.push({ ops: [], end: { kind: 'goto', to: -1 }, select: { selector, value } }) - 1
      for (const id of from) redirect(endOf(blocks, id), entry, stub)
      stubs.push(stub)
      if (inside) members.add(stub)
    }
  })
  const dispatcher = blocks.push({ ops: [], end: { kind: 'switch', selector, to: [...entries] } }) - 1
  for (const stub of stubs) redirect(endOf(blocks, stub), -1, dispatcher)
  return dispatcher
}

const endOf = (blocks: readonly Block[], id: number): End => (blocks[id] as Block).end

/** Gives every loop of a graph one way in, adding blocks where needed. Returns the number of selectors used. */
export function makeReducible({ blocks }: Graph): number {
  let selectors = 0
  const work: ReadonlySet<number>[] = [new Set(blocks.keys())]
  for (let inside = work.pop(); inside; inside = work.pop()) {
    for (const cycle of cycles(blocks, inside)) {
      const members = new Set(cycle)
      const entries = new Set<number>()
      blocks.forEach((block, id) => {
        if (members.has(id)) return
        for (const next of successors(block.end)) if (members.has(next)) entries.add(next)
      })
      // Nothing leads to a cycle of blocks that are never reached.
      if (entries.size === 0) continue
      let [head = 0] = entries
      if (entries.size > 1) {
        const inOrder = [...entries].sort((a, b) => a - b)
        head = addDispatcher(blocks, members, inOrder, selectors++)
      }
      members.delete(head)
      work.push(members)
    }
  }
  return selectors
}
