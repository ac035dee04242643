/** What is known about a call from its instruction alone: does it bind or run a callback, how many registers does it read? */

import { pseudoCall } from '../../isa/index.js'
import type { Insn } from '../../isa/insn.js'
import type { Profile } from '../../profile/index.js'
import { helperIds } from '../../uapi/index.js'
import type { Program } from '../program.js'

const asyncKfuncs = new Set([
  'bpf_wq_set_callback_impl',
  'bpf_wq_set_callback',
  'bpf_task_work_schedule_signal_impl',
  'bpf_task_work_schedule_signal',
  'bpf_task_work_schedule_resume_impl',
  'bpf_task_work_schedule_resume',
])
const syncKfuncs = new Set(['bpf_rbtree_add_impl', 'bpf_rbtree_add'])
const syncHelpers = new Set<number>([
  helperIds.bpf_for_each_map_elem,
  helperIds.bpf_find_vma,
  helperIds.bpf_loop,
  helperIds.bpf_user_ringbuf_drain,
])

const isHelper = (insn: Insn): boolean => insn.code === 0x85 && insn.src === pseudoCall.helper
const isKfunc = (insn: Insn): boolean => insn.code === 0x85 && insn.src === pseudoCall.kfunc

/** The call binds a callback that runs later. */
export function isAsyncCall(program: Program, insn: Insn, at: number): boolean {
  if (isHelper(insn)) return insn.imm === helperIds.bpf_timer_set_callback
  return isKfunc(insn) && asyncKfuncs.has(program.references.get(at)?.name ?? '')
}

/** The call runs a callback before it returns. */
export function isSyncCall(program: Program, insn: Insn, at: number): boolean {
  if (isHelper(insn)) return syncHelpers.has(insn.imm)
  return isKfunc(insn) && syncKfuncs.has(program.references.get(at)?.name ?? '')
}

/** How many of R1 to R5 the call reads; `undefined` where that is not known. */
export function parameterCount(program: Program, profile: Profile, insn: Insn, at: number): number | undefined {
  if (isHelper(insn)) return profile.helper(insn.imm)?.args.length
  if (!isKfunc(insn)) return undefined
  const row = profile.kfunc(program.references.get(at)?.name ?? '')
  if (!row) return undefined
  const { btf, func } = row.types()
  const type = btf.type(func)
  const proto = type.kind === 'func' ? btf.type(type.type) : undefined
  return proto?.kind === 'func_proto' ? proto.params.length : undefined
}
