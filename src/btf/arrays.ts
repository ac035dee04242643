/**
 * Arrays in memory, and `char[]`, which reads as text where it is text: printable UTF-8 up to the first NUL (what follows
 * it is not looked at, programs leave all sorts of things there) or up to the end of the array.
 */
import type { BtfTypeOf } from './kinds.js'
import { badValue, describe, layPlain, type Memory, type Place } from './scalars.js'
import type { Btf } from './types.js'

const utf8 = new TextDecoder('utf-8', { fatal: true })
const encoder = new TextEncoder()
// Control characters other than tab, newline and carriage return, and delete.
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const UNPRINTABLE = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/

/** The place of an array. Elements without size are not listed: there is nothing to tell about them. */
export function arrayPlace(btf: Btf, type: BtfTypeOf<'array'>, element: Place): Place {
  const length = element.size === 0 ? 0 : type.length
  const size = length * element.size
  const of = btf.resolve(type.type)
  const text = of.kind === 'int' && of.size === 1 && of.name === 'char'

  const list = (memory: Memory, at: number): unknown[] => {
    const out = new Array<unknown>(length)
    for (let i = 0; i < length; i++) out[i] = element.read(memory, at + i * element.size)
    return out
  }
  const lay: Place['lay'] = element.opaque
    ? (memory, at, source) => {
        for (let i = 0; i < size; i += element.size) {
          element.lay(memory, at + i, source?.subarray(i, i + element.size))
        }
      }
    : layPlain(size)
  const raw = (memory: Memory, at: number, value: Uint8Array, path: string): void => {
    const fits = element.size === 1 ? value.length <= size : value.length === size
    if (!fits) throw badValue(path, `${value.length} bytes are given, the array has ${size}`)
    lay(memory, at, undefined)
    lay(memory, at, value)
  }
  return {
    size,
    opaque: element.opaque,
    read: (memory, at) => (text ? textAt(memory, at, size) : undefined) ?? list(memory, at),
    write(memory, at, value, path) {
      if (text && typeof value === 'string') {
        const bytes = encoder.encode(value)
        if (bytes.length > size) throw badValue(path, `${bytes.length} bytes of text do not fit into ${size}`)
        return raw(memory, at, bytes, path)
      }
      if (value instanceof Uint8Array) return raw(memory, at, value, path)
      const items = listOf(value)
      if (!items) throw badValue(path, `${describe(value)} is not an array of ${length}${text ? ', nor text' : ''}`)
      if (items.length > length) throw badValue(path, `${items.length} elements are given, the array has ${length}`)
      for (let i = 0; i < items.length; i++) element.write(memory, at + i * element.size, items[i], `${path}[${i}]`)
      for (let i = items.length; i < length; i++) element.lay(memory, at + i * element.size, undefined)
      return undefined
    },
    lay,
  }
}

/** Text at a place, `undefined` where the bytes are not text. Nothing at all reads as the empty text. */
function textAt({ bytes }: Memory, at: number, size: number): string | undefined {
  const all = bytes.subarray(at, at + size)
  const end = all.indexOf(0)
  if (end === 0) return all.every((byte) => byte === 0) ? '' : undefined
  try {
    const text = utf8.decode(end < 0 ? all : all.subarray(0, end))
    return UNPRINTABLE.test(text) ? undefined : text
  } catch {
    return undefined
  }
}

function listOf(value: unknown): ArrayLike<unknown> | undefined {
  if (Array.isArray(value)) return value
  return ArrayBuffer.isView(value) && 'length' in value ? (value as ArrayBufferView & ArrayLike<unknown>) : undefined
}
