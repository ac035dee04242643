/**
 * What user space does to maps (BPF_MAP_LOOKUP_ELEM and its kin), with the checks that the kernel makes before the map's
 * own: access rights, frozen maps, flags (observed on Linux 6.18). Keys and values are bytes. Results are 0 or a negative
 * errno; `BLOCKED` means that a lock is held by a task which must run first: try again then.
 */
import { errnos, mapFlags, mapTypes } from '../uapi/index.js'
import { F_LOCK } from './array.js'
import { ASYNC, asyncStates, CPU, MACHINE, MACHINE_AT, MAP, NO_FIELD } from './layout.js'
import { cpuAt } from './map-create.js'
import type { Runtime } from './runtime.js'

const round8 = (size: number): number => Math.ceil(size / 8) * 8

/** Addresses of the buffers through which keys and values of a map go in and out; made at first use. */
function buffers({ calls, load32, store32 }: Runtime, map: number): { key: number; next: number; value: number } {
  const keySpace = round8(load32(map + MAP.keySize))
  let io = load32(map + MAP.io)
  if (io === 0) {
    io = calls.allocZeroed(2 * keySpace + round8(load32(map + MAP.valueSize)))
    store32(map + MAP.io, io)
  }
  return { key: io, next: io + keySpace, value: io + 2 * keySpace }
}

const lacks = ({ load32 }: Runtime, map: number, flag: number): boolean => (load32(map + MAP.flags) & flag) === 0
const mayRead = (runtime: Runtime, map: number): boolean => lacks(runtime, map, mapFlags.wronly)
const mayWrite = (runtime: Runtime, map: number): boolean =>
  lacks(runtime, map, mapFlags.rdonly) && runtime.load32(map + MAP.frozen) === 0
/** BPF_F_LOCK on a map whose values have no lock. */
const badLock = ({ load32 }: Runtime, map: number, flags: number): boolean =>
  (flags & F_LOCK) !== 0 && load32(map + MAP.lockOffset) === NO_FIELD
/** Flags as routines take them: what does not fit 32 bits is no valid flag anyway. */
const narrow = (flags: number): number => (flags > 0xffffffff ? -1 : flags | 0)

/** BPF_MAP_LOOKUP_ELEM: copies the value of a key to `out`, its special fields as zeros (2.7). */
export function readElement(runtime: Runtime, map: number, key: Uint8Array, out: Uint8Array, flags = 0): number {
  if (flags > 0xffffffff || flags & ~F_LOCK) return -errnos.EINVAL
  if (!mayRead(runtime, map)) return -errnos.EPERM
  if (badLock(runtime, map, flags)) return -errnos.EINVAL
  const io = buffers(runtime, map)
  runtime.views.u8.set(key, io.key)
  const result = runtime.calls.mapCopyOut(map, io.key, io.value, flags)
  if (result === 0) out.set(runtime.views.u8.subarray(io.value, io.value + out.length))
  return result
}

/** BPF_MAP_UPDATE_ELEM: bytes of special fields are ignored (2.7). `cpu` is the one that makes the call. */
export function writeElement(
  runtime: Runtime,
  map: number,
  key: Uint8Array,
  value: Uint8Array,
  flags = 0,
  cpu = 0,
): number {
  if (!mayWrite(runtime, map)) return -errnos.EPERM
  if (badLock(runtime, map, flags)) return -errnos.EINVAL
  const io = buffers(runtime, map)
  runtime.views.u8.set(key, io.key)
  runtime.views.u8.set(value, io.value)
  return runtime.calls.mapUpdate(map, io.key, io.value, narrow(flags), cpu)
}

/** BPF_MAP_DELETE_ELEM. */
export function deleteElement(runtime: Runtime, map: number, key: Uint8Array): number {
  if (!mayWrite(runtime, map)) return -errnos.EPERM
  const io = buffers(runtime, map)
  runtime.views.u8.set(key, io.key)
  return runtime.calls.mapDelete(map, io.key)
}

/** BPF_MAP_LOOKUP_AND_DELETE_ELEM: copies the value to `out` and deletes it; arrays have no such operation (-ENOTSUPP). */
export function takeElement(runtime: Runtime, map: number, key: Uint8Array, out: Uint8Array, flags = 0): number {
  if (flags > 0xffffffff || flags & ~F_LOCK) return -errnos.EINVAL
  if (!mayRead(runtime, map) || !mayWrite(runtime, map)) return -errnos.EPERM
  if (badLock(runtime, map, flags)) return -errnos.EINVAL
  if (runtime.load32(map + MAP.type) === mapTypes.array) return -errnos.ENOTSUPP
  const io = buffers(runtime, map)
  runtime.views.u8.set(key, io.key)
  const result = runtime.calls.mapTake(map, io.key, io.value, flags)
  if (result === 0) out.set(runtime.views.u8.subarray(io.value, io.value + out.length))
  return result
}

/** BPF_MAP_GET_NEXT_KEY: copies the key after `key` (`undefined`: the first) to `next`; -ENOENT after the last. */
export function nextKey(runtime: Runtime, map: number, key: Uint8Array | undefined, next: Uint8Array): number {
  if (!mayRead(runtime, map)) return -errnos.EPERM
  const io = buffers(runtime, map)
  if (key) runtime.views.u8.set(key, io.key)
  const result = runtime.calls.mapNextKey(map, key ? io.key : 0, io.next)
  if (result === 0) next.set(runtime.views.u8.subarray(io.next, io.next + next.length))
  return result
}

/** BPF_MAP_FREEZE: user space may not write any more. Maps with special fields cannot be frozen (2.4). */
export function freezeMap(runtime: Runtime, map: number): number {
  if (runtime.load32(map + MAP.specialCount) > 0) return -errnos.ENOTSUPP
  if (!mayWrite(runtime, map)) return -errnos.EPERM
  runtime.store32(map + MAP.frozen, 1)
  return 0
}

/** Address of the value of a key, where user space may look at or change it in place (global data); 0 if absent. */
export function valueAddress(runtime: Runtime, map: number, key: Uint8Array): number {
  const io = buffers(runtime, map)
  runtime.views.u8.set(key, io.key)
  return runtime.calls.mapPeek(map, io.key)
}

/**
 * After an update, a delete or a close that cancelled timers whose callbacks run: the CPUs on which they run. Linux 6.18 waits
 * for them before the call returns (4.8). Ask before the next operation.
 */
export function waitFor(runtime: Runtime): number[] {
  const { load32, cpus } = runtime
  if (load32(MACHINE_AT + MACHINE.waitFor) === 0) return []
  return Array.from({ length: cpus }, (_, cpu) => cpu).filter((cpu) => {
    const object = load32(cpuAt(runtime, cpu) + CPU.runningTimer)
    return object !== 0 && (load32(object + ASYNC.state) & asyncStates.DEAD) !== 0
  })
}
