/**
 * What a program may use at all, checked before any path is followed: kernel functions (licence, whether this kernel has
 * them) and maps (by program type, wq-semantics 3.8 to 3.10). Texts as Linux 6.18 prints them.
 */
import { isWide, pseudoCall } from '../../isa/index.js'
import type { Insn } from '../../isa/insn.js'
import type { Profile } from '../../profile/index.js'
import { type MapType, mapTypes } from '../../uapi/index.js'
import type { MapView, Program } from '../program.js'
import type { FlowError } from './flow.js'

const gplCompatible = new Set([
  'GPL',
  'GPL v2',
  'GPL and additional rights',
  'Dual BSD/GPL',
  'Dual MIT/GPL',
  'Dual MPL/GPL',
])

/** Whether the licence allows what only GPL-compatible programs may call. */
export function isGpl(license: string): boolean {
  return gplCompatible.has(license)
}

/** The most maps that a program may use (MAX_USED_MAPS). */
const maxMaps = 64

/** Kernel functions, in the order of the instructions that call them. */
export function checkKfuncUse(program: Program, profile: Profile): FlowError | undefined {
  for (const [i, insn] of program.insns.entries()) {
    if (insn.code !== 0x85 || insn.src !== pseudoCall.kfunc) continue
    const reference = program.references.get(i)
    if (reference && !profile.kfunc(reference.name)) {
      if (reference.weak) continue
      const hint = profile.kfuncHint(reference.name)
      const message = `extern (func ksym) '${reference.name}': not found in kernel or module BTFs`
      return { errno: 'ESRCH', message: hint ? `${message}; ${hint}` : message, insn: i }
    }
    if (!isGpl(program.license)) {
      return { errno: 'EINVAL', message: 'cannot call kernel function from non-GPL compatible program', insn: i }
    }
    const complaint = reference ? undefined : badNumber(profile, insn)
    if (complaint) return { ...complaint, insn: i }
  }
  return undefined
}

/** A kfunc call that carries a number of its own instead of a name (3.7). The number 0 may stand where nothing gets to. */
function badNumber(profile: Profile, { imm, off }: Insn): Omit<FlowError, 'insn'> | undefined {
  if (imm === 0) return undefined
  if (off !== 0) return { errno: 'EPROTO', message: 'failed to find BTF for kernel function' }
  if (profile.kfuncById(imm) !== 'no function') return undefined
  return { errno: 'EINVAL', message: `kernel btf_id ${imm >>> 0} is not a function` }
}

const forSleepable = new Set<MapType>([
  'hash',
  'lru_hash',
  'array',
  'percpu_hash',
  'percpu_array',
  'lru_percpu_hash',
  'array_of_maps',
  'hash_of_maps',
  'ringbuf',
  'user_ringbuf',
  'inode_storage',
  'sk_storage',
  'task_storage',
  'cgrp_storage',
  'queue',
  'stack',
  'arena',
])

/** Maps, in the order of the instructions that load them. */
export function checkMapUse(program: Program, profile: Profile): FlowError | undefined {
  const seen = new Set<MapView>()
  for (const [i, insn] of program.insns.entries()) {
    const map = isWide(insn) ? program.maps.get(i) : undefined
    if (!map) continue
    if (insn.src === 2) {
      const complaint = directValue(map, program.insns[i + 1]?.imm ?? 0)
      if (complaint) return { errno: 'EINVAL', message: complaint, insn: i }
    }
    if (seen.has(map)) continue
    seen.add(map)
    const complaint = incompatible(program, profile, map)
    if (complaint) return { errno: 'EINVAL', message: complaint, insn: i }
    if (seen.size > maxMaps) {
      return { errno: 'E2BIG', message: 'The total number of maps per program has reached the limit of 64', insn: i }
    }
  }
  return undefined
}

function directValue(map: MapView, offset: number): string | undefined {
  const { type, maxEntries, valueSize } = map.spec
  if (offset >>> 0 >= 1 << 29) return `direct value offset of ${offset >>> 0} is not allowed`
  if (type === 'arena') return undefined
  if (type !== 'array') return 'no direct value access support for this map type'
  if (maxEntries === 1 && offset >>> 0 < valueSize) return undefined
  return `invalid access to map value pointer, value_size=${valueSize} off=${offset >>> 0}`
}

function incompatible(program: Program, profile: Profile, map: MapView): string | undefined {
  const { type, sleepable } = program.spec
  const has = (kind: string): boolean => map.fields.some((field) => field.kind === kind)
  if (!type) return undefined
  const { tracing } = profile.program(type)
  for (const kind of ['bpf_spin_lock', 'bpf_res_spin_lock'] as const) {
    if (!has(kind)) continue
    if (type === 'socket_filter') return `socket filter progs cannot use ${kind} yet`
    if (tracing) return `tracing progs cannot use ${kind} yet`
  }
  if (tracing) {
    for (const kind of profile.tracingForbids) if (has(kind)) return `tracing progs cannot use ${kind} yet`
  }
  if (map.spec.type === 'struct_ops') return 'bpf_struct_ops map cannot be used in prog'
  if (sleepable && !forSleepable.has(map.spec.type) && map.spec.type in mapTypes) {
    return 'Sleepable programs can only use array, hash, ringbuf and local storage maps'
  }
  return undefined
}
