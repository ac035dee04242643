/**
 * Calls of kfuncs, the kernel's own and the user's: may this program call it here, do its arguments fit, what does it leave
 * in R0. Prototype and flags come from the profile (`withKfuncs` adds the user's). The order of the checks is that of
 * Linux 6.18.
 */
import type { Insn } from '../../isa/insn.js'
import type { KfuncRow } from '../../profile/index.js'
import type { Env } from '../env.js'
import { anyScalar, btfPointer, memPointer, notInit, type Reg } from '../registers.js'
import { mapRegs } from '../state.js'
import { setAsyncCallback } from './async.js'
import { checkKfuncArgs, type KfuncCall } from './kfunc-args.js'
import { isScalarType, kfuncPrototype, kindName } from './kfunc-proto.js'

/** Checks the kfunc call at `env.insn` and applies its effects. */
export function checkKfuncCall(env: Env, insn: Insn): void {
  if (insn.imm === 0 && env.program.references.get(env.insn)?.kind !== 'kfunc') {
    // A call of nothing may stand where nothing gets to; where something does, Linux goes on and complains at the end (3.7).
    env.refuseAtEnd('EINVAL', 'invalid kernel function call not eliminated in verifier pass')
    return
  }
  const row = findKfunc(env, insn)
  const { flags, name } = row
  if (flags.sleepable && !env.sleepable) {
    env.reject('EACCES', `program must be sleepable to call sleepable kfunc ${name}`)
  }
  const proto = kfuncPrototype(row)
  if (!proto || !row.described) env.unsupported(`kfunc ${name}`)
  const call: KfuncCall = { row, proto, map: undefined, callback: undefined, release: undefined, resultSize: undefined }
  checkKfuncArgs(env, call)
  const effect = effects[name]
  if (effect) effect(env, call)
  else if (row.kernelId && call.callback !== undefined) env.unsupported(`kfunc ${name}`)
  checkRegion(env, row)
  if (flags.release && call.release) {
    if (!env.releaseReference(call.release.id)) {
      env.reject('EINVAL', `kfunc ${name}#${row.kernelId} reference has not been acquired before`)
    }
  }
  env.clobberCallerSaved()
  setResult(env, call)
}

/** The loader's number for weak kfuncs that were not found: the object's first; others count on from it. */
const unresolvedKfunc = 2002000000

/** The kfunc, if programs of this type may call it. */
function findKfunc(env: Env, insn: Insn): KfuncRow {
  const reference = env.program.references.get(env.insn)
  if (reference?.kind !== 'kfunc') return env.unsupported(`kfunc number ${insn.imm}`)
  const row = env.profile.kfunc(reference.name)
  if (!row) {
    // Only a weak one gets here: the loader made it a call of an impossible helper (3.6).
    env.note(`kfunc '${reference.name}' is referenced but wasn't resolved`)
    return env.reject('EINVAL', `invalid func unknown#${unresolvedKfunc}`)
  }
  if (!env.profile.kfuncAllowed(row, env.program.spec.type ?? 'unspec')) {
    env.reject('EACCES', `calling kernel function ${row.name} is not allowed`)
  }
  return row
}

/** Where a kfunc may be called, and kfuncs that open and close such regions; one RCU section at a time on 6.18. */
function checkRegion(env: Env, { name, flags, kernelId }: KfuncRow): void {
  const { state } = env
  const is = (other: string): boolean => kernelId !== 0 && name === other
  const nested = (text: string): never => env.reject('EINVAL', `${text} (kernel function ${name})`)
  if (state.rcuLocks) {
    if (is('bpf_rcu_read_lock')) nested('nested rcu read lock')
    else if (is('bpf_rcu_read_unlock')) leaveRcu(env)
    else if (flags.sleepable) env.reject('EACCES', `kernel func ${name} is sleepable within rcu_read_lock region`)
  } else if (is('bpf_rcu_read_lock')) state.rcuLocks = 1
  else if (is('bpf_rcu_read_unlock')) nested('unmatched rcu read unlock')
  if (is('bpf_preempt_disable')) state.preemptLocks++
  else if (is('bpf_preempt_enable')) {
    if (!state.preemptLocks) nested('unmatched attempt to enable preemption')
    state.preemptLocks--
  } else if (state.preemptLocks && flags.sleepable) {
    env.reject('EACCES', `kernel func ${name} is sleepable within non-preemptible region`)
  }
  if (state.irqId && flags.sleepable) {
    env.reject('EACCES', `kernel func ${name} is sleepable within IRQ-disabled region`)
  }
  if (flags.rcuProtected && !state.rcuLocks && env.sleepable) {
    env.reject('EACCES', `kernel func ${name} requires RCU critical section protection`)
  }
}

/** What was protected by RCU is not any more. */
function leaveRcu(env: Env): void {
  env.state.rcuLocks = 0
  mapRegs(env.state, (reg) => (reg.type === 'btf_ptr' && reg.flags === 'rcu_' ? { ...reg, flags: 'untrusted_' } : reg))
}

/** What a kfunc of the kernel does that its prototype does not say. */
const effects: Readonly<Record<string, (env: Env, call: KfuncCall) => void>> = {
  bpf_wq_set_callback_impl: setWorkqueueCallback,
  bpf_wq_set_callback: setWorkqueueCallback,
}

function setWorkqueueCallback(env: Env, { callback }: KfuncCall): void {
  const owner = env.reg(1)
  if (owner.type === 'map_value' && callback !== undefined) setAsyncCallback(env, 'bpf_wq', owner, callback)
}

function setResult(env: Env, call: KfuncCall): void {
  const { returns, btf } = call.proto
  if (call.row.flags.acquire && !(returns.kind === 'ptr' && btf.resolve(returns.type).kind === 'struct')) {
    env.reject('EINVAL', 'acquire kernel function does not return PTR_TO_BTF_ID')
  }
  if (returns.kind === 'void') env.setReg(0, notInit)
  else if (isScalarType(returns)) env.setReg(0, anyScalar)
  else if (returns.kind === 'ptr') env.setReg(0, returnedPointer(env, call, btf.resolve(returns.type)))
  else env.unsupported(`return type ${returns.kind} of kfunc ${call.row.name}`)
}

function returnedPointer(env: Env, call: KfuncCall, target: ReturnType<KfuncCall['proto']['btf']['resolve']>): Reg {
  const { flags, name } = call.row
  const orNull = flags.retNull === true
  const refId = flags.acquire ? env.acquireReference() : 0
  const id = orNull ? refId || env.newId() : 0
  if (target.kind === 'struct') {
    const trust = flags.rcuProtected ? 'rcu_' : ''
    return btfPointer(target.id, target.name, { flags: trust, orNull, id, refId })
  }
  if (!call.resultSize) {
    const what = `${kindName(target)} ${target.name}`
    return env.reject('EINVAL', `kernel function ${name} returns pointer type ${what} is not supported`)
  }
  return memPointer(call.resultSize.size, { readOnly: call.resultSize.readOnly, orNull, id, refId })
}
