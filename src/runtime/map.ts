/**
 * The operations on maps that programs and user space share, whatever the map's type: one jump by type to the routine of
 * that type. A compiler that knows the map calls the routine of the type at once, or its own specialised one.
 */
import { type Fn, type Local, routine, type Value } from '../wasm/index.js'
import { free } from './alloc.js'
import { arrayLookup, arrayNextKey, arrayUpdate, F_LOCK } from './array.js'
import { asyncCancelAll } from './async.js'
import { error, machine } from './common.js'
import { hashDelete, hashLookup, hashNextKey, hashPeek, hashUpdate } from './hash.js'
import { BLOCKED, ELEM, MACHINE, MAP } from './layout.js'
import { spinRelease, spinTryLock } from './spin-lock.js'
import { clearSpecial, copyValue } from './value.js'

const HASH = 1
const ARRAY = 2
const LRU_HASH = 9
const NO_PREALLOC = 1

/** Gives the result of the routine for the map's type. */
function byType(
  f: Fn,
  map: Local<'i32'>,
  calls: { hash: () => Value<'i32'>; array: () => Value<'i32'>; other: number },
): Value<'i32'> {
  const result = f.var32(calls.other)
  const hash = (): void => f.set(result, calls.hash())
  f.switch(
    map.load32(MAP.type),
    { [HASH]: hash, [ARRAY]: () => f.set(result, calls.array()), [LRU_HASH]: hash },
    () => {},
  )
  return result
}

const forgetWait = (f: Fn): void => f.store32(machine, MACHINE.waitFor, 0)

/** `bpf_map_lookup_elem(map, key)`: address of the value, or 0. */
export const mapLookup = routine('map_lookup', ['i32', 'i32'], 'i32', (f, map, key) =>
  byType(f, map, { hash: () => hashLookup(map, key), array: () => arrayLookup(map, key), other: 0 }),
)

/** The same for user space: an LRU map does not count it as a use. `(map, key)` */
export const mapPeek = routine('map_peek', ['i32', 'i32'], 'i32', (f, map, key) =>
  byType(f, map, { hash: () => hashPeek(map, key), array: () => arrayLookup(map, key), other: 0 }),
)

/** `bpf_map_update_elem(map, key, value, flags)` on a CPU. */
export const mapUpdate = routine(
  'map_update',
  ['i32', 'i32', 'i32', 'i32', 'i32'],
  'i32',
  (f, map, key, value, flags, cpu) => {
    forgetWait(f)
    return byType(f, map, {
      hash: () => hashUpdate(map, key, value, flags, cpu),
      array: () => arrayUpdate(map, key, value, flags),
      other: error.EOPNOTSUPP,
    })
  },
)

/** `bpf_map_delete_elem(map, key)`; the elements of an array stay: -EINVAL. */
export const mapDelete = routine('map_delete', ['i32', 'i32'], 'i32', (f, map, key) => {
  forgetWait(f)
  const result = f.var32(error.EINVAL)
  f.if(map.load32(MAP.type).ne(ARRAY), () => f.set(result, hashDelete(map, key)))
  return result
})

/** BPF_MAP_GET_NEXT_KEY. `(map, key or 0, next)` */
export const mapNextKey = routine('map_next_key', ['i32', 'i32', 'i32'], 'i32', (f, map, key, next) =>
  byType(f, map, {
    hash: () => hashNextKey(map, key, next),
    array: () => arrayNextKey(map, key, next),
    other: error.EOPNOTSUPP,
  }),
)

/** Copies an element for user space, special fields as zeros: 0, -ENOENT, BLOCKED. `(map, key, out, flags)` */
export const mapCopyOut = routine('map_copy_out', ['i32', 'i32', 'i32', 'i32'], 'i32', (f, map, key, out, flags) => {
  const value = f.local(mapPeek(map, key))
  f.if(value.eqz(), () => f.return(error.ENOENT))
  const lock = f.local(value.add(map.load32(MAP.lockOffset)))
  f.if(flags.and(F_LOCK), () => {
    f.if(spinTryLock(lock).eqz(), () => f.return(BLOCKED))
  })
  f.do(copyValue(map, out, value))
  f.if(flags.and(F_LOCK), () => f.do(spinRelease(lock)))
  f.do(clearSpecial(map, out))
  return 0
})

/** Copies an element of a hash for user space and deletes it. `(map, key, out, flags)` */
export const mapTake = routine('map_take', ['i32', 'i32', 'i32', 'i32'], 'i32', (f, map, key, out, flags) => {
  const result = f.local(mapCopyOut(map, key, out, flags))
  f.if(result.ne(0), () => f.return(result))
  return mapDelete(map, key)
})

/** Keeps a map alive: a program or another map refers to it. */
export const mapGet = routine('map_get', ['i32'], undefined, (f, map) => {
  f.add32(map, MAP.refs, 1)
})

/** Frees each element of a list linked by `ELEM.next`. */
const freeList = routine('map_free_list', ['i32'], undefined, (f, element) => {
  f.while(element.ne(0), () => {
    const next = f.local(element.load32(ELEM.next))
    f.do(free(element))
    f.set(element, next)
  })
})

/** Gives back everything that a map owns, and takes it out of the machine's list. */
const mapFree = routine('map_free', ['i32'], undefined, (f, map) => {
  f.do(asyncCancelAll(map))
  f.if(map.load32(MAP.flags).and(NO_PREALLOC).and(map.load32(MAP.buckets).ne(0)), () => {
    const bucket = f.local(map.load32(MAP.buckets))
    const left = f.local(map.load32(MAP.bucketMask).add(1))
    f.while(left.ne(0), () => {
      f.do(freeList(bucket.load32()))
      f.set(bucket, bucket.add(4))
      f.set(left, left.sub(1))
    })
    f.do(freeList(map.load32(MAP.freeElems)))
  })
  for (const owned of [MAP.storage, MAP.buckets, MAP.spares, MAP.io]) f.do(free(map.load32(owned)))
  const at = f.local(machine.add(MACHINE.maps))
  f.while(at.load32().ne(map), () => f.set(at, at.load32().add(MAP.next)))
  f.store32(at, 0, map.load32(MAP.next))
  f.store32(map, MAP.magic, 0)
  f.do(free(map))
})

/** Drops a reference; the last one frees the map. */
export const mapPut = routine('map_put', ['i32'], undefined, (f, map) => {
  f.add32(map, MAP.refs, -1)
  f.if(map.load32(MAP.refs).eqz(), () => f.do(mapFree(map)))
})

/** One more user reference: a file descriptor or a pin (1.14). */
export const mapUserGet = routine('map_user_get', ['i32'], undefined, (f, map) => {
  f.add32(map, MAP.refs, 1)
  f.add32(map, MAP.urefs, 1)
})

/** One user reference less: at the last one everything asynchronous in the map is cancelled (1.14). */
export const mapUserPut = routine('map_user_put', ['i32'], undefined, (f, map) => {
  forgetWait(f)
  f.add32(map, MAP.urefs, -1)
  f.if(map.load32(MAP.urefs).eqz(), () => f.do(asyncCancelAll(map)))
  f.do(mapPut(map))
})
