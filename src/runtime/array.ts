/**
 * ARRAY: every element exists from the start, zero; nothing is ever deleted. Update in place, then the special fields of
 * the element are cancelled, with BPF_F_LOCK too (2.8, imitated from Linux 6.18).
 */
import { routine } from '../wasm/index.js'
import { freeFields } from './async.js'
import { error, type I32 } from './common.js'
import { BLOCKED, MAP } from './layout.js'
import { spinRelease, spinTryLock } from './spin-lock.js'
import { copyValue } from './value.js'

/** `BPF_*` flags of updates. */
export const NOEXIST = 1
export const EXIST = 2
export const F_LOCK = 4

/** Address of element `index`, which must exist. */
export function arrayElement(map: I32, index: I32): I32 {
  return map.load32(MAP.storage).add(index.mul(map.load32(MAP.stride)))
}

/** Address of the value, or 0. `(map, key)` */
export const arrayLookup = routine('array_lookup', ['i32', 'i32'], 'i32', (f, map, key) => {
  const index = f.local(key.load32())
  f.if(index.geU(map.load32(MAP.maxEntries)), () => f.return(0))
  return arrayElement(map, index)
})

/** 0, -EINVAL, -E2BIG, -EEXIST, or BLOCKED while another holds the element's lock. `(map, key, value, flags)` */
export const arrayUpdate = routine('array_update', ['i32', 'i32', 'i32', 'i32'], 'i32', (f, map, key, value, flags) => {
  f.if(flags.and(~F_LOCK).gtU(EXIST), () => f.return(error.EINVAL))
  const index = f.local(key.load32())
  f.if(index.geU(map.load32(MAP.maxEntries)), () => f.return(error.E2BIG))
  f.if(flags.and(NOEXIST), () => f.return(error.EEXIST))
  const element = f.local(arrayElement(map, index))
  f.if(
    flags.and(F_LOCK),
    () => {
      f.if(map.load32(MAP.lockOffset).eq(-1), () => f.return(error.EINVAL))
      const lock = f.local(element.add(map.load32(MAP.lockOffset)))
      f.if(spinTryLock(lock).eqz(), () => f.return(BLOCKED))
      f.do(copyValue(map, element, value))
      f.do(spinRelease(lock))
    },
    () => f.do(copyValue(map, element, value)),
  )
  f.do(freeFields(map, element))
  return 0
})

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
