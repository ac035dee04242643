/**
 * Walks over the elements of a map, for `bpf_for_each_map_elem` (Linux 5.13): one step a call, so that the callback between
 * two steps may do to the map what it likes. Where the walk stands is kept by the caller (`CURSOR`). Defined by us for
 * hashes, where Linux promises nothing: an element that was removed before its turn is not visited, and a replaced one
 * neither.
 */
import { routine } from '../wasm/index.js'
import { elementAt } from './array.js'
import { CURSOR, ELEM, MAP } from './layout.js'
import { generalShape } from './shape.js'

const ARRAY = 2

/** The next element of an ARRAY. `(map, cursor)` */
const walkArray = routine('walk_array', ['i32', 'i32'], 'i32', (f, map, cursor) => {
  const index = f.local(cursor.load32(CURSOR.position))
  f.if(index.geU(map.load32(MAP.maxEntries)), () => f.return(0))
  f.store32(cursor, CURSOR.position, index.add(1))
  return elementAt(generalShape(map), index)
})

/** The element if it still is in the bucket before `position`, else 0. `(map, position, element)` */
const stillThere = routine('walk_still_there', ['i32', 'i32', 'i32'], 'i32', (f, map, position, element) => {
  f.if(element.eqz(), () => f.return(0))
  const at = f.local(map.load32(MAP.buckets).add(position.sub(1).shl(2)).load32())
  f.while(at.ne(0), (end) => {
    f.breakIf(end, at.eq(element))
    f.set(at, at.load32(ELEM.next))
  })
  return at
})

/** Address of the value of the next element, or 0 after the last. `(map, cursor)` */
export const mapWalk = routine('map_walk', ['i32', 'i32'], 'i32', (f, map, cursor) => {
  f.if(map.load32(MAP.type).eq(ARRAY), () => f.return(walkArray(map, cursor)))
  const position = f.local(cursor.load32(CURSOR.position))
  const element = f.local(stillThere(map, position, cursor.load32(CURSOR.next)))
  f.while(element.eqz(), () => {
    f.if(position.gtU(map.load32(MAP.bucketMask)), () => {
      f.store32(cursor, CURSOR.position, position)
      f.store32(cursor, CURSOR.next, 0)
      f.return(0)
    })
    f.set(element, map.load32(MAP.buckets).add(position.shl(2)).load32())
    f.set(position, position.add(1))
  })
  f.store32(cursor, CURSOR.position, position)
  f.store32(cursor, CURSOR.next, element.load32(ELEM.next))
  return element.add(map.load32(MAP.valueOffset))
})
