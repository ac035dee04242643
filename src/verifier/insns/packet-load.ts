/**
 * The old packet loads, `r0 = *(u32 *)skb[…]`: R6 is the context, R1 to R5 are lost as in a call, and the program ends
 * with 0 where the packet is too short, so nothing may be held. In functions they end the whole program, which this
 * version does not judge.
 */
import type { OpcodeRow } from '../../isa/index.js'
import type { Insn } from '../../isa/insn.js'
import type { ProgramType } from '../../uapi/index.js'
import type { Env, Step } from '../env.js'
import { checkPointerOffset } from '../memory/pointer.js'
import { anyScalar } from '../registers.js'
import { checkReleased } from './exit.js'
import { checkReserved } from './malformed.js'

const allowed: ReadonlySet<ProgramType> = new Set<ProgramType>(['socket_filter', 'sched_cls', 'sched_act'])
const skb = 6

/** `ld_abs` and `ld_ind`. */
export function checkPacketLoad(env: Env, insn: Insn, row: OpcodeRow): Step {
  const { type } = env.program.spec
  if (!type || !allowed.has(type)) {
    env.reject('EINVAL', 'BPF_LD_[ABS|IND] instructions not allowed for this program type')
  }
  checkReserved(env, insn, row)
  if (env.frame().subprogram !== 0) env.unsupported('LD_ABS and LD_IND in functions')
  const reg = env.readReg(skb)
  checkReleased(env, true, 'BPF_LD_[ABS|IND]')
  if (reg.type !== 'ctx') env.reject('EINVAL', 'at the time of BPF_LD_ABS|IND R6 != pointer to skb')
  if (row.op === 'ld_ind') env.readReg(insn.src)
  checkPointerOffset(env, skb)
  env.clobberCallerSaved()
  env.setReg(0, anyScalar)
  return 'next'
}
