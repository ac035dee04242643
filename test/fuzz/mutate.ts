/**
 * Damages objects in reproducible ways. Random bytes over a whole file would mostly hit what nobody reads, so mutations
 * go where the parsers look: headers, symbols, relocations, BTF, code and data, weighted alike whatever their size.
 */
import { parseElf } from '../../src/elf/index.js'

/** A source of numbers in 0..n-1, the same for the same seed on every machine (mulberry32). */
export type Random = (n: number) => number

/** Seeds a {@link Random}. */
export function random(seed: number): Random {
  let state = seed >>> 0
  return (n) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * n)
  }
}

/** A part of a file. */
export interface Range {
  readonly start: number
  readonly end: number
}

/** The parts of an object that somebody reads. */
export function interesting(object: Uint8Array): Range[] {
  const ranges: Range[] = [{ start: 0, end: 64 }]
  const view = new DataView(object.buffer, object.byteOffset, object.byteLength)
  const table = Number(view.getBigUint64(40, true))
  ranges.push({ start: table, end: object.length })
  for (const { name, type, offset, data } of parseElf(object).sections) {
    const skipped = /^(\.rel)?\.(debug|eh_frame|llvm)/.test(name) || name === '.rel.BTF' || name === '.rel.BTF.ext'
    if (type !== 0 && data.length > 0 && !skipped) ranges.push({ start: offset, end: offset + data.length })
  }
  return ranges
}

const words = [0, 1, 2, 7, 8, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000, 0xffffff, 0x7fffffff]
const wide = [...words, 0x80000000, 0xfffffff8, 0xfffffffe, 0xffffffff]

type Mutation = (bytes: Uint8Array, at: number, range: Range, random: Random) => void

const mutations: readonly Mutation[] = [
  (bytes, at, _range, random) => {
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8))
  },
  (bytes, at, _range, random) => {
    bytes[at] = random(256)
  },
  (bytes, at, _range, random) => {
    put32(bytes, at & ~3, wide[random(wide.length)] ?? 0)
  },
  // A field that is off by a little.
  (bytes, at, _range, random) => {
    const aligned = at & ~3
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    if (aligned + 4 <= bytes.length) put32(bytes, aligned, view.getUint32(aligned, true) + random(33) - 16)
  },
  // A piece of the same part, somewhere else in it: valid entries in the wrong place.
  (bytes, at, range, random) => {
    const length = Math.min(1 + random(64), range.end - at)
    const from = range.start + random(range.end - range.start - length + 1)
    bytes.copyWithin(at, from, from + length)
  },
  (bytes, at, range, random) => {
    bytes.fill(0, at, Math.min(range.end, at + 1 + random(32)))
  },
]

function put32(bytes: Uint8Array, at: number, value: number): void {
  if (at + 4 <= bytes.length) new DataView(bytes.buffer, bytes.byteOffset).setUint32(at, value >>> 0, true)
}

/** A damaged copy: one to four mutations, one in sixteen is also cut short. */
export function mutate(object: Uint8Array, ranges: readonly Range[], random: Random): Uint8Array {
  const bytes = Uint8Array.from(object)
  for (let count = 1 + random(4); count > 0; count--) {
    const range = ranges[random(ranges.length)]
    const mutation = mutations[random(mutations.length)]
    if (range && mutation) mutation(bytes, range.start + random(range.end - range.start), range, random)
  }
  return random(16) === 0 ? bytes.subarray(0, random(bytes.length)) : bytes
}
