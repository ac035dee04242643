import fc from 'fast-check'
import { expect, it } from 'vitest'
import { assemble } from '../../isa/index.js'
import { bareProgram } from '../bare.js'
import { type Block, buildGraph, type Graph, successors } from './cfg.js'
import { dominance, dominates, isReducible } from './dominators.js'
import { createCompiler } from './index.js'
import { makeReducible } from './irreducible.js'
import { layout, type Sink, writeStructured } from './structure.js'
import { addTables } from './switches.js'

function graphOf(text: string, start = 0): Graph {
  return buildGraph({ insns: assemble(text), handle: (at) => BigInt(at), isCallable: () => true }, start)
}

/** Where each block goes: `1>2,3`. */
const shape = ({ blocks }: Graph) => blocks.map(({ end }, id) => `${id}>${successors(end)}`).join(' ')

/** A graph of empty blocks; a block with two ways is a conditional jump. Block 0 goes to block 1. */
function abstractGraph(ways: readonly (readonly number[])[]): Graph {
  const [op] = graphOf('if r1 == 0 goto pc+1\nexit').blocks[1]?.end.kind === 'if' ? [conditionOp] : []
  if (!op) throw new Error('no condition')
  const blocks = ways.map((to, at): Block => {
    const [first, second] = to
    if (first === undefined) return { ops: [], end: { kind: 'trap', at, reason: 2 } }
    if (second === undefined || second === first) return { ops: [], end: { kind: 'goto', to: first } }
    return { ops: [], end: { kind: 'if', op, taken: first, otherwise: second } }
  })
  return { blocks: [{ ops: [], end: { kind: 'goto', to: 1 } }, ...blocks], opCount: 1 }
}
const conditionEnd = graphOf('if r1 == 0 goto pc+1\nexit\nexit').blocks[1]?.end
const conditionOp = conditionEnd?.kind === 'if' ? conditionEnd.op : undefined

/** Arbitrary graphs of up to 10 blocks, most of which go two ways. */
const anyGraph = fc.integer({ min: 2, max: 10 }).chain((count) => {
  const way = fc.integer({ min: 1, max: count })
  const ways = fc.oneof({ weight: 6, arbitrary: fc.tuple(way, way) }, fc.tuple(way), fc.constant([]))
  return fc.array(ways, { minLength: count, maxLength: count })
})

it('cuts at jumps and their targets, and leaves out what is never reached', () => {
  expect(shape(graphOf('r0 = 0\nif r1 == 0 goto b\ngoto c\nr9 = 1\nb: r0 = 1\nc: exit'))).toBe('0>1 1>3,2 2>4 3>4 4>')
})

it('a jump to the next instruction is none', () => {
  expect(shape(graphOf('if r1 == 0 goto pc+0\nexit'))).toBe('0>1 1>2 2>')
})

it('what the interpreter traps on is a block that traps', () => {
  const ends = (text: string) =>
    graphOf(text).blocks.map(({ end }) => (end.kind === 'trap' ? `trap ${end.at}` : end.kind))
  expect(ends('r0 = 1')).toEqual(['goto', 'trap 1'])
  expect(ends('goto pc+1\nr0 = 5 ll\nexit')).toEqual(['goto', 'goto', 'trap 2'])
  expect(ends('goto pc-5')).toEqual(['goto', 'goto', 'trap 1'])
  expect(ends('r10 = 1\nexit')).toEqual(['goto', 'trap 0'])
})

it('a 64-bit load has its value, a pointer to a function the handle', () => {
  const values = graphOf('r1 = 0x123456789abcdef0 ll\nr2 = subprog[f]\nexit\nf: exit').blocks[1]?.ops.map(
    ({ value }) => value,
  )
  expect(values).toEqual([0x123456789abcdef0n, 5n])
})

it('a block dominates another exactly where every way from the entry leads through it', () => {
  fc.assert(
    fc.property(anyGraph, (ways) => {
      const { blocks } = abstractGraph(ways)
      const found = dominance(blocks)
      const reachable = (without: number): Set<number> => {
        const seen = new Set<number>()
        const work = without === 0 ? [] : [0]
        for (let id = work.pop(); id !== undefined; id = work.pop()) {
          if (seen.has(id) || id === without) continue
          seen.add(id)
          work.push(...successors(blocks[id]?.end ?? { kind: 'trap', at: 0, reason: 2 }))
        }
        return seen
      }
      for (const a of found.order) {
        const rest = reachable(a)
        for (const b of found.order) expect(dominates(found, a, b)).toBe(!rest.has(b) || a === b)
      }
    }),
  )
})

