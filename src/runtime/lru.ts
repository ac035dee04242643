/**
 * The order of use of an LRU_HASH: a doubly linked ring through the elements, most recent first. Defined by us: exact LRU;
 * a lookup by a program, an insertion and a replacement make an element the most recent, a lookup by user space does not;
 * a new key in a full map evicts exactly the least recent element. Linux evicts in batches whose size depends on the
 * number of possible CPUs (8b.2), so a program that counts on its victims is wrong there.
 *
 *     ring(map) <-older/newer-> most recent <-> ... <-> least recent <-> ring(map)
 *
 * The two words of the descriptor are laid out as an element's links are, so that the ring's start is linked like any other
 * element and no link is ever missing: nothing to ask, no branches.
 */
import type { Fn } from '../wasm/index.js'
import type { I32 } from './common.js'
import { ELEM, MAP } from './layout.js'

/** The ring's start: an address at which `ELEM.newer` and `ELEM.older` are the descriptor's words. */
export function lruRing(map: I32): I32 {
  return map.add(MAP.lruNewer - ELEM.newer)
}

/** The element to evict; the ring's start if there is none. */
export function lruLast(map: I32): I32 {
  return map.load32(MAP.lruNewer)
}

/** Makes an element the most recent; it must not be in the ring. */
export function lruAdd(f: Fn, map: I32, element: I32): void {
  const first = f.local(map.load32(MAP.lruOlder))
  f.store32(element, ELEM.newer, lruRing(map))
  f.store32(element, ELEM.older, first)
  f.store32(first, ELEM.newer, element)
  f.store32(map, MAP.lruOlder, element)
}

/** Takes an element out of the ring. */
export function lruRemove(f: Fn, element: I32): void {
  const [newer, older] = [f.local(element.load32(ELEM.newer)), f.local(element.load32(ELEM.older))]
  f.store32(newer, ELEM.older, older)
  f.store32(older, ELEM.newer, newer)
}

/** A program used an element. */
export function lruTouch(f: Fn, map: I32, element: I32): void {
  f.if(map.load32(MAP.lruOlder).ne(element), () => {
    lruRemove(f, element)
    lruAdd(f, map, element)
  })
}

/** Makes the ring of a new map: empty. */
export function lruPrepare(f: Fn, map: I32): void {
  f.store32(map, MAP.lruNewer, lruRing(map))
  f.store32(map, MAP.lruOlder, lruRing(map))
}
