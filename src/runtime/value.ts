/**
 * Copying values. Every copy goes around the special fields (2.7): spin lock, timer, workqueue and task work keep what the
 * destination has, and come back to user space as zeros. For a map that is known, short values are copied word by word: the
 * engines' own `memory.copy` is a call that costs more than the bytes.
 */
import { type Fn, routine } from '../wasm/index.js'
import { asyncCancelFree, freeFields } from './async.js'
import type { I32 } from './common.js'
import { MAP, RANGE } from './layout.js'
import type { Range, Shape } from './shape.js'
import { readWords, writeWords, writeZeros } from './words.js'

/** Longest run of bytes that is copied word by word. */
const LONGEST_STRAIGHT = 64

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

/** Copies bytes of a known number; all are read before any is written, as memmove does where source and target overlap. */
function copyRange(f: Fn, to: I32, toOffset: number, from: I32, { offset, length }: Range): void {
  if (length > LONGEST_STRAIGHT) {
    f.copy(to.add(toOffset + offset), from.add(offset), length)
    return
  }
  writeWords(f, readWords(f, from, offset, length), to, toOffset)
}

/** Copies a value into an element. */
export function putValue(f: Fn, { known, map, word }: Shape, element: I32, from: I32): void {
  if (!known) f.do(copyValue(map, element.add(word(MAP.valueOffset)), from))
  else for (const range of known.copies) copyRange(f, element, known.valueOffset, from, range)
}

/** Clears the special fields of an element. */
export function clearElement(f: Fn, { known, map, word }: Shape, element: I32): void {
  if (!known) f.do(clearSpecial(map, element.add(word(MAP.valueOffset))))
  else for (const { offset, length } of known.special) writeZeros(f, element, known.valueOffset + offset, length)
}

/** cancel-and-free of the special fields of an element. */
export function cancelElement(f: Fn, { known, map, word }: Shape, element: I32): void {
  if (!known) f.do(freeFields(map, element.add(word(MAP.valueOffset))))
  else {
    for (const cell of [known.timer, known.wq]) {
      if (cell === undefined) continue
      const at = known.valueOffset + cell
      f.if(element.load32(at), () => f.do(asyncCancelFree(element.add(at))))
    }
  }
}
