/**
 * Calls of helpers: may this program call it here, do its arguments fit, what does it leave in R0. The prototypes come from
 * the profile; what a helper does beyond its prototype (callbacks, ranges of results) is a small table here. The order of
 * the checks is that of Linux 6.18, since a program with several faults is refused for the first.
 */

import type { Insn } from '../../isa/insn.js'
import type { HelperPrototype } from '../../profile/index.js'
import { mapFlags, mapTypes } from '../../uapi/index.js'
import type { Env } from '../env.js'
import { markPrecise } from '../precision.js'
import { isGpl } from '../prepare/uses.js'
import { specialField } from '../program.js'
import { anyScalar, isNullScalar, mapKey, mapPtr, mapValue, notInit, scalarReg } from '../registers.js'
import { intersect, type Scalar, signedRange, unsignedRange } from '../scalar/index.js'
import { type Frame, mapRegs, regAt } from '../state.js'
import { setAsyncCallback } from './async.js'
import { checkHelperArg, type HelperCall } from './helper-args.js'

/** Checks the helper call at `env.insn` and applies its effects. */
export function checkHelperCall(env: Env, insn: Insn): void {
  const helper = findHelper(env, insn)
  const call: HelperCall = { helper, map: undefined, key: undefined, callback: undefined, size: 0n }
  for (let index = 0; index < helper.args.length; index++) checkHelperArg(env, call, index)
  rememberMap(env, call)
  effects[helper.name]?.(env, call)
  env.clobberCallerSaved()
  setResult(env, call)
  checkMapType(env, call)
  if (helper.changesPacket) forgetPacket(env)
}

/** The helper, if this program may call it here. */
function findHelper(env: Env, insn: Insn): HelperPrototype {
  const { profile, program } = env
  const id = insn.imm
  const type = program.spec.type ?? 'unspec'
  if (id !== 0 && !profile.hasHelper(id)) return env.reject('EINVAL', `invalid func unknown#${id}`)
  const helper = profile.helper(id, program.spec.type)
  const text = helper ? `${helper.name}#${id}` : env.insnText(env.insn).replace(/^\S+ call /, '')
  if (!profile.helperAllowed(id, type)) env.reject('EINVAL', `program of this type cannot use helper ${text}`)
  if (!helper) return env.unsupported(`helper ${text.replace(/#.*/, '')}`)
  if (helper.gplOnly && !isGpl(program.license)) {
    env.reject('EINVAL', 'cannot call GPL-restricted function from non-GPL compatible program')
  }
  if (!helper.mightSleep) return helper
  if (!env.sleepable) env.reject('EINVAL', 'helper call might sleep in a non-sleepable prog')
  const { rcuLocks, preemptLocks, irqId } = env.state
  const region = rcuLocks ? 'rcu_read_lock' : preemptLocks ? 'preempt-disabled' : irqId ? 'IRQ-disabled' : undefined
  if (region) env.reject('EINVAL', `sleepable helper ${text} in ${region} region`)
  return helper
}

const writers: ReadonlySet<string> = new Set([
  'bpf_map_update_elem',
  'bpf_map_delete_elem',
  'bpf_map_push_elem',
  'bpf_map_pop_elem',
])

function rememberMap(env: Env, { helper, map }: HelperCall): void {
  if (!map) return
  const { type, flags } = map.map.spec
  if (helper.name === 'bpf_tail_call' && type !== 'prog_array') {
    env.reject('EINVAL', 'expected prog array map for tail call')
  }
  // Linux itself makes device maps read-only for programs: a lookup gives a pointer to what the kernel uses.
  const readOnly = flags & mapFlags.rdonly_prog || type === 'devmap' || type === 'devmap_hash'
  if (writers.has(helper.name) && readOnly) {
    env.reject('EACCES', 'write into map forbidden')
  }
  const notes = env.notes[env.insn]
  if (notes) notes.map = notes.map === undefined || notes.map === map.map ? map.map : 'several'
}

function checkMapType(env: Env, { helper, map }: HelperCall): void {
  if (!map || env.profile.mapAllowed(helper.id, map.map.spec.type)) return
  env.reject('EINVAL', `cannot pass map_type ${mapTypes[map.map.spec.type]} into func ${helper.name}#${helper.id}`)
}

