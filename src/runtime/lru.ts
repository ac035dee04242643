/**
 * The order of use of an LRU_HASH: a doubly linked ring through the elements, most recent first. Defined by us: exact LRU;
 * a lookup by a program, an insertion and a replacement make an element the most recent, a lookup by user space does not;
 * a new key in a full map evicts exactly the least recent element. Linux evicts in batches whose size depends on the
 * number of possible CPUs (8b.2), so a program that counts on its victims is wrong there.
 *
 *     ring(map) <-older/newer-> most recent <-> ... <-> least recent <-> ring(map)
 *
 * What is linked are the links, which lie behind the values; the ring's start in the descriptor is a link like any other, so
 * that none is ever missing: nothing to ask, no branches.
 */
import type { Fn } from '../wasm/index.js'
import type { I32 } from './common.js'
import { LRU_LINK, MAP } from './layout.js'
import type { Shape } from './shape.js'

/** The ring's start. */
const ringOf = ({ map }: Shape): I32 => map.add(MAP.lruRing)

const linkOf = ({ word }: Shape, element: I32): I32 => element.add(word(MAP.lruOffset))

/** The element to evict; there must be one. */
export function lruLast({ map, word }: Shape): I32 {
  return map.load32(MAP.lruRing + LRU_LINK.newer).sub(word(MAP.lruOffset))
}

function insert(f: Fn, shape: Shape, link: I32): void {
  const ring = ringOf(shape)
  const first = f.local(ring.load32(LRU_LINK.older))
  f.store32(link, LRU_LINK.newer, ring)
  f.store32(link, LRU_LINK.older, first)
  f.store32(first, LRU_LINK.newer, link)
  f.store32(ring, LRU_LINK.older, link)
}

function take(f: Fn, link: I32): void {
  const [newer, older] = [f.local(link.load32(LRU_LINK.newer)), f.local(link.load32(LRU_LINK.older))]
  f.store32(newer, LRU_LINK.older, older)
  f.store32(older, LRU_LINK.newer, newer)
}

/** Makes an element the most recent; it must not be in the ring. */
export function lruAdd(f: Fn, shape: Shape, element: I32): void {
  insert(f, shape, f.local(linkOf(shape, element)))
}

/** Takes an element out of the ring. */
export function lruRemove(f: Fn, shape: Shape, element: I32): void {
  take(f, f.local(linkOf(shape, element)))
}

/** A program used an element. */
export function lruTouch(f: Fn, shape: Shape, element: I32): void {
  const link = f.local(linkOf(shape, element))
  f.if(ringOf(shape).load32(LRU_LINK.older).ne(link), () => {
    take(f, link)
    insert(f, shape, link)
  })
}

/** Makes the ring of a new map: empty. */
export function lruPrepare(f: Fn, shape: Shape): void {
  const ring = ringOf(shape)
  f.store32(ring, LRU_LINK.newer, ring)
  f.store32(ring, LRU_LINK.older, ring)
}
