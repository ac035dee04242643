/**
 * Arguments that must point exactly at a special field of a map value: `bpf_wq`, `bpf_timer`, `bpf_spin_lock`. Texts are
 * the same for all of them (wq-semantics 2.6, 3c).
 */
import type { Env } from '../env.js'
import { type MapView, type SpecialField, specialField } from '../program.js'
import type { MapValueReg } from '../registers.js'

/** Register `n`, a map value, must point at its field of this kind; gives the field. Rejects with EINVAL. */
export function checkMapField(env: Env, n: number, reg: MapValueReg, kind: string): SpecialField {
  const { tnum } = reg.value
  const { map } = reg
  if (tnum.mask !== 0n) {
    env.reject('EINVAL', `R${n} doesn't have constant offset. ${kind} has to be at the constant offset`)
  }
  if (!map.hasBtf) env.reject('EINVAL', `map '${map.name}' has to have BTF in order to use ${kind}`)
  const field = specialField(map, kind)
  if (!field) return env.reject('EINVAL', `map '${map.name}' has no valid ${kind}`)
  const at = BigInt.asIntN(64, tnum.value) + BigInt(reg.off)
  if (at !== BigInt(field.offset)) {
    env.reject('EINVAL', `off ${at} doesn't point to 'struct ${kind}' that is at ${field.offset}`)
  }
  return field
}

/** A map that a call was given, and which of several inner maps it is: the id of the lookup that found it, or 0. */
export interface UsedMap {
  readonly map: MapView
  readonly mapUid: number
}

/**
 * The map argument must be the map that holds the field. Two inner maps of one shape share a `MapView`; their uid tells
 * them apart (3.12). Linux looks into the other map's fields first and would crash where it has none; that case is refused
 * with the same words here (3.13).
 */
export function sameMap(field: UsedMap, argument: UsedMap): boolean {
  return field.map === argument.map && field.mapUid === argument.mapUid
}
