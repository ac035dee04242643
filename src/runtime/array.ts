/**
 * ARRAY: every element exists from the start, zero; nothing is ever deleted. Update in place, then the special fields of
 * the element are cancelled, with BPF_F_LOCK too (2.8, imitated from Linux 6.18). Recipes over a `Shape`, as in `hash.ts`.
 */
import { type Fn, type Local, routine } from '../wasm/index.js'
import { error, type I32 } from './common.js'
import { BLOCKED, MAP } from './layout.js'
import { decide, generalShape, type Shape } from './shape.js'
import { spinRelease, spinTryLock } from './spin-lock.js'
import { cancelElement, putValue } from './value.js'

/** `BPF_*` flags of updates. */
export const NOEXIST = 1
export const EXIST = 2
export const F_LOCK = 4

/** What `bpf_map_update_elem` needs besides the map. */
export interface Update {
  readonly key: Local<'i32'>
  readonly from: Local<'i32'>
  readonly flags: Local<'i32'>
  readonly cpu: Local<'i32'>
}

/** Address of element `index`, which must exist. */
export function elementAt({ word }: Shape, index: I32): I32 {
  return index.mul(word(MAP.stride)).add(word(MAP.storage))
}

/** Address of the value, or 0; without `return`, so that it can be written in place of a call. */
export function arrayLookupIn(f: Fn, shape: Shape, key: I32, offset = 0): I32 {
  const index = f.local(key.load32(offset))
  return index.ltU(shape.word(MAP.maxEntries)).select(elementAt(shape, index), 0)
}

/** 0, -EINVAL, -E2BIG, -EEXIST, or BLOCKED while another holds the element's lock. */
export function arrayUpdateIn(f: Fn, shape: Shape, { key, from, flags }: Omit<Update, 'cpu'>): number {
  f.if(flags.and(~F_LOCK).gtU(EXIST), () => f.return(error.EINVAL))
  const index = f.local(key.load32())
  f.if(index.geU(shape.word(MAP.maxEntries)), () => f.return(error.E2BIG))
  f.if(flags.and(NOEXIST), () => f.return(error.EEXIST))
  const element = f.local(elementAt(shape, index))
  f.if(flags.and(F_LOCK), () =>
    decide(
      f,
      shape.lockable,
      () => {
        const lock = f.local(element.add(shape.word(MAP.lockOffset)))
        f.if(spinTryLock(lock).eqz(), () => f.return(BLOCKED))
        putValue(f, shape, element, from)
        f.do(spinRelease(lock))
        cancelElement(f, shape, element)
        f.return(0)
      },
      () => f.return(error.EINVAL),
    ),
  )
  putValue(f, shape, element, from)
  cancelElement(f, shape, element)
  return 0
}

/** `bpf_map_lookup_elem`. `(map, key)` */
export const arrayLookup = routine('array_lookup', ['i32', 'i32'], 'i32', (f, map, key) =>
  arrayLookupIn(f, generalShape(map), key),
)

/** `bpf_map_update_elem`: see `arrayUpdateIn`. `(map, key, value, flags)` */
export const arrayUpdate = routine('array_update', ['i32', 'i32', 'i32', 'i32'], 'i32', (f, map, key, from, flags) =>
  arrayUpdateIn(f, generalShape(map), { key, from, flags }),
)

/** The key after `key` (0 = from the start), written to `next`: 0, or -ENOENT after the last. `(map, key, next)` */
export const arrayNextKey = routine('array_next_key', ['i32', 'i32', 'i32'], 'i32', (f, map, key, next) => {
  const index = f.var32(-1)
  f.if(key.ne(0), () => f.set(index, key.load32()))
  f.if(index.geU(map.load32(MAP.maxEntries)), () => {
    f.store32(next, 0, 0)
    f.return(0)
  })
  f.if(index.eq(map.load32(MAP.maxEntries).sub(1)), () => f.return(error.ENOENT))
  f.store32(next, 0, index.add(1))
  return 0
})
