import { expect, it } from 'vitest'
import { statesEqual } from './equal.js'
import { constantReg, notInit, packetPointer, type Reg, scalarReg, stackPointer } from './registers.js'
import { unknownScalar, unsignedRange } from './scalar/index.js'
import { currentFrame, newState, type Slot, type State } from './state.js'

function state(regs: Record<number, Reg>, stack: Slot[] = []): State {
  const made = newState(0, false)
  const frame = currentFrame(made)
  for (const [n, reg] of Object.entries(regs)) frame.regs[Number(n)] = reg
  frame.stack = stack
  return made
}

const all = (): number => 0x3ff
const covers = (old: State, cur: State, live = all): boolean => statesEqual(old, cur, 'safe', live, 100)
const range = (low: bigint, high: bigint, precise = false): Reg => scalarReg(unsignedRange(low, high), precise)

it('compares precise scalars by range, others not at all', () => {
  expect(covers(state({ 1: range(0n, 5n) }), state({ 1: range(9n, 9n) }))).toBe(true)
  expect(covers(state({ 1: range(0n, 5n, true) }), state({ 1: range(2n, 3n) }))).toBe(true)
  expect(covers(state({ 1: range(0n, 5n, true) }), state({ 1: range(2n, 6n) }))).toBe(false)
  expect(statesEqual(state({ 1: range(0n, 5n) }), state({ 1: range(9n, 9n) }), 'range', all, 9)).toBe(false)
})

it('ignores dead registers and what was never written', () => {
  const old = state({ 1: stackPointer(0, -8) })
  expect(covers(old, state({ 1: constantReg(1n) }))).toBe(false)
  expect(covers(old, state({ 1: constantReg(1n) }), () => 0)).toBe(true)
  expect(covers(state({ 1: notInit }), old)).toBe(true)
  expect(covers(old, state({ 1: notInit }))).toBe(false)
})

it('wants ties between registers kept, not their numbers', () => {
  const tied = (a: number, b: number): State =>
    state({ 1: { ...scalarReg(unknownScalar, true), id: a }, 2: { ...scalarReg(unknownScalar, true), id: b } })
  expect(covers(tied(1, 1), tied(7, 7))).toBe(true)
  expect(covers(tied(1, 1), tied(7, 8))).toBe(false)
  expect(covers(tied(1, 2), tied(7, 7))).toBe(false)
  // What was safe without a tie stays safe with one.
  expect(covers(tied(0, 0), tied(7, 7))).toBe(true)
})

it('takes a packet pointer with more range', () => {
  const packet = (rangeKnown: number): State => state({ 1: { ...packetPointer('pkt'), range: rangeKnown } })
  expect(covers(packet(14), packet(20))).toBe(true)
  expect(covers(packet(14), packet(0))).toBe(false)
  expect(covers(packet(-1), packet(20))).toBe(false)
})

it('compares the stack byte by byte: what was never written, or anything, takes all', () => {
  const slot = (types: string, spilled: Reg = notInit): State => state({}, [{ types, spilled }])
  expect(covers(slot('????????'), slot('00000000'))).toBe(true)
  expect(covers(slot('mmmmmmmm'), slot('rrrrrrrr', stackPointer(0)))).toBe(true)
  expect(covers(slot('00000000'), slot('mmmmmmmm'))).toBe(false)
  expect(covers(slot('rrrrrrrr', constantReg(1n)), slot('mmmmmmmm'))).toBe(true)
  expect(covers(slot('rrrrrrrr', { ...constantReg(1n), precise: true }), slot('mmmmmmmm'))).toBe(false)
  expect(covers(slot('rrrrrrrr', stackPointer(0)), slot('rrrrrrrr', stackPointer(0, -8)))).toBe(false)
})

it('tells states with different locks, references and sleepability apart', () => {
  const held = state({})
  held.references.push({ kind: 'lock', id: 1, insn: 0, owner: held })
  expect(covers(state({}), held)).toBe(false)
  expect(covers(held, state({}))).toBe(false)
  expect(covers(state({}), { ...state({}), rcuLocks: 1 })).toBe(false)
  expect(covers(state({}), newState(0, true))).toBe(false)
})
