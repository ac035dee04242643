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
 * - Defined by us: the order of iteration (bucket by bucket, newest key first), and for LRU_HASH see `lru.ts`; a replacement
 *   never evicts, because the spare takes it.
 *
 * Each operation is a recipe over a `Shape`, for any map or for one.
 */
import { type Fn, type Local, routine } from '../wasm/index.js'
import { alloc } from './alloc.js'
import { EXIST, F_LOCK, NOEXIST, type Update } from './array.js'
import { error, type I32 } from './common.js'
import { bucketOf, type Key, readKey } from './key.js'
import { BLOCKED, ELEM, MAP } from './layout.js'
import { lruAdd, lruLast, lruPrepare, lruRemove, lruTouch } from './lru.js'
import { decide, generalShape, type Shape } from './shape.js'
import { spinRelease, spinTryLock } from './spin-lock.js'
import { cancelElement, clearElement, putValue } from './value.js'

const valueIn = ({ word }: Shape, element: I32): I32 => element.add(word(MAP.valueOffset))

/** Where a search ended. */
interface Place {
  /** Address of the head of the bucket. */
  readonly bucket: Local<'i32'>
  /** Address of the word that links to the element. */
  readonly link: Local<'i32'>
  /** The element, or 0. */
  readonly element: Local<'i32'>
}

/** What to do on the way through a bucket. */
interface Steps {
  next(): void
  isSame(): I32
  found(): void
}

/**
 * Goes through a bucket from its first element on until one is the same, or none is left (0). The first is looked at ahead of
 * the loop: it is nearly always the one, and engines make every round of a loop pay for being one.
 */
function probe(f: Fn, element: Local<'i32'>, { next, isSame, found }: Steps): void {
  f.block((end) => {
    const look = (): void => {
      f.breakIf(end, element.eqz())
      f.if(isSame(), () => {
        found()
        f.break(end)
      })
      next()
    }
    look()
    f.forever(look)
  })
}

/** Searches a key. */
function find(f: Fn, key: Key): Place {
  const bucket = f.local(key.bucket)
  const link = f.local(bucket)
  const element = f.local(bucket.load32())
  probe(f, element, {
    next() {
      f.set(link, element)
      f.set(element, element.load32(ELEM.next))
    },
    isSame: () => key.sameAs(element),
    found: () => {},
  })
  return { bucket, link, element }
}

/** Puts an element on the list of free ones. */
function recycle(f: Fn, { map }: Shape, element: I32): void {
  f.store32(element, ELEM.next, map.load32(MAP.freeElems))
  f.store32(map, MAP.freeElems, element)
}

/** Takes the first free element; 0 if there is none. */
function pop(f: Fn, { map }: Shape, element: Local<'i32'>): void {
  f.set(element, map.load32(MAP.freeElems))
  f.if(element.ne(0), () => f.store32(map, MAP.freeElems, element.load32(ELEM.next)))
}

/** Sets `element` to a free one of a NO_PREALLOC map, its special fields empty; returns -ENOMEM. */
function obtainDynamic(f: Fn, shape: Shape, element: Local<'i32'>): void {
  const { map, word } = shape
  pop(f, shape, element)
  f.if(element.eqz(), () => {
    f.set(element, alloc(word(MAP.stride)))
    f.if(element.eqz(), () => f.return(error.ENOMEM))
    f.fill(element, 0, word(MAP.stride))
    f.add32(map, MAP.allocated, 1)
  })
  cancelElement(f, shape, element)
  clearElement(f, shape, element)
}

/** Takes the least recent element of a full LRU_HASH out of the map. */
function evict(f: Fn, shape: Shape, element: Local<'i32'>): void {
  f.set(element, lruLast(shape))
  const link = f.local(bucketOf(shape, element.load32(ELEM.hash)))
  f.while(link.load32(ELEM.next).ne(element), () => f.set(link, link.load32(ELEM.next)))
  f.store32(link, ELEM.next, element.load32(ELEM.next))
  lruRemove(f, shape, element)
  f.add32(shape.map, MAP.count, -1)
  cancelElement(f, shape, element)
}

