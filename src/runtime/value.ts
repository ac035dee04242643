/**
 * Keys and values as bytes: comparing, hashing and copying. Every copy of a value goes around its special fields (2.7):
 * spin lock, timer, workqueue and task work keep what the destination has, and come back to user space as zeros.
 */
import { i64, routine } from '../wasm/index.js'
import { MAP, RANGE } from './layout.js'

/** 1 if two keys of `size` bytes are equal. */
export const keyEqual = routine('key_equal', ['i32', 'i32', 'i32'], 'i32', (f, a, b, size) => {
  f.while(size.geU(8), () => {
    f.if(a.load64().ne(b.load64()), () => f.return(0))
    f.set(a, a.add(8))
    f.set(b, b.add(8))
    f.set(size, size.sub(8))
  })
  f.if(size.and(4), () => {
    f.if(a.load32().ne(b.load32()), () => f.return(0))
    f.set(a, a.add(4))
    f.set(b, b.add(4))
  })
  f.set(size, size.and(3))
  f.while(size.ne(0), () => {
    f.if(a.load8().ne(b.load8()), () => f.return(0))
    f.set(a, a.add(1))
    f.set(b, b.add(1))
    f.set(size, size.sub(1))
  })
  return 1
})

/** Multiplier of the hash function: 2^64 divided by the golden ratio, odd. */
export const HASH_MULTIPLIER = 0x9e3779b97f4a7c15n

/**
 * Hash of a key of `size` bytes: each 8 bytes are xored into the seeded state, multiplied and folded. Seeded per map, one
 * multiplication per 8 bytes; the shortest of the functions measured that is not trivially attacked.
 */
export const keyHash = routine('key_hash', ['i32', 'i32', 'i64'], 'i32', (f, key, size, state) => {
  const absorb = (word: ReturnType<typeof i64>): void => {
    f.set(state, state.xor(word).mul(i64(HASH_MULTIPLIER)))
    f.set(state, state.xor(state.shrU(32)))
  }
  f.while(size.geU(8), () => {
    absorb(key.load64())
    f.set(key, key.add(8))
    f.set(size, size.sub(8))
  })
  f.if(size.and(4), () => {
    absorb(key.load32().wide())
    f.set(key, key.add(4))
  })
  f.if(size.and(3), () => {
    const tail = f.var64(1)
    f.set(size, size.and(3))
    f.while(size.ne(0), () => {
      f.set(tail, tail.shl(8).or(key.load8().wide()))
      f.set(key, key.add(1))
      f.set(size, size.sub(1))
    })
    absorb(tail)
  })
  return state.low()
})

/** Copies a value around its special fields. `(map, to, from)` */
export const copyValue = routine('copy_value', ['i32', 'i32', 'i32'], undefined, (f, map, to, from) => {
  f.if(map.load32(MAP.specialCount).eqz(), () => {
    f.copy(to, from, map.load32(MAP.valueSize))
    f.return()
  })
  const left = f.local(map.load32(MAP.copyCount))
  const range = f.local(map)
  f.while(left.ne(0), () => {
    const offset = f.local(range.load32(MAP.copies + RANGE.offset))
    f.copy(to.add(offset), from.add(offset), range.load32(MAP.copies + RANGE.length))
    f.set(range, range.add(RANGE.size))
    f.set(left, left.sub(1))
  })
})

/** Clears the special fields of a value that no program sees yet, or of a copy for user space. `(map, value)` */
export const clearSpecial = routine('clear_special', ['i32', 'i32'], undefined, (f, map, value) => {
  const left = f.local(map.load32(MAP.specialCount))
  const range = f.local(map)
  f.while(left.ne(0), () => {
    f.fill(value.add(range.load32(MAP.special + RANGE.offset)), 0, range.load32(MAP.special + RANGE.length))
    f.set(range, range.add(RANGE.size))
    f.set(left, left.sub(1))
  })
})
