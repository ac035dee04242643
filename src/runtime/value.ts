/**
 * Copying values. Every copy goes around the special fields (2.7): spin lock, timer, workqueue and task work keep what the
 * destination has, and come back to user space as zeros.
 */
import { routine } from '../wasm/index.js'
import { MAP, RANGE } from './layout.js'

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
