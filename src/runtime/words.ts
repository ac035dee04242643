/**
 * Bytes of a number known in advance as a few words in variables: straight code for keys and values, with no loop and no call
 * of the engine's `memory.copy`. Everything is read before anything is written, as memmove does where ranges overlap.
 */
import type { Fn, Local } from '../wasm/index.js'
import type { I32 } from './common.js'

/** Where a word lies, its width in bytes, and the variable that holds it. */
export type Word =
  | { readonly at: number; readonly width: 8; readonly value: Local<'i64'> }
  | { readonly at: number; readonly width: 4 | 2 | 1; readonly value: Local<'i32'> }

/** Offsets and widths of the words of a range: 8 bytes while they last, then 4, 2 and 1. */
function* parts(offset: number, length: number): Generator<{ at: number; width: 8 | 4 | 2 | 1 }> {
  let at = offset
  for (const width of [8, 4, 2, 1] as const) {
    for (; at + width <= offset + length; at += width) yield { at, width }
  }
}

function load(from: I32, at: number, width: 4 | 2 | 1): I32 {
  return width === 4 ? from.load32(at) : width === 2 ? from.load16(at) : from.load8(at)
}

/** Reads `length` bytes at an address + `offset`. */
export function readWords(f: Fn, from: I32, offset: number, length: number): Word[] {
  return [...parts(offset, length)].map(({ at, width }) =>
    width === 8 ? { at, width, value: f.local(from.load64(at)) } : { at, width, value: f.local(load(from, at, width)) },
  )
}

/** Writes words where they belong in something that begins at an address + `offset`. */
export function writeWords(f: Fn, words: readonly Word[], to: I32, offset: number): void {
  for (const { at, width, value } of words) {
    if (width === 8) f.store64(to, offset + at, value)
    else if (width === 4) f.store32(to, offset + at, value)
    else if (width === 2) f.store16(to, offset + at, value)
    else f.store8(to, offset + at, value)
  }
}

/** Writes zeros. */
export function writeZeros(f: Fn, to: I32, offset: number, length: number): void {
  for (const { at, width } of parts(offset, length)) {
    if (width === 8) f.store64(to, at, 0)
    else if (width === 4) f.store32(to, at, 0)
    else if (width === 2) f.store16(to, at, 0)
    else f.store8(to, at, 0)
  }
}

/** Whether the bytes at an address + `offset` are these words: one test, without branches. There must be a word. */
export function sameWords(words: readonly Word[], from: I32, offset: number): I32 {
  const [only, ...others] = words
  if (only && others.length === 0) {
    const at = offset + only.at
    return only.width === 8 ? only.value.eq(from.load64(at)) : only.value.eq(load(from, at, only.width))
  }
  return words
    .map(({ at, width, value }) =>
      width === 8 ? value.xor(from.load64(offset + at)) : value.xor(load(from, offset + at, width)).wide(),
    )
    .reduce((all, difference) => all.or(difference))
    .eqz()
}
