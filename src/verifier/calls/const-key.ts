/**
 * Looking up an array element by a constant index that lies inside cannot fail, and the verifier knows: the result is not
 * NULL (wq-semantics 3.33, Linux 6.14). The key counts as constant where the stack holds zeros, or one spilled constant of
 * exactly its size.
 */
import type { Env } from '../env.js'
import { markSlotPrecise } from '../precision.js'
import type { MapView } from '../program.js'
import { emptySlot, frameAt } from '../state.js'

/** The key that register `n` points at, where it is known and the map is an array. */
export function constantKey(env: Env, n: number, map: MapView): bigint | undefined {
  const { type, keySize } = map.spec
  const reg = env.reg(n)
  if ((type !== 'array' && type !== 'percpu_array') || reg.type !== 'fp' || reg.value.tnum.mask !== 0n) return undefined
  const place = -(reg.off + Number(BigInt.asIntN(64, reg.value.tnum.value))) - 1
  const slot = place >> 3
  const { types, spilled } = frameAt(env.state, reg.frame).stack[slot] ?? emptySlot
  // Letters run from the highest address to the lowest, the key from its first byte upwards.
  const above = types.slice(0, (place & 7) + 1)
  const count = (letter: string): number => above.length - above.replace(new RegExp(`${letter}+$`), '').length
  if (count('0') >= keySize) return 0n
  if (types[7] !== 'r' || spilled.type !== 'scalar' || count('r') !== keySize) return undefined
  if (spilled.value.tnum.mask !== 0n) return undefined
  markSlotPrecise(env, reg.frame, slot)
  return spilled.value.tnum.value
}
