import { expect, it } from 'vitest'
import { assemble } from '../../isa/index.js'
import { buildGraph, type Graph, type Op } from './cfg.js'
import { dominance } from './dominators.js'
import { findIdioms } from './peephole.js'
import { findTypes, type Types } from './types.js'
import { findWebs, liveAtEntry, type Webs } from './webs.js'

const noArgs = () => 0

function analyse(text: string) {
  const graph: Graph = buildGraph({ insns: assemble(text), handle: () => 0n, isCallable: () => true }, 0)
  const found = dominance(graph.blocks)
  const webs: Webs = findWebs(graph, found, noArgs)
  const types: Types = findTypes(graph, found, webs, { demand: () => 64, zero: () => false })
  const ops = new Map<number, Op>()
  for (const { ops: list, end } of graph.blocks) {
    for (const op of [...list, ...('op' in end ? [end.op] : [])]) ops.set(op.at, op)
  }
  /** The web that instruction `at` writes. */
  const def = (at: number): number => webs.def[ops.get(at)?.pos ?? -1] ?? -1
  const held = (at: number): string => (types.narrow[def(at)] ? 'i32' : 'i64')
  return { graph, found, webs, types, def, held, ops }
}

it('one register is many variables: writes that no read has in common are different webs', () => {
  const { def, webs, ops } = analyse('r1 = 1\nr2 = r1\nr1 = 2\nr2 += r1\nr0 = r2\nexit')
  expect(def(0)).not.toBe(def(2))
  expect(webs.src[ops.get(1)?.pos ?? 0]).toBe(def(0))
  expect(webs.src[ops.get(3)?.pos ?? 0]).toBe(def(2))
})

it('writes that reach one read over different ways are one web, around loops too', () => {
  const { def } = analyse('r0 = 0\nif r1 == 0 goto b\nr0 = 1\nb: r0 += 1\nif r1 != r0 goto b\nexit')
  expect(new Set([def(0), def(2), def(3)]).size).toBe(1)
})

it('a web that is live at the start belongs to a parameter; a written one does not', () => {
  const { graph, found, webs } = analyse('r3 = r1\nr2 = 5\nr3 += r2\nr0 = r3\nexit')
  expect(liveAtEntry(graph, found, noArgs)).toBe(0b10)
  expect([...webs.params].map((web) => web >= 0)).toEqual([false, true, ...Array.from({ length: 8 }, () => false)])
})

it('where only addresses and lower halves are read, an i32 holds the web', () => {
  const { held, types, webs } = analyse('r2 = r1\nr2 += 8\nr3 = *(u64 *)(r2 +0)\n*(u64 *)(r1 +0) = r3\nr0 = 0\nexit')
  expect([held(0), held(1), held(2)]).toEqual(['i32', 'i32', 'i64'])
  expect(types.demand[webs.params[1] as number]).toBe(32)
})

it('where the upper half is known to be zero, an i32 holds the web though all of it is read', () => {
  const { held } = analyse('r2 = *(u32 *)(r1 +0)\nw3 = w2\nr3 |= r2\nr0 = r3\nexit')
  expect([held(0), held(1), held(2)]).toEqual(['i32', 'i32', 'i32'])
})

it.each([
  ['r2 = *(u32 *)(r1 +0)\nr2 += 1', 1],
  ['r2 = *(u32 *)(r1 +0)\nr2 = -r2', 1],
  ['r2 = *(s32 *)(r1 +0)', 0],
  ['r2 = *(u8 *)(r1 +0)\nr2 = bswap64 r2', 1],
  ['r2 = -1', 0],
  ['w2 = -1\nr2 <<= 1', 1],
  ['r2 = *(u16 *)(r1 +0)\nr2 = (s8)r2', 1],
])('an upper half that may not be zero is kept: %s', (text, at) => {
  expect(analyse(`${text}\nr0 = r2\nexit`).held(at)).toBe('i64')
})

it('shifts to the right bring down the upper half, so all of their operand is read', () => {
  const { held } = analyse('r2 = r1\nr2 += 1\nr2 >>= 8\n*(u8 *)(r10 -1) = r2\nr0 = 0\nexit')
  expect([held(1), held(2)]).toEqual(['i64', 'i32'])
})

it('a web is a constant where it has one write, and that loads a number', () => {
  const { types, def } = analyse(
    'r1 = -7\nw2 = -7\nr3 = 0x123456789 ll\nr4 = 1\nif r1 == 0 goto pc+1\nr4 = 2\nr0 = r4\nexit',
  )
  const values = [0, 1, 2, 5].map((at) => types.constant[def(at)])
  expect(values).toEqual([2n ** 64n - 7n, 0xfffffff9n, 0x123456789n, undefined])
})

/** Rotates of the first block: instruction of the `or`, width and distance. */
function rotates(text: string): string[] {
  const { graph, ops } = analyse(`${text}\nr0 = r2\nexit`)
  const { rotates: found } = findIdioms(graph.blocks[1] ?? { ops: [], end: { kind: 'goto', to: 0 } })
  const at = new Map([...ops].map(([index, { pos }]) => [pos, index]))
  return [...found].map(([pos, { width, by }]) => `${at.get(pos)}: ${width} by ${by}`)
}

it('sees rotates, whichever half is shifted first and however they are joined', () => {
  expect(rotates('r2 = r1\nr2 <<= 13\nr1 >>= 51\nr2 |= r1')).toEqual(['3: 64 by 13'])
  expect(rotates('r2 = r1\nr2 >>= 13\nr1 <<= 51\nr1 ^= r2')).toEqual(['3: 64 by 51'])
  expect(rotates('r2 = r1\nw2 <<= 5\nw1 >>= 27\nw2 ^= w1')).toEqual(['3: 32 by 5'])
  expect(rotates('w2 = w1\nw2 <<= 5\nr5 = 1\nw1 >>= 27\nw2 += w1')).toEqual(['4: 32 by 5'])
})

it('does not take for a rotate what is none', () => {
  expect(rotates('r2 = r1\nr2 <<= 13\nr1 >>= 50\nr2 |= r1')).toEqual([])
  expect(rotates('r2 = r1\nr2 <<= 13\nr1 += 1\nr1 >>= 51\nr2 |= r1')).toEqual([])
  expect(rotates('r2 = r1\nr2 <<= 13\nr1 >>= 51\nr2 &= r1')).toEqual([])
  expect(rotates('r2 = r1\nr2 <<= 13\nr1 s>>= 51\nr2 |= r1')).toEqual([])
  expect(rotates('w2 = w1\nw2 <<= 5\nr1 >>= 27\nw2 |= w1')).toEqual([])
  expect(rotates('r2 = r1\nw2 <<= 30\nw2 = w1\nw1 >>= 2\nw2 += w1')).toEqual([])
})
