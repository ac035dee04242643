/** Calls: of helpers and kfuncs (`calls/`), of the program's own functions, static (entered) or global (trusted). */
import { pseudoCall } from '../../isa/index.js'
import type { Insn } from '../../isa/insn.js'
import { applyGlobalEffects, checkGlobalCall } from '../calls/global-function.js'
import { checkHelperCall } from '../calls/helper-call.js'
import { checkKfuncCall } from '../calls/kfunc-call.js'
import type { Env, Step } from '../env.js'
import { formatFrame } from '../log/format.js'
import { anyScalar } from '../registers.js'
import { frameAt, maxFrames, newFrame, regAt } from '../state.js'

/** Helpers that may be called while a lock is held. */
const unlocks = 94

/** `call`. */
export function checkCall(env: Env, insn: Insn): Step {
  const isKfunc = insn.src === pseudoCall.kfunc
  if (insn.src > pseudoCall.kfunc || (!isKfunc && insn.off !== 0)) env.reject('EINVAL', 'BPF_CALL uses reserved fields')
  if (env.state.references.some(({ kind }) => kind === 'lock' || kind === 'res_lock')) {
    const allowed = insn.src === pseudoCall.local || (insn.src === pseudoCall.helper && insn.imm === unlocks)
    if (!allowed) env.reject('EINVAL', 'function calls are not allowed while holding a lock')
  }
  if (insn.src === pseudoCall.local) return callFunction(env, insn)
  if (isKfunc) checkKfuncCall(env, insn)
  else checkHelperCall(env, insn)
  return 'next'
}

function callFunction(env: Env, insn: Insn): Step {
  const number = env.subprogramAt(env.insn + insn.imm + 1)
  if (number === undefined)
    return env.reject('EFAULT', `call to insn ${env.insn + insn.imm + 1}, which begins no function`)
  const callee = env.subprogram(number)
  if (callee.global) {
    if (env.state.references.some(({ kind }) => kind === 'lock' || kind === 'res_lock')) {
      env.note('global function calls are not allowed while holding a lock,')
      env.reject('EINVAL', 'use static function instead')
    }
    checkGlobalCall(env, number)
    env.note(`Func#${number} ('${callee.name}') is global and assumed valid.`)
    applyGlobalEffects(env, number)
    env.calledGlobals.add(number)
    env.clobberCallerSaved()
    env.setReg(0, anyScalar)
    return 'next'
  }
  return enterFunction(env, number)
}

/** Goes on in the called function, with a frame of its own. */
function enterFunction(env: Env, number: number): Step {
  const { state } = env
  const depth = state.frames.length
  if (depth >= maxFrames) env.reject('E2BIG', `the call stack of ${depth + 1} frames is too deep`)
  const caller = env.frame()
  const frame = newFrame(env.insn, depth, number)
  for (let n = 1; n <= 5; n++) frame.regs[n] = regAt(caller, n)
  // Async callbacks stay async in what they call.
  frame.asyncEntryCount = caller.asyncEntryCount
  env.clobberCallerSaved()
  state.frames.push(frame)
  env.touchAll()
  env.stackLiveness.leave()
  if (env.log.level) {
    env.log.write(`caller:\n${formatFrame(state, frameAt(state, depth - 1))}callee:\n${formatFrame(state, frame)}`)
  }
  env.insn = env.subprogram(number).start
  return 'moved'
}
