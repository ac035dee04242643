/**
 * What a routine knows of the map that it works on. The routines over maps are written once, against a `Shape`: for the
 * general routine every number of the map is a load from its descriptor; for one map that a compiler knows it is a
 * constant, and a question about it is answered while the code is written, so that nothing is emitted for what the map has
 * not. Only what never changes once the map exists is known; counts, free lists and the order of use are always read.
 */
import { type Fn, i32, i64, type Value } from '../wasm/index.js'
import type { I32 } from './common.js'
import { MAP, NO_FIELD, RANGE } from './layout.js'

const LRU_HASH = 9
const NO_PREALLOC = 1

/** A part of a value, in bytes. */
export interface Range {
  readonly offset: number
  readonly length: number
}

/** What is known of one map. */
export interface Known {
  readonly type: number
  readonly keySize: number
  readonly valueSize: number
  /** Hash: log2 of the number of buckets. */
  readonly bucketBits: number
  /** Offset of the value in an element; 0 for arrays. */
  readonly valueOffset: number
  /** Offsets of the spin lock, the timer and the workqueue in the value, if it has them. */
  readonly lock: number | undefined
  readonly timer: number | undefined
  readonly wq: number | undefined
  /** What special fields take, and what a copy copies. */
  readonly special: readonly Range[]
  readonly copies: readonly Range[]
}

/** A yes or no that is known, or that is found out when the code runs. */
export type Answer = boolean | I32

/** A map as a routine sees it. */
export interface Shape {
  /** Address of the descriptor. */
  readonly map: I32
  /** A word of the descriptor that never changes. */
  word(field: number): I32
  readonly seed: Value<'i64'>
  readonly lru: Answer
  /** BPF_F_NO_PREALLOC. */
  readonly dynamic: Answer
  readonly lockable: Answer
  /** `undefined` in a general routine. */
  readonly known: Known | undefined
}

/** A map of which nothing is known. */
export function generalShape(map: I32): Shape {
  return {
    map,
    word: (field) => map.load32(field),
    seed: map.load64(MAP.hashSeed),
    lru: map.load32(MAP.type).eq(LRU_HASH),
    dynamic: map.load32(MAP.flags).and(NO_PREALLOC),
    lockable: map.load32(MAP.lockOffset).ne(-1),
    known: undefined,
  }
}

/** Reads a machine's memory. */
export interface Reader {
  load32(address: number): number
  load64(address: number): bigint
}

/** The map at an address, as it is now and stays. */
export function knownShape({ load32, load64 }: Reader, address: number): Shape & { readonly known: Known } {
  const word = (field: number): number => load32(address + field)
  const ranges = (field: number, count: number): Range[] =>
    Array.from({ length: word(count) }, (_, i) => ({
      offset: word(field + i * RANGE.size + RANGE.offset),
      length: word(field + i * RANGE.size + RANGE.length),
    }))
  const offset = (field: number): number | undefined => (word(field) === NO_FIELD ? undefined : word(field))
  const known: Known = {
    type: word(MAP.type),
    keySize: word(MAP.keySize),
    valueSize: word(MAP.valueSize),
    bucketBits: 32 - word(MAP.bucketShift),
    valueOffset: word(MAP.valueOffset),
    lock: offset(MAP.lockOffset),
    timer: offset(MAP.timerOffset),
    wq: offset(MAP.wqOffset),
    special: ranges(MAP.special, MAP.specialCount),
    copies: ranges(MAP.copies, MAP.copyCount),
  }
  return {
    map: i32(address),
    word: (field) => i32(word(field)),
    seed: i64(load64(address + MAP.hashSeed)),
    lru: known.type === LRU_HASH,
    dynamic: (word(MAP.flags) & NO_PREALLOC) !== 0,
    lockable: known.lock !== undefined,
    known,
  }
}

/** Does one thing or the other; where the answer is known only that one is emitted. */
export function decide(f: Fn, answer: Answer, then: () => void, otherwise?: () => void): void {
  if (answer === true) then()
  else if (answer === false) otherwise?.()
  else f.if(answer, then, otherwise)
}
