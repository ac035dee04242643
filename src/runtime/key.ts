/**
 * Keys of hashes as bytes: hashing, comparing, storing. Where the size is known, the key's words are read once into
 * variables and everything is straight code; else keys of 4 and 8 bytes, which most maps have, take straight code, and any
 * other length a loop. Both ways give the same hash, because they work on the same maps.
 *
 * The hash is defined by us (Linux has jhash): per 8 bytes one xor with the seeded state and one multiplication, and a fold
 * before the next; of the functions measured the shortest that a program cannot trivially drive into collisions. The upper
 * half of the last product is the hash, its uppermost bits choose the bucket: they depend on every bit of the key, while the
 * lower ones do not see what differs above them. What is left after whole words of 8 and 4 bytes is one more word: the last 1 to 3 bytes below a 1.
 */
import { type Fn, i32, i64, type Local, routine, type Value } from '../wasm/index.js'
import type { I32 } from './common.js'
import { ELEM, MAP } from './layout.js'
import type { Shape } from './shape.js'
import { readWords, sameWords, type Word, writeWords } from './words.js'

/** Multiplier of the hash function: 2^64 divided by the golden ratio, odd. */
export const HASH_MULTIPLIER = 0x9e3779b97f4a7c15n

/** Longest key, in bytes, that is hashed and compared by straight code. */
const LONGEST_STRAIGHT = 64

/** Longest key of which the bytes alone are compared; for longer ones the hash is looked at first. */
const LONGEST_UNHASHED = 16

/** A key under search. */
export interface Key {
  readonly hash: I32
  /** Address of the head of its bucket. */
  readonly bucket: I32
  /** Whether an element has this key. */
  sameAs(element: I32): I32
  /** Writes hash and key into an element. */
  put(f: Fn, element: I32): void
}

/** Address of the head of the bucket of a hash. */
export function bucketOf({ word }: Shape, hash: I32): I32 {
  return hash.shrU(word(MAP.bucketShift)).shl(2).add(word(MAP.buckets))
}

/** Mixes 8 bytes into the state. */
function absorb(state: Value<'i64'>, word: Value<'i64'>): Value<'i64'> {
  return state.xor(word).mul(i64(HASH_MULTIPLIER))
}

/** Between two words: what the upper bits know reaches the lower ones. */
function fold(f: Fn, state: Value<'i64'>): Value<'i64'> {
  const whole = f.local(state)
  return whole.xor(whole.shrU(32))
}

/** The last product over words: its upper half is their hash. */
function mixWords(f: Fn, words: readonly Word[], seed: Value<'i64'>): Value<'i64'> {
  const whole: Value<'i64'>[] = []
  let tail: I32 = i32(1)
  for (const { width, value } of words) {
    if (width === 8) whole.push(value)
    else if (width === 4) whole.push(value.wide())
    else tail = tail.shl(8 * width).or(value)
  }
  if (words.some(({ width }) => width < 4)) whole.push(tail.wide())
  const [first = i64(0), ...others] = whole
  return others.reduce((before, word) => absorb(fold(f, before), word), absorb(seed, first))
}

/** Hash of any number of bytes. `(key, size, seed)` */
const hashAny = routine('key_hash', ['i32', 'i32', 'i64'], 'i32', (f, key, size, state) => {
  const next = (word: Value<'i64'>): void => {
    f.set(state, absorb(state.xor(state.shrU(32)), word))
  }
  // The first word meets the seed as it is: this is undone by the fold that comes before every word.
  f.set(state, state.xor(state.shrU(32)))
  f.while(size.geU(8), () => {
    next(key.load64())
    f.set(key, key.add(8))
    f.set(size, size.sub(8))
  })
  f.if(size.and(4), () => {
    next(key.load32().wide())
    f.set(key, key.add(4))
  })
  f.if(size.and(3), () => {
    const tail = f.var32(1)
    f.if(size.and(2), () => {
      f.set(tail, i32(0x10000).or(key.load16()))
      f.set(key, key.add(2))
    })
    f.if(size.and(1), () => f.set(tail, tail.shl(8).or(key.load8())))
    next(tail.wide())
  })
  return state.high()
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

/** Hash of a key of a map of which nothing is known. `(map, key)` */
const hashOf = routine('key_hash_of', ['i32', 'i32'], 'i32', (f, map, key) => {
  const size = f.local(map.load32(MAP.keySize))
  const seed = map.load64(MAP.hashSeed)
  for (const known of [4, 8]) {
    f.if(size.eq(known), () => f.return(mixWords(f, readWords(f, key, 0, known), seed).high()))
  }
  return hashAny(key, size, seed)
})

/** Whether two keys of `size` bytes are equal: a comparison, or a call for unusual sizes. */
function sameBytes(a: I32, b: I32, size: I32): I32 {
  const others = size
    .eq(8)
    .andThen(a.load64().eq(b.load64()))
    .orElse(size.ne(8).andThen(sameAny(a, b, size)))
  return size.eq(4).andThen(a.load32().eq(b.load32())).orElse(size.ne(4).andThen(others))
}

/** Reads and hashes the key at an address + `offset`, for one search. */
export function readKey(f: Fn, shape: Shape, at: Local<'i32'>, offset = 0): Key {
  const size = shape.known?.keySize
  if (!shape.known || size === undefined || size > LONGEST_STRAIGHT) {
    const key = f.local(at.add(offset))
    const length = f.local(shape.word(MAP.keySize))
    const hash = f.local(size === undefined ? hashOf(shape.map, key) : hashAny(key, length, shape.seed))
    const same = size === undefined ? sameBytes : sameAny
    return {
      hash,
      bucket: bucketOf(shape, hash),
      sameAs: (element) =>
        element
          .load32(ELEM.hash)
          .eq(hash)
          .andThen(same(element.add(ELEM.size), key, length)),
      put(_f, element) {
        f.store32(element, ELEM.hash, hash)
        f.copy(element.add(ELEM.size), key, length)
      },
    }
  }
  const words = readWords(f, at, offset, size).map((word) => ({ ...word, at: word.at - offset }))
  const state = f.local(mixWords(f, words, shape.seed))
  const hash = state.high()
  const { bucketBits } = shape.known
  return {
    hash,
    bucket: state
      .shrU(64 - bucketBits)
      .low()
      .shl(2)
      .add(shape.word(MAP.buckets)),
    sameAs(element) {
      const same = sameWords(words, element, ELEM.size)
      return size <= LONGEST_UNHASHED ? same : element.load32(ELEM.hash).eq(hash).andThen(same)
    },
    put(_f, element) {
      f.store32(element, ELEM.hash, hash)
      writeWords(f, words, element, ELEM.size)
    },
  }
}
