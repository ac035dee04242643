/**
 * Keys of hashes as bytes: hashing and comparing. Keys of 4 and 8 bytes, which most maps have, take straight code; any other
 * length takes a loop. A compiler that knows a map's key size asks for `hashBytes` and `sameBytes` of that size and gets
 * nothing else.
 *
 * The hash is defined by us (Linux has jhash): per 8 bytes one xor with the seeded state, one multiplication and one fold;
 * of the functions measured the shortest that a program cannot trivially drive into collisions.
 */
import { type Fn, i64, type Local, routine, type Value } from '../wasm/index.js'
import type { I32 } from './common.js'
import { MAP } from './layout.js'

/** Multiplier of the hash function: 2^64 divided by the golden ratio, odd. */
export const HASH_MULTIPLIER = 0x9e3779b97f4a7c15n

/** Mixes 8 bytes into the state. */
function absorb(f: Fn, state: Local<'i64'>, word: Value<'i64'>): void {
  f.set(state, state.xor(word).mul(i64(HASH_MULTIPLIER)))
  f.set(state, state.xor(state.shrU(32)))
}

/** Hash of `size` bytes at `key`, a multiple of 4 known in advance, as straight code. */
export function hashBytes(f: Fn, key: I32, size: number, seed: Value<'i64'>): I32 {
  const state = f.local(seed)
  let at = 0
  for (; at + 8 <= size; at += 8) absorb(f, state, key.load64(at))
  if (at < size) absorb(f, state, key.load32(at).wide())
  return state.low()
}

/** Whether `size` bytes, a multiple of 4 known in advance, are equal: straight code. */
export function sameBytes(a: I32, b: I32, size: number): I32 {
  const tests: I32[] = []
  let at = 0
  for (; at + 8 <= size; at += 8) tests.push(a.load64(at).eq(b.load64(at)))
  if (at < size) tests.push(a.load32(at).eq(b.load32(at)))
  return tests.reduce((all, test) => all.andThen(test))
}

/** Hash of any number of bytes. `(key, size, seed)` */
const hashAny = routine('key_hash', ['i32', 'i32', 'i64'], 'i32', (f, key, size, state) => {
  f.while(size.geU(8), () => {
    absorb(f, state, key.load64())
    f.set(key, key.add(8))
    f.set(size, size.sub(8))
  })
  f.if(size.and(4), () => {
    absorb(f, state, key.load32().wide())
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
    absorb(f, state, tail)
  })
  return state.low()
})

/** 1 if any number of bytes are equal. `(a, b, size)` */
const sameAny = routine('key_equal', ['i32', 'i32', 'i32'], 'i32', (f, a, b, size) => {
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

/** Hash of a key of a map. `(map, key)` */
export const keyHash = routine('key_hash_of', ['i32', 'i32'], 'i32', (f, map, key) => {
  const size = f.local(map.load32(MAP.keySize))
  const seed = map.load64(MAP.hashSeed)
  for (const known of [4, 8]) f.if(size.eq(known), () => f.return(hashBytes(f, key, known, seed)))
  return hashAny(key, size, seed)
})

/** Whether two keys of `size` bytes are equal: a comparison, or a call for unusual sizes. */
export function keyEqual(a: I32, b: I32, size: I32): I32 {
  const others = size
    .eq(8)
    .andThen(sameBytes(a, b, 8))
    .orElse(size.ne(8).andThen(sameAny(a, b, size)))
  return size
    .eq(4)
    .andThen(sameBytes(a, b, 4))
    .orElse(size.ne(4).andThen(others))
}
