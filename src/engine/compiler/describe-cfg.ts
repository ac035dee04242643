/**
 * What the first passes made of a program, as text: the blocks of each function with their instructions, where each goes, what
 * dominates it, which loops there are, and how each register's webs are held. `dump cfg` prints it.
 */
import { disassembleInsn, type Insn } from '../../isa/index.js'
import type { Code } from '../engine.js'
import { type Block, type End, type Op, successors } from './cfg.js'
import { dominance } from './dominators.js'
import { analyse, type Unit } from './unit.js'

/** How a block ends, in words. */
function endText(end: End, insns: readonly Insn[]): string {
  if (end.kind === 'goto') return `goto ${end.to}`
  if (end.kind === 'if') return `${end.taken} if ${conditionText(end.op, insns)}, else ${end.otherwise}`
  if (end.kind === 'switch') return `one of ${end.to.join(', ')} by selector ${end.selector}`
  if (end.kind === 'table') return `one of ${end.to.join(', ')} by r${end.op.insn.dst}, else ${end.otherwise}`
  return end.kind === 'exit' ? 'exit' : `trap at instruction ${end.at}`
}

/** The condition of a jump, without its target. */
function conditionText({ at, row }: Op, insns: readonly Insn[]): string {
  if (row.op === 'may_goto') return 'may_goto is exhausted'
  return disassembleInsn(insns, at).replace(/^\(..\) if | goto .*$/g, '')
}

/** Registers with the types of their webs in a function: `r3: i32 i64`. */
function webText({ webs, types, graph }: Unit): string {
  const held = new Map<number, Set<number>>()
  const note = (register: number, web: number): void => {
    if (web >= 0) held.set(register, (held.get(register) ?? new Set()).add(web))
  }
  for (const { ops } of graph.blocks) {
    for (const { insn, pos } of ops) {
      note(insn.dst, webs.dst[pos] as number)
      note(insn.src, webs.src[pos] as number)
    }
  }
  return [...held]
    .sort(([a], [b]) => a - b)
    .map(([register, all]) => `r${register}: ${[...all].map((web) => (types.narrow[web] ? 'i32' : 'i64')).join(' ')}`)
    .join(', ')
}

function blockText(unit: Unit, id: number, dominator: number, insns: readonly Insn[]): string[] {
  const block = unit.graph.blocks[id] as Block
  const { isHead, isLabelled } = unit.layout
  const marks = [
    ...(isHead[id] ? ['loop'] : []),
    ...(isLabelled[id] ? ['label'] : []),
    ...(block.select ? [`selector ${block.select.selector} = ${block.select.value}`] : []),
  ]
  const head = `  block ${id}${marks.length > 0 ? ` (${marks.join(', ')})` : ''}, dominated by ${dominator}`
  const ops = block.ops.map((op) => `    ${String(op.at).padStart(5)}: ${disassembleInsn(insns, op.at)}`)
  return [head, ...ops, `    -> ${endText(block.end, insns)}`]
}

function units(code: Code): Unit[] {
  // Handles matter to nobody here: any distinct numbers will do.
  return [...analyse(code, (start) => start + 1).byStart.values()].sort((a, b) => a.start - b.start)
}

/** The control-flow graphs of a program's functions as text. Throws `BpfError` as `prepare` does. */
export function describeCfg(code: Code): string {
  const lines = units(code).flatMap((unit) => {
    const { blocks } = unit.graph
    const { order, dominator } = dominance(blocks)
    const params = unit.params.map((register) => `r${register}`).join(', ')
    return [
      `${unit.name}(${params}), instruction ${unit.start}, ${unit.size} instructions, ${order.length} blocks`,
      ...order.flatMap((id) => blockText(unit, id, dominator[id] as number, code.insns)),
      `  webs ${webText(unit)}`,
      '',
    ]
  })
  return lines.join('\n')
}

/** The same graphs in the language of Graphviz, one cluster a function. */
export function cfgToDot(code: Code): string {
  const quote = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}\\l"`
  const clusters = units(code).map((unit, index) => {
    const { blocks } = unit.graph
    const { order } = dominance(blocks)
    const node = (id: number): string => `f${index}b${id}`
    const lines = order.flatMap((id) => {
      const block = blocks[id] as Block
      const text = [
        ...block.ops.map((op) => `${op.at}: ${disassembleInsn(code.insns, op.at)}`),
        endText(block.end, code.insns),
      ].join('\\l')
      return [
        `    ${node(id)} [label=${quote(text).replaceAll('\\\\l', '\\l')}]`,
        ...successors(block.end).map((to) => `    ${node(id)} -> ${node(to)}`),
      ]
    })
    return [`  subgraph cluster${index} {`, `    label=${quote(unit.name)}`, ...lines, '  }'].join('\n')
  })
  return ['digraph program {', '  node [shape=box, fontname=monospace]', ...clusters, '}', ''].join('\n')
}