/** Sets `element` to one for a new key; returns -E2BIG, -ENOMEM. */
function obtain(f: Fn, shape: Shape, element: Local<'i32'>): void {
  const { map, word, dynamic, lru } = shape
  decide(
    f,
    dynamic,
    () => {
      f.if(map.load32(MAP.count).geU(word(MAP.maxEntries)), () => f.return(error.E2BIG))
      obtainDynamic(f, shape, element)
    },
    () => {
      pop(f, shape, element)
      f.if(element.eqz(), () =>
        decide(
          f,
          lru,
          () => evict(f, shape, element),
          () => f.return(error.E2BIG),
        ),
      )
    },
  )
}

/** Puts a new element in the place of the one found. */
function replace(f: Fn, shape: Shape, key: Key, from: I32, cpu: I32, { link: before, element: old }: Place): void {
  const spare = f.local(shape.word(MAP.spares).add(cpu.shl(2)))
  const element = f.var32()
  decide(
    f,
    shape.dynamic,
    () => obtainDynamic(f, shape, element),
    () => f.set(element, spare.load32()),
  )
  key.put(f, element)
  putValue(f, shape, element, from)
  f.store32(element, ELEM.next, old.load32(ELEM.next))
  f.store32(before, ELEM.next, element)
  decide(f, shape.lru, () => {
    lruRemove(f, shape, old)
    lruAdd(f, shape, element)
  })
  cancelElement(f, shape, old)
  decide(
    f,
    shape.dynamic,
    () => recycle(f, shape, old),
    () => f.store32(spare, 0, old),
  )
}

/** Writes an element in place under its lock; returns BLOCKED if another holds it. */
function updateLocked(f: Fn, shape: Shape, from: I32, element: I32): void {
  const lock = f.local(valueIn(shape, element).add(shape.word(MAP.lockOffset)))
  f.if(spinTryLock(lock).eqz(), () => f.return(BLOCKED))
  putValue(f, shape, element, from)
  f.do(spinRelease(lock))
}

/** Address of the value, or 0; `touch`: it counts as a use. Without `return`, so that it can be written in place of a call. */
export function hashLookupIn(f: Fn, shape: Shape, key: Key, touch: boolean): Local<'i32'> {
  const element = f.local(key.bucket.load32())
  probe(f, element, {
    next: () => f.set(element, element.load32(ELEM.next)),
    isSame: () => key.sameAs(element),
    found() {
      if (touch) decide(f, shape.lru, () => lruTouch(f, shape, element))
      f.set(element, valueIn(shape, element))
    },
  })
  return element
}

/**
 * 0, or -EINVAL (flags), -EEXIST, -ENOENT, -E2BIG (full), -ENOMEM; BLOCKED while another holds the lock that BPF_F_LOCK
 * asks for.
 */
export function hashUpdateIn(f: Fn, shape: Shape, { key: at, from, flags, cpu }: Update): I32 | number {
  const { map, lru, lockable } = shape
  const refuse = (): void => f.return(error.EINVAL)
  f.if(flags.and(~F_LOCK).gtU(EXIST), refuse)
  f.if(flags.and(F_LOCK), () => {
    decide(f, lru, refuse)
    decide(f, lockable, () => {}, refuse)
  })
  const key = readKey(f, shape, at)
  const place = find(f, key)
  f.if(place.element.ne(0), () => {
    f.if(flags.and(NOEXIST), () => f.return(error.EEXIST))
    if (lockable !== false) {
      f.if(flags.and(F_LOCK), () => {
        updateLocked(f, shape, from, place.element)
        f.return(0)
      })
    }
    replace(f, shape, key, from, cpu, place)
    f.return(0)
  })
  f.if(flags.and(EXIST), () => f.return(error.ENOENT))
  const element = f.var32()
  obtain(f, shape, element)
  key.put(f, element)
  putValue(f, shape, element, from)
  f.add32(map, MAP.count, 1)
  f.store32(element, ELEM.next, place.bucket.load32())
  f.store32(place.bucket, 0, element)
  decide(f, lru, () => lruAdd(f, shape, element))
  return 0
}

