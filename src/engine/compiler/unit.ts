/**
 * A function made ready for emission: its graph, layout, webs and types. Functions are analysed callees first, so that a call
 * knows which arguments its callee reads, how many bits of each, and what it returns. Where functions call each other in a
 * circle (unverified programs do) all arguments count as read in full.
 */
import { BpfError } from '../../bits/index.js'
import { pseudoCall } from '../../isa/index.js'
import { isLeaf, type Leaf, leaves } from '../../runtime/leaf.js'
import type { CallTarget, Code } from '../engine.js'
import { buildGraph, type Graph, type GraphSource, type Op } from './cfg.js'
import { dominance, isReducible } from './dominators.js'
import { makeReducible } from './irreducible.js'
import { type Layout, layout } from './structure.js'
import { addTables } from './switches.js'
import { findTypes, type Types } from './types.js'
import { findWebs, liveAtEntry, type Webs } from './webs.js'

/** What a call instruction calls. */
export type Callee =
  | { readonly kind: 'local'; readonly start: number }
  | { readonly kind: 'leaf'; readonly name: string; readonly leaf: Leaf }
  | { readonly kind: 'loop' }
  | { readonly kind: 'host'; readonly id: number }
  | { readonly kind: 'register' }

/** An analysed function. */
export interface Unit {
  readonly name: string
  readonly start: number
  readonly graph: Graph
  readonly layout: Layout
  readonly webs: Webs
  readonly types: Types
  /** Those of R1 to R5 that it reads before it writes them, in order. */
  readonly params: readonly number[]
  /** Whether the upper half of its result is always zero. */
  readonly returnsZero: boolean
  /** First instructions of the functions that it calls directly, or hands to bpf_loop. */
  readonly callees: readonly number[]
  /** Instructions, callees not counted. */
  readonly size: number
}

/** A program's functions. */
export interface Units {
  readonly code: Code
  readonly byStart: ReadonlyMap<number, Unit>
  /** Functions that are part of a circle of calls. */
  readonly recursive: ReadonlySet<number>
  /** Functions whose address the program takes. */
  readonly taken: ReadonlySet<number>
  callee(op: Op): Callee
}

/** Registers R1 to R5 of every leaf parameter that comes from a register, in order. */
function leafRegisters({ params }: Leaf): ('ptr' | 'u32' | 'u64' | 'flags')[] {
  return params.flatMap((param) => (param === 'task' || param === 'cpu' || param === 'prog' ? [] : [param]))
}

const firstArgs = (count: number): number => ((1 << count) - 1) << 1
const ALL_ARGS = firstArgs(5)

/** Finds what a call instruction calls, by the targets decided at load. */
function calleeOf(op: Op, targets: ReadonlyMap<number, CallTarget>): Callee {
  const { insn, row, at } = op
  if (row.op === 'callx') return { kind: 'register' }
  if (insn.src === pseudoCall.local) return { kind: 'local', start: at + 1 + insn.imm }
  const target = targets.get(at)
  if (target?.kind === 'host') return { kind: 'host', id: target.id }
  if (target?.kind === 'control' && target.name === 'bpf_loop') return { kind: 'loop' }
  if (target?.kind === 'leaf' && isLeaf(target.name)) {
    return { kind: 'leaf', name: target.name, leaf: leaves[target.name] }
  }
  throw new BpfError('unknown-routine', `there is no ${target?.kind} routine ${target?.name}`)
}

/** Functions that can reach themselves through calls. */
function findRecursive(calls: ReadonlyMap<number, readonly number[]>): Set<number> {
  const recursive = new Set<number>()
  for (const start of calls.keys()) {
    const seen = new Set<number>()
    const work = [...(calls.get(start) ?? [])]
    for (let next = work.pop(); next !== undefined; next = work.pop()) {
      if (next === start) recursive.add(start)
      if (seen.has(next)) continue
      seen.add(next)
      work.push(...(calls.get(next) ?? []))
    }
  }
  return recursive
}

/** Callees before their callers, as far as that goes. */
function calleesFirst(calls: ReadonlyMap<number, readonly number[]>): number[] {
  const order: number[] = []
  const seen = new Set<number>()
  for (const root of calls.keys()) {
    const stack: { start: number; index: number }[] = []
    const visit = (start: number): void => {
      if (seen.has(start)) return
      seen.add(start)
      stack.push({ start, index: 0 })
    }
    visit(root)
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const next = calls.get(top.start)?.[top.index++]
      if (next !== undefined) visit(next)
      else {
        order.push(top.start)
        stack.pop()
      }
    }
  }
  return order
}