/** Runs blocks for some steps: the blocks visited, but for stubs and dispatchers. `decide` answers conditions. */
function walk({ blocks }: Graph, real: number, decide: (step: number) => boolean): number[] {
  const trail: number[] = []
  const selectors = new Map<number, number>()
  let id = 0
  for (let step = 0, conditions = 0; step < 200; step++) {
    const block = blocks[id]
    if (!block) throw new Error(`there is no block ${id}`)
    if (id < real) trail.push(id)
    if (block.select) selectors.set(block.select.selector, block.select.value)
    const { end } = block
    if (end.kind === 'goto') id = end.to
    else if (end.kind === 'if') id = decide(conditions++) ? end.taken : end.otherwise
    else if (end.kind === 'switch') id = end.to[selectors.get(end.selector) ?? -1] ?? -1
    else break
  }
  return trail
}

const decisions = fc.array(fc.boolean(), { minLength: 16, maxLength: 16 })

it('dispatchers make every graph reducible and change no way through it', () => {
  let irreducible = 0
  fc.assert(
    fc.property(anyGraph, decisions, (ways, bits) => {
      const [before, after] = [abstractGraph(ways), abstractGraph(ways)]
      if (!isReducible(before.blocks, dominance(before.blocks))) irreducible++
      makeReducible(after)
      expect(isReducible(after.blocks, dominance(after.blocks))).toBe(true)
      const decide = (step: number): boolean => bits[step % bits.length] === true
      const [expected, given] = [walk(before, before.blocks.length, decide), walk(after, before.blocks.length, decide)]
      const length = Math.min(expected.length, given.length)
      expect(given.slice(0, length)).toEqual(expected.slice(0, length))
      expect(length).toBeGreaterThan(Math.min(expected.length, 30) - 1)
    }),
    { numRuns: 500 },
  )
  expect(irreducible).toBeGreaterThan(20)
})

/** A switch as clang writes it: R0 = 100 + case, or 1 for any other value. */
const switchText = `w0 = w1
  if w1 s> 3 goto upper
  if w1 == 0 goto a
  if w1 == 1 goto b
  if w1 == 3 goto c
  goto other
  upper: if w1 == 4 goto d
  if w1 == 7 goto e
  other: r0 = 1\nexit
  a: r0 = 100\nexit
  b: r0 = 101\nexit
  c: r0 = 103\nexit
  d: r0 = 104\nexit
  e: r0 = 107\nexit`

it('puts a table in front of a tree of comparisons, and any other value still takes the tree', () => {
  const tables = addTables(graphOf(switchText)).blocks.flatMap(({ end }) => (end.kind === 'table' ? [end] : []))
  expect(tables).toHaveLength(1)
  expect(tables[0]?.to).toHaveLength(9)
  const inputs = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 64, -1, -8, 0x7fffffff].map(
    (value) => [`w2 = ${value}\nw1 = w2`, value] as const,
  )
  for (const [set, value] of inputs) {
    const known = [0, 1, 3, 4, 7].includes(value)
    const program = bareProgram(assemble(`${set}\n${switchText}`), { engine: createCompiler })
    expect([value, program.run()]).toEqual([value, known ? BigInt(100 + value) : 1n])
  }
})

it('leaves few comparisons, comparisons of several registers and of 64 bits alone', () => {
  const count = (text: string) => addTables(graphOf(text)).blocks.filter(({ end }) => end.kind === 'table').length
  const chain = (test: (index: number) => string, length: number): string =>
    `${Array.from({ length }, (_, index) => `if ${test(index)} goto l${index}`).join('\n')}\nexit\n${Array.from({ length }, (_, index) => `l${index}: r0 = ${index}\nexit`).join('\n')}`
  expect(count(chain((index) => `w1 == ${index}`, 8))).toBe(1)
  expect(count(chain((index) => `w1 == ${index}`, 4))).toBe(0)
  expect(count(chain((index) => `w${1 + (index % 2)} == ${index}`, 8))).toBe(0)
  expect(count(chain((index) => `r1 == ${index}`, 8))).toBe(0)
  expect(count(chain((index) => `w1 == ${1000 + index}`, 8))).toBe(0)
})

