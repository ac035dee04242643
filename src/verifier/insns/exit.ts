/**
 * `exit`: back into the caller, or the end of a path. A program, a callback and a global function each have their own rule
 * for R0; locks and references must have been given back.
 */
import type { Env, Step } from '../env.js'
import { noIds, sameReg } from '../equal.js'
import { formatFrame } from '../log/format.js'
import { markPrecise } from '../precision.js'
import { anyScalar, type Reg, typeName } from '../registers.js'
import { S64_MAX, S64_MIN } from '../scalar/scalar.js'
import { currentFrame, type Frame, frameAt, regAt, type State } from '../state.js'

/** What a program or callback may return, inclusive. */
type Range = readonly [min: bigint, max: bigint]

/** `exit`. */
export function checkExit(env: Env): Step {
  const { state } = env
  const isOutermost = state.frames.length === 1
  checkReleased(env, isOutermost, 'BPF_EXIT instruction in main prog')
  if (!isOutermost) return leaveFunction(env)
  checkResult(env)
  return 'exit'
}

/** Locks and references must have been given back where the program ends; `prefix` names the instruction that ends it. */
export function checkReleased(env: Env, isOutermost: boolean, prefix: string): void {
  const { state } = env
  const held = state.references.filter(({ kind }) => kind === 'pointer')
  if (held.length && (isOutermost || env.frame().inCallback)) {
    for (const { id, insn } of held) env.note(`Unreleased reference id=${id} alloc_insn=${insn}`)
    env.reject('EINVAL', `${prefix} would lead to reference leak`)
  }
  if (!isOutermost) return
  const locked = (what: string): never => env.reject('EINVAL', `${prefix} cannot be used inside ${what}-ed region`)
  if (state.references.some(({ kind }) => kind === 'lock' || kind === 'res_lock')) locked('bpf_spin_lock')
  if (state.irqId) locked('bpf_local_irq_save')
  if (state.rcuLocks) locked('bpf_rcu_read_lock')
  if (state.preemptLocks) locked('bpf_preempt_disable')
}

/** Back behind the call, with R0 as the function left it. */
function leaveFunction(env: Env): Step {
  const { state } = env
  env.stackLiveness.update(state)
  const callee = currentFrame(state)
  const result = env.reg(0)
  if (result.type === 'fp') env.reject('EINVAL', 'cannot return stack pointer to the caller')
  const caller = state.frames[state.frames.length - 2]
  if (!caller) return 'exit'
  if (callee.inCallback) leaveCallback(env, result, callee)
  else caller.regs[0] = result
  // Back to the call itself, which decides whether the callback runs again.
  env.insn = callee.inCallback ? callee.callsite : callee.callsite + 1
  if (env.log.level) {
    env.log.write(`returning from callee:\n${formatFrame(state, callee)}`)
    env.log.write(`to caller at ${env.insn}:\n${formatFrame(state, caller)}`)
  }
  state.frames.pop()
  if (callee.inCallback) widen(env)
  return 'moved'
}

/** The result of a callback decides whether it is run again. */
function leaveCallback(env: Env, result: Reg, callee: Frame): void {
  if (result.type !== 'scalar') env.reject('EACCES', 'R0 not a scalar value')
  requireRange(env, result, callee.callbackReturn, 'At callback return')
}

/**
 * Scalars of the caller that changed since the call was entered last, and that nothing depends on yet, are taken for
 * anything: so that counting callbacks converge.
 */
function widen(env: Env): void {
  const { state } = env
  const before = lastVisit(state, env.insn)
  if (!before) return
  const ids = noIds()
  const widened = (old: Reg, now: Reg): Reg => {
    if (old.type !== 'scalar' || now.type !== 'scalar' || old.precise || now.precise) return now
    return sameReg(old, now, ids) ? now : anyScalar
  }
  for (const frame of state.frames) {
    const old = frameAt(before, frame.number)
    for (let n = 0; n < 10; n++) frame.regs[n] = widened(regAt(old, n), regAt(frame, n))
    for (const [i, slot] of frame.stack.entries()) {
      const was = old.stack[i]
      if (was?.types[7] !== 'r' || slot.types[7] !== 'r') continue
      frame.stack[i] = { types: slot.types, spilled: widened(was.spilled, slot.spilled) }
    }
  }
}

/** The state that this path was in when it came to an instruction with the same calls open, the time before. */
function lastVisit(state: State, insn: number): State | undefined {
  for (let old = state.parent; old; old = old.parent) {
    const same = old.frames.length === state.frames.length
    if (old.insn === insn && same && old.frames.every(({ callsite }, i) => callsite === frameAt(state, i).callsite)) {
      return old
    }
  }
  return undefined
}

/** R0 at the end of a program, of an async callback or of a global function. */
function checkResult(env: Env): void {
  const reg = env.readReg(0)
  const frame = env.frame()
  if (frame.inAsyncCallback) {
    requireRange(env, reg, frame.callbackReturn, 'At async callback return')
    return
  }
  if (frame.subprogram !== 0) {
    if (reg.type !== 'scalar') {
      env.reject('EINVAL', `At subprogram exit the register R0 is not a scalar value (${typeName(reg)})`)
    }
    return
  }
  const range = programRange(env)
  if (range) requireRange(env, reg, range, 'At program exit')
}

function programRange(env: Env): Range | undefined {
  const { type, attachType } = env.program.spec
  return type && env.profile.program(type, attachType).returns
}

function requireRange(env: Env, reg: Reg, range: Range, when: string): void {
  if (reg.type !== 'scalar') env.reject('EINVAL', `${when} the register R0 is not a known value (${typeName(reg)})`)
  markPrecise(env, 0)
  const { smin, smax } = reg.value
  const [min, max] = range
  if (smin >= min && smax <= max) return
  let text = `${when} the register R0 has`
  if (smin !== S64_MIN) text += ` smin=${smin}`
  if (smax !== S64_MAX) text += ` smax=${smax}`
  if (smin === S64_MIN && smax === S64_MAX) text += ' unknown scalar value'
  env.reject('EINVAL', `${text} should have been in [${min}, ${max}]`)
}