/** Analyses a program. `handle` gives the address of a function's descriptor; it throws where there is none. */
export function analyse(code: Code, handle: (start: number) => number): Units {
  const taken = new Set<number>()
  const source: GraphSource = {
    insns: code.insns,
    handle(start) {
      taken.add(start)
      return BigInt(handle(start))
    },
    isCallable: (at) => code.insns[at]?.src === pseudoCall.local || code.calls.has(at),
  }
  const graphs = new Map<number, Graph>()
  const calls = new Map<number, number[]>()
  const callee = (op: Op): Callee => calleeOf(op, code.calls)
  const starts = code.functions.map(({ start }) => start)
  for (const start of starts) {
    if (graphs.has(start)) continue
    const graph = addTables(buildGraph(source, start))
    graphs.set(start, graph)
    const called: number[] = []
    for (const { ops } of graph.blocks) {
      for (const op of ops) {
        const to = op.row.kind === 'call' ? callee(op) : undefined
        if (to?.kind === 'local') {
          handle(to.start)
          called.push(to.start)
        }
        if (op.row.kind === 'imm64' && op.insn.src === 4) called.push(op.at + 1 + op.insn.imm)
      }
    }
    calls.set(start, called)
  }
  const recursive = findRecursive(calls)
  const byStart = new Map<number, Unit>()
  const names = new Map(code.functions.map(({ name, start }) => [start, name]))
  for (const start of calleesFirst(calls)) {
    const graph = graphs.get(start)
    if (!graph) continue
    byStart.set(start, analyseUnit(names.get(start) ?? '', start, graph, calls.get(start) ?? [], byStart, callee))
  }
  return { code, byStart, recursive, taken, callee }
}

function analyseUnit(
  name: string,
  start: number,
  graph: Graph,
  callees: readonly number[],
  known: ReadonlyMap<number, Unit>,
  callee: (op: Op) => Callee,
): Unit {
  let found = dominance(graph.blocks)
  if (!isReducible(graph.blocks, found)) {
    makeReducible(graph)
    found = dominance(graph.blocks)
  }
  const callOps = new Map<number, Op>()
  for (const { ops } of graph.blocks) for (const op of ops) if (op.row.kind === 'call') callOps.set(op.pos, op)
  const argsOf = (pos: number): number => {
    const op = callOps.get(pos)
    const to = op && callee(op)
    if (to?.kind === 'local') {
      return known.get(to.start)?.params.reduce((bits, register) => bits | (1 << register), 0) ?? ALL_ARGS
    }
    if (to?.kind === 'leaf') return firstArgs(leafRegisters(to.leaf).length)
    return to?.kind === 'loop' ? firstArgs(4) : ALL_ARGS
  }
  const live = liveAtEntry(graph, found, argsOf)
  const webs = findWebs(graph, found, argsOf)
  const types = findTypes(graph, found, webs, {
    demand(op, register) {
      const to = callee(op)
      if (to.kind === 'local') {
        const unit = known.get(to.start)
        const web = unit?.webs.params[register] ?? -1
        return unit && web >= 0 ? (unit.types.demand[web] as number) : 64
      }
      if (to.kind !== 'leaf') return to.kind === 'loop' && register === 1 ? 32 : 64
      const param = leafRegisters(to.leaf)[register - 1]
      return param === 'ptr' || param === 'u32' ? 32 : 64
    },
    zero(op) {
      const to = callee(op)
      if (to.kind === 'local') return known.get(to.start)?.returnsZero ?? false
      return to.kind === 'leaf' && ['u32', 'ptr', 'void'].includes(to.leaf.result)
    },
  })
  const exits = graph.blocks.flatMap(({ end }) => (end.kind === 'exit' ? [webs.r0[end.op.pos] as number] : []))
  return {
    name,
    start,
    graph,
    layout: layout(graph.blocks, found),
    webs,
    types,
    params: [1, 2, 3, 4, 5].filter((register) => (live >> register) & 1),
    returnsZero: exits.every((web) => web < 0 || types.zero[web] === 1),
    callees,
    size: graph.opCount,
  }
}
