/**
 * Follows every path through a function: depth first, the way that does not jump first, one instruction at a time, until
 * each path ended, was pruned or is refused. The order is Linux's, so that the first refusal, the statistics and the log
 * are the same.
 */
import { globalArguments } from './calls/global-function.js'
import type { Exploration } from './create-env.js'
import type { InsnRule, Step } from './env.js'
import { checkAlu, checkEnd } from './insns/alu.js'
import { checkCall } from './insns/call.js'
import { checkExit } from './insns/exit.js'
import { checkGoto, checkIf } from './insns/jump.js'
import { checkReserved, refuseUnknown } from './insns/malformed.js'
import { checkAtomic, checkImm64, checkLoadInsn, checkStoreInsn } from './insns/memory.js'
import { checkPacketLoad } from './insns/packet-load.js'
import { formatFrame } from './log/format.js'
import { flowFlags } from './prepare/flow.js'
import type { Pruner } from './prune.js'
import { ctxReg } from './registers.js'
import { currentFrame, newState } from './state.js'

/** The most instructions that Linux processes for one program. */
export const maxInsns = 1_000_000

const rules: Partial<Record<string, InsnRule>> = {
  alu: checkAlu,
  end: checkEnd,
  if: checkIf,
  goto: checkGoto,
  call: checkCall,
  exit: checkExit,
  load: checkLoadInsn,
  store: checkStoreInsn,
  atomic: checkAtomic,
  imm64: checkImm64,
  packet: checkPacketLoad,
}

/** Explores one function from its start: the program itself (0) or a global function. */
export function explore(env: Exploration, pruner: Pruner, subprogram: number): void {
  const state = newState(subprogram, env.program.spec.sleepable)
  const frame = currentFrame(state)
  env.state = state
  env.insn = env.subprogram(subprogram).start
  env.prevInsn = -1
  state.firstInsn = env.insn
  env.touchAll()
  if (subprogram === 0) frame.regs[1] = ctxReg
  else {
    env.note(`Validating ${env.subprogram(subprogram).name}() func#${subprogram}...`)
    for (const [i, reg] of globalArguments(env, subprogram).entries()) frame.regs[i + 1] = reg
  }
  let showState = false
  for (;;) {
    const step = visit(env, pruner, showState)
    showState = step === 'returned'
    if (step !== 'exit') continue
    env.touchAll()
    pruner.finish(env, env.state)
    env.stackLiveness.update(env.state)
    const next = env.pending.pop()
    if (!next) break
    if (env.log.level === 1) env.log.truncate(next.logPosition)
    env.state = next.state
    env.insn = next.insn
    env.prevInsn = next.prevInsn
    showState = true
  }
  if (env.log.level === 1) env.log.truncate(0)
}

/** Checks the instruction at which the path stands and moves on. */
function visit(env: Exploration, pruner: Pruner, showState: boolean): Step | 'returned' {
  const { state, insn: at, log } = env
  const insn = env.program.insns[at]
  if (!insn) return env.reject('EFAULT', `invalid insn idx ${at} insn_cnt ${env.program.insns.length}`)
  pruner.insnsProcessed++
  if (pruner.insnsProcessed > maxInsns) {
    env.reject('E2BIG', `BPF program is too large. Processed ${pruner.insnsProcessed} insn`)
  }
  if (pruner.insnsProcessed > pruner.giveUpAfter)
    env.unsupported(`more than ${pruner.giveUpAfter} instructions to process`)
  env.freshHistory = true
  state.lastInsn = env.prevInsn
  state.insn = at
  const flags = env.flags[at] ?? 0
  if (flags & flowFlags.prune && pruner.visit(env, env.lastId)) {
    if (log.level) log.write(showState ? `\nfrom ${env.prevInsn} to ${at}: safe\n` : `${at}: safe\n`)
    return 'exit'
  }
  if (flags & flowFlags.jump) env.record({})
  if (log.level) describe(env, showState)
  const notes = env.notes[at]
  if (notes) notes.seen = true
  env.stackLiveness.begin(state, at)
  if (env.program.relocated.has(at)) env.unsupported('CO-RE relocations')
  const row = env.rows[at] ?? refuseUnknown(env, insn)
  // Comparisons and packet loads look at something else first.
  if (row.kind !== 'if' && row.kind !== 'packet') checkReserved(env, insn, row)
  if (row.kind === 'if' || row.kind === 'goto' || row.kind === 'call' || row.kind === 'exit') pruner.jumpsProcessed++
  const rule = rules[row.kind]
  if (!rule) return env.unsupported(`instructions of kind ${row.kind}`)
  const depth = state.frames.length
  const step = rule(env, insn, row)
  env.stackLiveness.commit()
  if (step === 'exit') return step
  env.prevInsn = at
  if (step === 'next') env.insn++
  return state.frames.length < depth ? 'returned' : step
}

/** Level 1 and 2: what the last instruction changed, the source line, the instruction. */
function describe(env: Exploration, showState: boolean): void {
  const { log, state, insn, lines } = env
  if (log.level === 2 && showState) {
    log.write(`\nfrom ${env.prevInsn} to ${insn}:${formatFrame(state, currentFrame(state))}`)
  }
  if (env.touched()) env.printTouched()
  lines.write(insn)
  const text = `${insn}: ${env.insnText(insn)}\n`
  log.write(text)
  env.textEnd = log.position
  env.textLength = text.length
}
