/**
 * The shape of a program before any value is looked at: which instruction follows which, what can be reached, and where
 * exploration compares states. Linux remembers states only at prune points (around branches, after calls) and records
 * where a path did not simply fall through (jump points), since walking a path backwards needs exactly that.
 */

import { isWide, pseudoCall, pseudoLoad } from '../../isa/index.js'
import type { Insn } from '../../isa/insn.js'
import type { ErrnoName } from '../../uapi/index.js'

/** Marks of one instruction. */
export const flowFlags = { prune: 1, jump: 2, checkpoint: 4, callsBack: 8 } as const

/** A program that the kernel refuses before it explores it. */
export interface FlowError {
  readonly errno: ErrnoName
  readonly message: string
  readonly insn: number
}

/** What is known about the calls of a program before they are checked. */
export interface CallTraits {
  /** The call binds an asynchronous callback (`bpf_timer_set_callback`, `bpf_wq_set_callback_impl`). */
  readonly async: (insn: Insn, index: number) => boolean
  /** The call runs a callback before it returns (`bpf_loop`). */
  readonly sync: (insn: Insn, index: number) => boolean
}

/** A call of a function of this program. */
export function isLocalCall(insn: Insn): boolean {
  return insn.code === 0x85 && insn.src === pseudoCall.local
}

/** A load of the address of a function of this program. */
export function isFuncLoad(insn: Insn): boolean {
  return isWide(insn) && insn.src === pseudoLoad.func
}

/** A jump (JMP or JMP32) that is neither a call nor an exit. */
export function isJump(insn: Insn): boolean {
  const kind = insn.code & 7
  const op = insn.code & 0xf0
  return (kind === 5 || kind === 6) && op !== 0x80 && op !== 0x90
}

/** Where a jump goes; `gotol` has its distance in `imm`. */
export function jumpTarget(insn: Insn, index: number): number {
  return index + 1 + (insn.code === 0x06 ? insn.imm : insn.off)
}

/** `ja` and `gotol`: a jump without a condition. */
export function isGoto(insn: Insn): boolean {
  return insn.code === 0x05 || insn.code === 0x06
}

/** The instructions that may come next within the same function, in the kernel's order: falling through first. */
export function successors(insns: readonly Insn[], index: number): number[] {
  const insn = insns[index]
  if (!insn || insn.code === 0x95) return []
  if (isGoto(insn)) return [jumpTarget(insn, index)]
  const next = index + (isWide(insn) ? 2 : 1)
  return isJump(insn) ? [next, jumpTarget(insn, index)] : [next]
}

/** Walks the whole program from its first instruction. Gives the flags of each instruction, or why it is refused. */
export function checkFlow(insns: readonly Insn[], traits: CallTraits): Uint8Array | FlowError {
  const flags = new Uint8Array(insns.length + 1)
  const seen = new Uint8Array(insns.length)
  const mark = (index: number, bits: number): void => {
    flags[index] = (flags[index] ?? 0) | bits
  }
  const work = [0]
  seen[0] = 1
  const visit = (index: number): void => {
    if (index >= insns.length || index < 0 || seen[index]) return
    seen[index] = 1
    work.push(index)
  }
  for (let at = work.pop(); at !== undefined; at = work.pop()) {
    const insn = insns[at]
    if (!insn || insn.code === 0x95) continue
    const next = at + (isWide(insn) ? 2 : 1)
    if (insn.code === 0x85 || isFuncLoad(insn)) {
      mark(next, flowFlags.prune | flowFlags.jump)
      visit(next)
      if (isLocalCall(insn) || isFuncLoad(insn)) {
        const callee = at + insn.imm + 1
        mark(at, flowFlags.prune)
        mark(callee, flowFlags.prune | flowFlags.jump)
        visit(callee)
      }
      if (traits.async(insn, at)) mark(at, flowFlags.prune)
      if (traits.sync(insn, at)) {
        mark(at, flowFlags.prune | flowFlags.jump | flowFlags.checkpoint | flowFlags.callsBack)
      }
    } else if (isGoto(insn)) {
      const target = jumpTarget(insn, at)
      mark(target, flowFlags.prune | flowFlags.jump)
      visit(target)
    } else if (isJump(insn)) {
      const target = jumpTarget(insn, at)
      mark(at, flowFlags.prune)
      if (insn.code === 0xe5) mark(at, flowFlags.checkpoint)
      mark(target, flowFlags.prune | flowFlags.jump)
      visit(next)
      visit(target)
    } else visit(next)
  }
  for (let i = 0; i < insns.length; i++) {
    const insn = insns[i]
    if (!seen[i]) return { errno: 'EINVAL', message: `unreachable insn ${i}`, insn: i }
    if (!insn || !isWide(insn)) continue
    if (seen[i + 1]) return { errno: 'EINVAL', message: `jump into the middle of ldimm64 insn ${i}`, insn: i }
    i++
  }
  return flags
}

/**
 * Every instruction of a function, each after what can follow it except around loops, in the order that Linux uses: all
 * successors are taken note of when an instruction is first seen, and the last noted is walked first.
 */
export function postorder(insns: readonly Insn[], start: number): number[] {
  const order: number[] = []
  const noted = new Set([start])
  const expanded = new Set<number>()
  const stack = [start]
  while (stack.length) {
    const top = stack[stack.length - 1] ?? 0
    if (expanded.has(top)) {
      order.push(top)
      stack.pop()
      continue
    }
    expanded.add(top)
    for (const next of successors(insns, top)) {
      if (next >= insns.length || noted.has(next)) continue
      noted.add(next)
      stack.push(next)
    }
  }
  return order
}

/**
 * Numbers of the loops (strongly connected components) that instructions belong to, 0 for none, in the order in which
 * Tarjan's algorithm completes them: the log of level 2 prints them.
 */
export function loops(insns: readonly Insn[]): Uint32Array {
  const component = new Uint32Array(insns.length)
  const order = new Int32Array(insns.length)
  const low = new Int32Array(insns.length)
  const open = new Uint8Array(insns.length)
  const pending: number[] = []
  let count = 0
  let clock = 0
  for (let root = 0; root < insns.length; root++) {
    if (order[root] || insns[root]?.code === 0) continue
    const walk: { at: number; next: number[] }[] = []
    const enter = (at: number): void => {
      clock++
      order[at] = clock
      low[at] = clock
      open[at] = 1
      pending.push(at)
      walk.push({ at, next: successors(insns, at).reverse() })
    }
    enter(root)
    while (walk.length) {
      const top = walk[walk.length - 1]
      if (!top) break
      const to = top.next.pop()
      if (to !== undefined) {
        if (to >= insns.length) continue
        if (!order[to]) enter(to)
        else if (open[to]) low[top.at] = Math.min(low[top.at] ?? 0, order[to] ?? 0)
        continue
      }
      walk.pop()
      const parent = walk[walk.length - 1]
      if (parent) low[parent.at] = Math.min(low[parent.at] ?? 0, low[top.at] ?? 0)
      if (low[top.at] !== order[top.at]) continue
      const members: number[] = []
      for (let member = pending.pop(); member !== undefined; member = pending.pop()) {
        open[member] = 0
        members.push(member)
        if (member === top.at) break
      }
      if (members.length === 1 && !successors(insns, top.at).includes(top.at)) continue
      count++
      for (const member of members) component[member] = count
    }
  }
  return component
}
