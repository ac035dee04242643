/**
 * HASH and LRU_HASH: buckets of linked elements (imitated from Linux 6.18 in what programs can see).
 *
 * - An update of an existing key puts a new element in place of the old one; a pointer to the old one keeps seeing the old
 *   bytes (1.12). Only BPF_F_LOCK writes in place, and then cancels nothing (2.8).
 * - Freed elements are given out again at once, last in first out (8b.1). Preallocated maps hold one spare element per
 *   CPU beyond max_entries: an update takes the CPU's spare and leaves the old element as the next spare, so two updates
 *   bring the first address back. NO_PREALLOC maps take and leave elements on the map's free list to the same effect.
 * - Insertion copies around special fields. A preallocated element keeps what its cells hold (empty, save for the stale
 *   pointer of 1.12); NO_PREALLOC clears them. Defined by us: an object still there is cancelled first.
 * - Defined by us: the order of iteration (bucket by bucket, newest first), and for LRU_HASH see `lru.ts`; a replacement
 *   never evicts, because the spare takes it.
 */
import { routine } from '../wasm/index.js'
import { alloc } from './alloc.js'
import { EXIST, F_LOCK, NOEXIST } from './array.js'
import { freeFields } from './async.js'
import { error, type I32 } from './common.js'
import { keyEqual, keyHash } from './key.js'
import { BLOCKED, ELEM, MAP } from './layout.js'
import { lruAdd, lruRemove, lruTouch } from './lru.js'
import { spinRelease, spinTryLock } from './spin-lock.js'
import { clearSpecial, copyValue } from './value.js'

const LRU_HASH = 9
const NO_PREALLOC = 1

const isLru = (map: I32): I32 => map.load32(MAP.type).eq(LRU_HASH)
const isDynamic = (map: I32): I32 => map.load32(MAP.flags).and(NO_PREALLOC)
const keyOf = (element: I32): I32 => element.add(ELEM.size)

/** Address of the head of the bucket of a hash. */
const bucketOf = (map: I32, hash: I32): I32 => map.load32(MAP.buckets).add(hash.and(map.load32(MAP.bucketMask)).shl(2))

/** The element of a key, or 0. `(map, key, hash)` */
const find = routine('hash_find', ['i32', 'i32', 'i32'], 'i32', (f, map, key, hash) => {
  const element = f.local(bucketOf(map, hash).load32())
  const size = f.local(map.load32(MAP.keySize))
  f.while(element.ne(0), (end) => {
    f.breakIf(
      end,
      element
        .load32(ELEM.hash)
        .eq(hash)
        .andThen(keyEqual(keyOf(element), key, size)),
    )
    f.set(element, element.load32(ELEM.next))
  })
  return element
})

/** Takes an element out of its bucket. `(map, element)` */
const unlink = routine('hash_unlink', ['i32', 'i32'], undefined, (f, map, element) => {
  const at = f.local(bucketOf(map, element.load32(ELEM.hash)))
  f.while(at.load32().ne(element), () => f.set(at, at.load32().add(ELEM.next)))
  f.store32(at, 0, element.load32(ELEM.next))
  f.if(isLru(map), () => f.do(lruRemove(map, element)))
})

/** Puts an element on the list of free ones. `(map, element)` */
const recycle = routine('hash_recycle', ['i32', 'i32'], undefined, (f, map, element) => {
  f.store32(element, ELEM.next, map.load32(MAP.freeElems))
  f.store32(map, MAP.freeElems, element)
})

/** Takes an element out of the map: unlinked, its special fields cancelled, free. `(map, element)` */
const remove = routine('hash_remove', ['i32', 'i32'], undefined, (f, map, element) => {
  f.do(unlink(map, element))
  f.add32(map, MAP.count, -1)
  f.do(freeFields(map, element.add(map.load32(MAP.valueOffset))))
  f.do(recycle(map, element))
})

/** The first free element, or 0. */
const pop = routine('hash_pop', ['i32'], 'i32', (f, map) => {
  const element = f.local(map.load32(MAP.freeElems))
  f.if(element.ne(0), () => f.store32(map, MAP.freeElems, element.load32(ELEM.next)))
  return element
})

/** A free element of a NO_PREALLOC map, its special fields empty; -E2BIG, -ENOMEM. `(map, replaces)` */
const obtainDynamic = routine('hash_obtain_dynamic', ['i32', 'i32'], 'i32', (f, map, replaces) => {
  f.if(replaces.eqz().and(map.load32(MAP.count).geU(map.load32(MAP.maxEntries))), () => f.return(error.E2BIG))
  const element = f.local(pop(map))
  f.if(element.eqz(), () => {
    f.set(element, alloc(map.load32(MAP.stride)))
    f.if(element.eqz(), () => f.return(error.ENOMEM))
    f.fill(element, 0, map.load32(MAP.stride))
    f.add32(map, MAP.allocated, 1)
  })
  const value = f.local(element.add(map.load32(MAP.valueOffset)))
  f.do(freeFields(map, value))
  f.do(clearSpecial(map, value))
  return element
})

/** An element for a key: for one that `old` holds already, or a new one (`old` = 0); -E2BIG, -ENOMEM. `(map, old, cpu)` */
const obtain = routine('hash_obtain', ['i32', 'i32', 'i32'], 'i32', (f, map, old, cpu) => {
  f.if(isDynamic(map), () => f.return(obtainDynamic(map, old)))
  f.if(old.ne(0), () => f.return(map.load32(MAP.spares).add(cpu.shl(2)).load32()))
  const element = f.local(pop(map))
  f.if(element.ne(0), () => f.return(element))
  f.if(isLru(map).eqz(), () => f.return(error.E2BIG))
  f.do(remove(map, map.load32(MAP.lruTail)))
  return pop(map)
})

