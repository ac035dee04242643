/**
 * How deep the stack gets: every chain of calls from the program, and from every asynchronous callback as a root of its
 * own (wq-semantics 3.27), must fit into 512 bytes, each frame rounded up as the JIT does. Linux checks this after all
 * paths were explored.
 */
import { helperIds } from '../uapi/index.js'
import type { Exploration } from './create-env.js'
import { isFuncLoad, isLocalCall } from './prepare/flow.js'
import { maxFrames, maxStack } from './state.js'

/** A function that makes tail calls must not stand on more stack than this. */
const maxBeforeTailCall = 256
const tailCall = helperIds.bpf_tail_call

const round = (depth: number): number => (Math.max(depth, 1) + 15) & ~15

/** Checks all chains. */
export function checkStackDepth(env: Exploration): void {
  const { asyncRoots } = env
  for (const number of env.program.subprograms.keys()) {
    if (number === 0 || asyncRoots.has(number)) checkRoot(env, number, asyncRoots)
  }
}

function checkRoot(env: Exploration, root: number, asyncRoots: ReadonlySet<number>): void {
  const calls = env.program.subprograms.map((_, number) => callees(env, number, asyncRoots))
  const tailCalls = env.program.subprograms.map(({ start, end }) =>
    env.program.insns.slice(start, end).some(({ code, src, imm }) => code === 0x85 && src === 0 && imm === tailCall),
  )
  // Chains are bounded by eight frames, so a walk over all of them ends; equal work is done once per depth.
  const seen = new Set<string>()
  const walk = (number: number, depth: number, frames: number): void => {
    if (number !== root && depth >= maxBeforeTailCall && tailCalls[number]) {
      const where = `when call stack of previous frames is ${depth} bytes. Too large`
      env.reject('EACCES', `tail_calls are not allowed ${where}`)
    }
    const total = depth + round(env.stackDepths[number] ?? 0)
    if (total > maxStack) {
      env.reject('EACCES', `combined stack size of ${frames} calls is ${total}. Too large`)
    }
    const key = `${number}:${total}:${frames}`
    if (seen.has(key)) return
    seen.add(key)
    for (const callee of calls[number] ?? []) {
      if (frames >= maxFrames) env.reject('E2BIG', `the call stack of ${frames + 1} frames is too deep !`)
      walk(callee, total, frames + 1)
    }
  }
  walk(root, 0, 1)
}

/** The functions that one calls, or passes to a call that runs them at once. */
function callees(env: Exploration, number: number, asyncRoots: ReadonlySet<number>): number[] {
  const { start, end } = env.subprogram(number)
  const found: number[] = []
  for (let i = start; i < end; i++) {
    const insn = env.program.insns[i]
    if (!insn || !(isLocalCall(insn) || isFuncLoad(insn))) continue
    const callee = env.subprogramAt(i + insn.imm + 1)
    if (callee === undefined || (isFuncLoad(insn) && asyncRoots.has(callee))) continue
    found.push(callee)
  }
  return found
}
