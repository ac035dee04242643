/**
 * Callbacks of workqueues and timers. Setting one makes it the root of an exploration of its own: a fresh stack, the map,
 * key and value as its arguments, nothing else (wq-semantics 3.15). A workqueue's callback is verified as code that may
 * sleep, a timer's never, whatever the program is (3.19); both must return exactly 0 (3.17).
 */
import type { Env } from '../env.js'
import { type MapPtrReg, type MapValueReg, mapKey, mapPtr, mapValue } from '../registers.js'

/** Who calls back, and whether the callback may sleep. */
const callers = { bpf_timer: { sleepable: false }, bpf_wq: { sleepable: true } } as const

/** Something that calls back later. */
export type AsyncKind = keyof typeof callers

/** Has function number `subprogram` verified as the callback of the field that `owner` points at. */
export function setAsyncCallback(env: Env, kind: AsyncKind, owner: MapValueReg | MapPtrReg, subprogram: number): void {
  const { map, mapUid } = owner
  const frame = env.pushAsyncCallback(subprogram, { sleepable: callers[kind].sleepable, returns: [0n, 0n] })
  frame.regs[1] = mapPtr(map, mapUid)
  frame.regs[2] = mapKey(map, mapUid)
  frame.regs[3] = mapValue(map, { mapUid })
}