/** Address of the value for user space, or 0: it does not count as a use. `(map, key)` */
export const hashPeek = routine('hash_peek', ['i32', 'i32'], 'i32', (f, map, key) => {
  const element = f.local(find(map, key, keyHash(map, key)))
  f.if(element.eqz(), () => f.return(0))
  return element.add(map.load32(MAP.valueOffset))
})

/** `bpf_map_lookup_elem`: address of the value, or 0. `(map, key)` */
export const hashLookup = routine('hash_lookup', ['i32', 'i32'], 'i32', (f, map, key) => {
  const element = f.local(find(map, key, keyHash(map, key)))
  f.if(element.eqz(), () => f.return(0))
  f.if(isLru(map), () => f.do(lruTouch(map, element)))
  return element.add(map.load32(MAP.valueOffset))
})

/** Writes an existing element in place under its lock: 0, or BLOCKED. `(map, element, value)` */
const updateLocked = routine('hash_update_locked', ['i32', 'i32', 'i32'], 'i32', (f, map, element, from) => {
  const value = f.local(element.add(map.load32(MAP.valueOffset)))
  const lock = f.local(value.add(map.load32(MAP.lockOffset)))
  f.if(spinTryLock(lock).eqz(), () => f.return(BLOCKED))
  f.do(copyValue(map, value, from))
  f.do(spinRelease(lock))
  return 0
})

/**
 * 0, or -EINVAL (flags), -EEXIST, -ENOENT, -E2BIG (full), -ENOMEM; BLOCKED while another holds the lock that BPF_F_LOCK
 * asks for. `(map, key, value, flags, cpu)`
 */
export const hashUpdate = routine(
  'hash_update',
  ['i32', 'i32', 'i32', 'i32', 'i32'],
  'i32',
  (f, map, key, from, flags, cpu) => {
    const known = flags.and(~F_LOCK).leU(EXIST)
    f.if(known.eqz(), () => f.return(error.EINVAL))
    f.if(flags.and(F_LOCK), () => {
      f.if(isLru(map).or(map.load32(MAP.lockOffset).eq(-1)), () => f.return(error.EINVAL))
    })
    const hash = f.local(keyHash(map, key))
    const old = f.local(find(map, key, hash))
    f.if(
      old.ne(0),
      () => f.if(flags.and(NOEXIST), () => f.return(error.EEXIST)),
      () => f.if(flags.and(EXIST), () => f.return(error.ENOENT)),
    )
    f.if(old.ne(0).and(flags.and(F_LOCK).ne(0)), () => f.return(updateLocked(map, old, from)))
    const element = f.local(obtain(map, old, cpu))
    f.if(element.ltS(0), () => f.return(element))
    f.store32(element, ELEM.hash, hash)
    f.copy(keyOf(element), key, map.load32(MAP.keySize))
    f.do(copyValue(map, element.add(map.load32(MAP.valueOffset)), from))
    f.if(
      old.ne(0),
      () => {
        f.do(unlink(map, old))
        f.do(freeFields(map, old.add(map.load32(MAP.valueOffset))))
        f.if(
          isDynamic(map),
          () => f.do(recycle(map, old)),
          () => f.store32(map.load32(MAP.spares).add(cpu.shl(2)), 0, old),
        )
      },
      () => f.add32(map, MAP.count, 1),
    )
    const bucket = f.local(bucketOf(map, hash))
    f.store32(element, ELEM.next, bucket.load32())
    f.store32(bucket, 0, element)
    f.if(isLru(map), () => f.do(lruAdd(map, element)))
    return 0
  },
)

/** 0 or -ENOENT. `(map, key)` */
export const hashDelete = routine('hash_delete', ['i32', 'i32'], 'i32', (f, map, key) => {
  const element = f.local(find(map, key, keyHash(map, key)))
  f.if(element.eqz(), () => f.return(error.ENOENT))
  f.do(remove(map, element))
  return 0
})

/**
 * The key after `key`, written to `next`: 0, or -ENOENT after the last. `key` 0, or one that is not in the map, starts
 * from the beginning. `(map, key, next)`
 */
export const hashNextKey = routine('hash_next_key', ['i32', 'i32', 'i32'], 'i32', (f, map, key, next) => {
  const element = f.var32()
  const bucket = f.var32()
  f.if(key.ne(0), () => {
    const hash = f.local(keyHash(map, key))
    f.set(element, find(map, key, hash))
    f.if(element.ne(0), () => {
      f.set(element, element.load32(ELEM.next))
      f.set(bucket, hash.and(map.load32(MAP.bucketMask)).add(1))
    })
  })
  f.while(element.eqz(), () => {
    f.if(bucket.gtU(map.load32(MAP.bucketMask)), () => f.return(error.ENOENT))
    f.set(element, map.load32(MAP.buckets).add(bucket.shl(2)).load32())
    f.set(bucket, bucket.add(1))
  })
  f.copy(next, keyOf(element), map.load32(MAP.keySize))
  return 0
})

/** Makes the elements of a new preallocated map: spares first, then the free list in order of address. `(map, cpus)` */
export const hashPrepare = routine('hash_prepare', ['i32', 'i32'], undefined, (f, map, cpus) => {
  const stride = f.local(map.load32(MAP.stride))
  const element = f.local(map.load32(MAP.storage).add(stride.mul(map.load32(MAP.maxEntries).add(cpus))))
  const spare = f.local(cpus)
  f.while(spare.ne(0), () => {
    f.set(spare, spare.sub(1))
    f.set(element, element.sub(stride))
    f.store32(map.load32(MAP.spares).add(spare.shl(2)), 0, element)
  })
  f.while(element.ne(map.load32(MAP.storage)), () => {
    f.set(element, element.sub(stride))
    f.do(recycle(map, element))
  })
})
