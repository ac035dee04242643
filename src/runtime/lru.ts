/**
 * The order of use of an LRU_HASH: a doubly linked list through the elements, most recent first. Defined by us: exact LRU;
 * a lookup by a program, an insertion and a replacement make an element the most recent, a lookup by user space does not;
 * a new key in a full map evicts exactly the least recent element. Linux evicts in batches whose size depends on the
 * number of possible CPUs (8b.2), so a program that counts on its victims is wrong there.
 */
import { type Arg, routine } from '../wasm/index.js'
import type { I32 } from './common.js'
import { ELEM, MAP } from './layout.js'

/** Makes an element the most recent; it must not be in the list. `(map, element)` */
export const lruAdd = routine('lru_add', ['i32', 'i32'], undefined, (f, map, element) => {
  const head = f.local(map.load32(MAP.lruHead))
  f.store32(element, ELEM.newer, 0)
  f.store32(element, ELEM.older, head)
  f.if(
    head.ne(0),
    () => f.store32(head, ELEM.newer, element),
    () => f.store32(map, MAP.lruTail, element),
  )
  f.store32(map, MAP.lruHead, element)
})

/** Takes an element out of the list. `(map, element)` */
export const lruRemove = routine('lru_remove', ['i32', 'i32'], undefined, (f, map, element) => {
  const [newer, older] = [f.local(element.load32(ELEM.newer)), f.local(element.load32(ELEM.older))]
  const link = (at: I32, field: number, end: number, value: Arg<'i32'>): void =>
    f.if(
      at.ne(0),
      () => f.store32(at, field, value),
      () => f.store32(map, end, value),
    )
  link(newer, ELEM.older, MAP.lruHead, older)
  link(older, ELEM.newer, MAP.lruTail, newer)
})

/** A program used an element. `(map, element)` */
export const lruTouch = routine('lru_touch', ['i32', 'i32'], undefined, (f, map, element) => {
  f.if(map.load32(MAP.lruHead).eq(element), () => f.return())
  f.do(lruRemove(map, element))
  f.do(lruAdd(map, element))
})