/** 0 or -ENOENT. */
export function hashDeleteIn(f: Fn, shape: Shape, key: Local<'i32'>): number {
  const { link: before, element } = find(f, readKey(f, shape, key))
  f.if(element.eqz(), () => f.return(error.ENOENT))
  f.store32(before, ELEM.next, element.load32(ELEM.next))
  decide(f, shape.lru, () => lruRemove(f, shape, element))
  f.add32(shape.map, MAP.count, -1)
  cancelElement(f, shape, element)
  recycle(f, shape, element)
  return 0
}

/** Address of the value for user space, or 0: it does not count as a use. `(map, key)` */
export const hashPeek = routine('hash_peek', ['i32', 'i32'], 'i32', (f, map, key) =>
  hashLookupIn(f, generalShape(map), readKey(f, generalShape(map), key), false),
)

/** `bpf_map_lookup_elem`: address of the value, or 0. `(map, key)` */
export const hashLookup = routine('hash_lookup', ['i32', 'i32'], 'i32', (f, map, key) =>
  hashLookupIn(f, generalShape(map), readKey(f, generalShape(map), key), true),
)

/** `bpf_map_update_elem`: see `hashUpdateIn`. `(map, key, value, flags, cpu)` */
export const hashUpdate = routine(
  'hash_update',
  ['i32', 'i32', 'i32', 'i32', 'i32'],
  'i32',
  (f, map, key, from, flags, cpu) => hashUpdateIn(f, generalShape(map), { key, from, flags, cpu }),
)

/** `bpf_map_delete_elem`: 0 or -ENOENT. `(map, key)` */
export const hashDelete = routine('hash_delete', ['i32', 'i32'], 'i32', (f, map, key) =>
  hashDeleteIn(f, generalShape(map), key),
)

/**
 * The key after `key`, written to `next`: 0, or -ENOENT after the last. `key` 0, or one that is not in the map, starts
 * from the beginning. `(map, key, next)`
 */
export const hashNextKey = routine('hash_next_key', ['i32', 'i32', 'i32'], 'i32', (f, map, key, next) => {
  const element = f.var32()
  const bucket = f.var32()
  f.if(key.ne(0), () => {
    const shape = generalShape(map)
    const sought = readKey(f, shape, key)
    const found = find(f, sought).element
    f.if(found.ne(0), () => {
      f.set(element, found.load32(ELEM.next))
      f.set(bucket, sought.hash.shrU(map.load32(MAP.bucketShift)).add(1))
    })
  })
  f.while(element.eqz(), () => {
    f.if(bucket.gtU(map.load32(MAP.bucketMask)), () => f.return(error.ENOENT))
    f.set(element, map.load32(MAP.buckets).add(bucket.shl(2)).load32())
    f.set(bucket, bucket.add(1))
  })
  f.copy(next, element.add(ELEM.size), map.load32(MAP.keySize))
  return 0
})

/** Makes the elements of a new preallocated map: spares first, then the free list in order of address. `(map, cpus)` */
export const hashPrepare = routine('hash_prepare', ['i32', 'i32'], undefined, (f, map, cpus) => {
  const stride = f.local(map.load32(MAP.stride))
  const element = f.local(map.load32(MAP.storage).add(stride.mul(map.load32(MAP.maxEntries).add(cpus))))
  const spare = f.local(cpus)
  lruPrepare(f, generalShape(map))
  f.while(spare.ne(0), () => {
    f.set(spare, spare.sub(1))
    f.set(element, element.sub(stride))
    f.store32(map.load32(MAP.spares).add(spare.shl(2)), 0, element)
  })
  f.while(element.ne(map.load32(MAP.storage)), () => {
    f.set(element, element.sub(stride))
    recycle(f, generalShape(map), element)
  })
})