it('a graph that needs no dispatcher gets none', () => {
  const graph = graphOf('a: r1 += 1\nb: if r1 > 5 goto b\nif r1 > 9 goto a\nexit')
  const count = graph.blocks.length
  expect([makeReducible(graph), graph.blocks.length]).toEqual([0, count])
})

type Construct = { readonly kind: 'block' | 'loop' | 'if'; readonly first: Node[]; readonly otherwise: Node[] }
type Node =
  | Construct
  | { readonly kind: 'body' | 'condition' | 'br' | 'brIf' | 'leave'; readonly value: number }
  | { readonly kind: 'brTable'; readonly selector: number; readonly depths: readonly number[] }

/** Collects what the walk writes as a tree. */
function treeOf({ blocks }: Graph): Node[] {
  const root: Node[] = []
  const open: { node: Construct; into: Node[] }[] = []
  const into = (): Node[] => open.at(-1)?.into ?? root
  const begin = (kind: 'block' | 'loop' | 'if') => () => {
    const node: Construct = { kind, first: [], otherwise: [] }
    into().push(node)
    open.push({ node, into: node.first })
  }
  const add = (kind: 'body' | 'br' | 'brIf' | 'leave') => (value: number) => void into().push({ kind, value })
  const sink: Sink = {
    block: begin('block'),
    loop: begin('loop'),
    if: begin('if'),
    else() {
      const top = open.at(-1)
      if (top) top.into = top.node.otherwise
    },
    end: () => void open.pop(),
    br: add('br'),
    brIf: add('brIf'),
    body: add('body'),
    leave: add('leave'),
    brTable(block, depths) {
      const end = blocks[block]?.end
      into().push({ kind: 'brTable', selector: end?.kind === 'switch' ? end.selector : -1, depths })
    },
    condition: (_, negated) => void into().push({ kind: 'condition', value: negated ? 1 : 0 }),
  }
  writeStructured(layout(blocks, dominance(blocks)), sink)
  expect(open).toEqual([])
  return root
}

/** Executes a tree as WebAssembly would: the blocks visited. */
function execute({ blocks }: Graph, tree: Node[], decide: (step: number) => boolean): number[] {
  const trail: number[] = []
  const selectors = new Map<number, number>()
  let conditions = 0
  let flag = false
  /** -1: fell out at the end; n: leaves n more constructs; Infinity: over. */
  const run = (nodes: readonly Node[]): number => {
    for (const node of nodes) {
      let left = -1
      if (node.kind === 'body') {
        if (trail.length >= 60) return Number.POSITIVE_INFINITY
        trail.push(node.value)
        const select = blocks[node.value]?.select
        if (select) selectors.set(select.selector, select.value)
      } else if (node.kind === 'condition') flag = decide(conditions++) !== (node.value === 1)
      else if (node.kind === 'br') left = node.value
      else if (node.kind === 'brIf') left = flag ? node.value : -1
      else if (node.kind === 'brTable') left = node.depths[selectors.get(node.selector) ?? 0] ?? 0
      else if (node.kind === 'leave') left = Number.POSITIVE_INFINITY
      else if (node.kind === 'if') left = run(flag ? node.first : node.otherwise) - 1
      else if (node.kind === 'block' || node.kind === 'loop') {
        do left = run(node.first)
        while (node.kind === 'loop' && left === 0)
        left -= 1
      }
      if (left >= 0) return left
    }
    return -1
  }
  run(tree)
  return trail
}

it('nested blocks and loops visit what the graph visits, in the same order', () => {
  fc.assert(
    fc.property(anyGraph, decisions, (ways, bits) => {
      const graph = abstractGraph(ways)
      makeReducible(graph)
      const decide = (step: number): boolean => bits[step % bits.length] === true
      const expected = walk(graph, graph.blocks.length, decide).slice(0, 60)
      expect(execute(graph, treeOf(graph), decide)).toEqual(expected)
    }),
    { numRuns: 500 },
  )
})

it('writes behind a loop what the loop leaves to', () => {
  const tree = treeOf(graphOf('a: r1 += 1\nif r1 == 5 goto out\nif r1 != 9 goto a\nr0 = 1\nexit\nout: r0 = 2\nexit'))
  const loops: Node[] = []
  const collect = (nodes: readonly Node[]): void => {
    for (const node of nodes) {
      if (!('first' in node)) continue
      if (node.kind === 'loop') loops.push(node)
      collect(node.first)
    }
  }
  collect(tree)
  expect(loops).toHaveLength(1)
  expect(JSON.stringify(loops)).not.toContain('leave')
})