/** What a helper does that its prototype does not say: before R1 to R5 are gone. */
const effects: Readonly<Record<string, (env: Env, call: HelperCall) => void>> = {
  bpf_timer_set_callback(env, { callback }) {
    const owner = env.reg(1)
    if (owner.type === 'map_value' && callback !== undefined) setAsyncCallback(env, 'bpf_timer', owner, callback)
  },
  bpf_for_each_map_elem(env, { map, callback }) {
    if (!map || callback === undefined) return
    const { type } = map.map.spec
    if (!iterable.has(type)) env.unsupported(`helper bpf_for_each_map_elem on a map of type ${type}`)
    env.pushCallback(callback, (frame, caller) => {
      frame.regs[1] = mapPtr(map.map, map.mapUid)
      frame.regs[2] = mapKey(map.map, map.mapUid)
      frame.regs[3] = mapValue(map.map, { mapUid: map.mapUid })
      frame.regs[4] = regAt(caller, 3)
      enterCallback(frame)
    })
  },
  bpf_loop(env, { callback }) {
    // Without flags Linux inlines the loop, and relies on that.
    if (isNullScalar(env.reg(4))) markPrecise(env, 4)
    // How often it loops decides whether its callback is entered again.
    markPrecise(env, 1)
    const frame = env.frame()
    if (BigInt(frame.callbackDepth) < env.reg(1).value.umax) {
      if (callback === undefined) return
      env.pushCallback(callback, (entered, caller) => {
        entered.regs[1] = anyScalar
        entered.regs[2] = regAt(caller, 3)
        enterCallback(entered)
      })
      return
    }
    frame.callbackDepth = 0
    if (env.log.level === 2) env.note(`frame${frame.number} bpf_loop iteration limit reached`)
  },
  bpf_tail_call(env) {
    const { state } = env
    if (env.frame().subprogram !== 0) env.unsupported('helper bpf_tail_call outside of the main function')
    const held = state.references.filter(({ kind }) => kind === 'pointer')
    for (const { id, insn } of held) env.note(`Unreleased reference id=${id} alloc_insn=${insn}`)
    if (held.length) env.reject('EINVAL', 'tail_call would lead to reference leak')
    const region = state.irqId
      ? 'bpf_local_irq_save'
      : state.rcuLocks
        ? 'bpf_rcu_read_lock'
        : state.preemptLocks && 'bpf_preempt_disable'
    if (region) env.reject('EINVAL', `tail_call cannot be used inside ${region}-ed region`)
  },
}

const iterable: ReadonlySet<string> = new Set(['array', 'hash', 'lru_hash'])

function enterCallback(frame: Frame): void {
  frame.inCallback = true
  frame.callbackReturn = [0n, 1n]
}

/** Results whose range is known. */
const ranges: Readonly<Record<string, (env: Env, call: HelperCall) => Scalar>> = {
  bpf_get_smp_processor_id: (env) => unsignedRange(0n, BigInt(env.profile.cpus - 1)),
  bpf_probe_read_str: copied,
  bpf_probe_read_user_str: copied,
  bpf_probe_read_kernel_str: copied,
  bpf_get_stack: copied,
  bpf_get_task_stack: copied,
}

/** A length up to the buffer's, or a negative errno. */
function copied(_env: Env, { size }: HelperCall): Scalar {
  const limit = BigInt.asIntN(64, size)
  const low = { ...signedRange(-4095n, limit), s32min: -4095, s32max: Number(BigInt.asIntN(32, limit)) }
  return intersect(signedRange(-4095n, limit), low)
}

function setResult(env: Env, call: HelperCall): void {
  const { helper, map } = call
  const { returns } = helper
  if (returns === 'void') {
    env.setReg(0, notInit)
    return
  }
  if (returns === 'integer') {
    const range = ranges[helper.name]
    env.setReg(0, range ? scalarReg(range(env, call)) : anyScalar)
    return
  }
  if ((returns !== 'map_value_or_null' && returns !== 'map_value') || !map) {
    env.unsupported(`helper ${helper.name}`)
  }
  const { spec } = map.map
  // An array whose size may be another one at run time (BPF_F_INNER_MAP) promises nothing.
  const sized = helper.name === 'bpf_map_lookup_elem' && (spec.flags & mapFlags.inner_map) === 0
  const inside = sized && call.key !== undefined && call.key < BigInt(spec.maxEntries)
  const orNull = returns === 'map_value_or_null' && !inside
  const locked = specialField(map.map, 'bpf_spin_lock') !== undefined
  env.setReg(0, mapValue(map.map, { mapUid: map.mapUid, orNull, id: orNull || locked ? env.newId() : 0 }))
}

/** The packet may have moved: pointers into it are just numbers now. */
function forgetPacket(env: Env): void {
  mapRegs(env.state, (reg) =>
    reg.type === 'pkt' || reg.type === 'pkt_meta' || reg.type === 'pkt_end' ? anyScalar : reg,
  )
}
