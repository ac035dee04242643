/**
 * The map helpers for one map that is known when a program is compiled: the very recipes of the general routines, with what
 * the descriptor says as constants. Key size, strides, addresses, seed and flags are written into the code, keys and short
 * values are straight words, and nothing is emitted for what the map has not: locks, timers, workqueues, the order of use.
 * General and specialised routines work on the same memory and may take turns on one map. No call into JavaScript (but for
 * memory that grows, NO_PREALLOC only), and none into another routine unless special fields must be cancelled.
 *
 *     const helpers = specialiseMap(runtime, address)
 *     module.func(guarded(helpers.bpf_map_lookup_elem.routine, mode))
 */
import { type Fn, type Local, routine, type Value } from '../wasm/index.js'
import { arrayLookupIn, arrayUpdateIn } from './array.js'
import { error, machine } from './common.js'
import { hashDeleteIn, hashLookupIn, hashUpdateIn } from './hash.js'
import { readKey } from './key.js'
import { MACHINE, MAP } from './layout.js'
import type { Leaf } from './leaf.js'
import { knownShape, type Reader } from './shape.js'

const ARRAY = 2

/** What a compiler calls in place of the leaf of that name. */
export interface MapHelpers {
  /** `(key)`: address of the value, or 0. */
  readonly bpf_map_lookup_elem: MapHelper
  /** `(key, value, flags, cpu)`: 0 or a negative errno; BLOCKED as `waits` says. */
  readonly bpf_map_update_elem: MapHelper
  /** `(key)`: 0 or a negative errno. */
  readonly bpf_map_delete_elem: MapHelper
  /** Writes a lookup in place of a call; the key lies at `key` + `offset`. Gives the address of the value, or 0. */
  lookupInPlace(f: Fn, key: Local<'i32'>, offset?: number): Value<'i32'>
  /** Arrays: number of elements, address of the first and distance between them, for a lookup in place. */
  readonly array: { readonly maxEntries: number; readonly storage: number; readonly stride: number } | undefined
}

/** A leaf without its first parameter, the map in R1; `waits` is `never` where this map gives no reason to. */
export type MapHelper = Leaf

/**
 * Routines for the map at an address, which must exist and outlive the code. Call it once per map and module: each call makes
 * new routines, and a module holds one function for each that is used.
 */
export function specialiseMap(memory: Reader, map: number): MapHelpers {
  const shape = knownShape(memory, map)
  const { type, lock, timer } = shape.known
  const isArray = type === ARRAY
  const word = (field: number): number => memory.load32(map + field)
  const name = (what: string): string => `map_${what}_${word(MAP.id)}`
  const waits = timer === undefined ? 'never' : 'after'
  const forgetWait = (f: Fn): void => {
    if (timer !== undefined) f.store32(machine, MACHINE.waitFor, 0)
  }
  const lookupInPlace = (f: Fn, key: Local<'i32'>, offset = 0): Value<'i32'> =>
    isArray ? arrayLookupIn(f, shape, key, offset) : hashLookupIn(f, shape, readKey(f, shape, key, offset), true)
  const lookup = routine(name('lookup'), ['i32'], 'i32', (f, key) => lookupInPlace(f, key))
  const update = routine(name('update'), ['i32', 'i32', 'i32', 'i32'], 'i32', (f, key, from, flags, cpu) => {
    forgetWait(f)
    const what = { key, from, flags, cpu }
    return isArray ? arrayUpdateIn(f, shape, what) : hashUpdateIn(f, shape, what)
  })
  const remove = routine(name('delete'), ['i32'], 'i32', (f, key) => {
    forgetWait(f)
    return isArray ? error.EINVAL : hashDeleteIn(f, shape, key)
  })
  return {
    bpf_map_lookup_elem: { routine: lookup, params: ['ptr'], result: 'ptr', waits: 'never' },
    bpf_map_update_elem: {
      routine: update,
      params: ['ptr', 'ptr', 'flags', 'cpu'],
      result: 'int',
      waits: waits === 'never' && lock !== undefined ? 'before' : waits,
    },
    bpf_map_delete_elem: { routine: remove, params: ['ptr'], result: 'int', waits },
    lookupInPlace,
    array: isArray
      ? { maxEntries: word(MAP.maxEntries), storage: word(MAP.storage), stride: word(MAP.stride) }
      : undefined,
  }
}
