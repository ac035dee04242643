/**
 * bpf_spin_lock and bpf_spin_unlock: one lock at a time, given back by the same pointer. A lock is known by the map and by
 * the id of the lookup that found the element.
 */
import type { Env } from '../env.js'
import type { MapValueReg } from '../registers.js'
import { checkMapField } from './map-field.js'

/** Is a bpf_spin_lock held on this path? */
export function holdsLock(env: Env): boolean {
  return env.state.references.some((reference) => reference.kind === 'lock')
}

/** The argument of bpf_spin_lock. */
export function takeLock(env: Env, n: number, reg: MapValueReg): void {
  checkMapField(env, n, reg, 'bpf_spin_lock')
  if (holdsLock(env)) env.reject('EINVAL', 'Locking two bpf_spin_locks are not allowed')
  env.state.references.push({ kind: 'lock', id: reg.id, insn: env.insn, owner: reg.map })
}

/** The argument of bpf_spin_unlock. */
export function dropLock(env: Env, n: number, reg: MapValueReg): void {
  checkMapField(env, n, reg, 'bpf_spin_lock')
  const { references } = env.state
  if (!holdsLock(env)) env.reject('EINVAL', 'bpf_spin_unlock without taking a lock')
  const held = references.findIndex(({ kind, id, owner }) => kind === 'lock' && id === reg.id && owner === reg.map)
  if (held < 0) env.reject('EINVAL', 'bpf_spin_unlock of different lock')
  references.splice(held, 1)
}
