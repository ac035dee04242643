import { expect, it } from 'vitest'
import { maps } from '../../../test/support/judge.js'
import { mapView } from '../load.js'
import { constantReg, ctxReg, mapValue, packetPointer, type Reg, scalarReg, stackPointer } from '../registers.js'
import { unknownScalar, unsignedRange } from '../scalar/index.js'
import { currentFrame, newState } from '../state.js'
import { formatFrame, formatReg, formatSlot } from './format.js'

const arr = maps.arr
const value = (options = {}): Reg => {
  if (!arr) throw new Error('no map arr')
  return mapValue(mapView(arr, undefined), options)
}

it.each<[Reg, string]>([
  [ctxReg, 'ctx()'],
  [constantReg(-1n), '-1'],
  [scalarReg(unknownScalar), 'scalar()'],
  [scalarReg(unknownScalar, true), 'Pscalar()'],
  [scalarReg(unsignedRange(0n, 7n)), 'scalar(smin=smin32=0,smax=umax=smax32=umax32=7,var_off=(0x0; 0x7))'],
  [{ ...scalarReg(unknownScalar), id: 3, idAdd: 64, off: -8 }, 'scalar(id=3-8)'],
  [stackPointer(0, -16), 'fp-16'],
  [stackPointer(1, -16), 'fp[1]-16'],
  [value(), 'map_value(map=arr,ks=4,vs=48)'],
  [value({ orNull: true, id: 2, off: 8 }), 'map_value_or_null(id=2,map=arr,ks=4,vs=48,off=8)'],
  [packetPointer('pkt', 4), 'pkt(id=4,r=0)'],
  [packetPointer('pkt_end'), 'pkt_end()'],
])('%o reads %s', (reg, text) => {
  expect(formatReg(reg, 0)).toBe(text)
})

it('shows what lies above a narrow spill', () => {
  const spilled = constantReg(7n)
  expect(formatSlot({ types: '?m00rrrr', spilled }, 0, 0)).toBe(' fp-8=?m007')
  expect(formatSlot({ types: 'mmmm????', spilled }, 1, 0)).toBe(' fp-16=mmmm????')
  expect(formatSlot({ types: '????????', spilled }, 1, 0)).toBe('')
})

it('shows frame, references and kind of callback', () => {
  const state = newState(0, false)
  const frame = currentFrame(state)
  frame.regs[0] = constantReg(0n)
  frame.inAsyncCallback = true
  state.references.push({ kind: 'pointer', id: 4, insn: 2, owner: undefined })
  expect(formatFrame(state, frame)).toBe(' R0=0 R10=fp0 refs=4 async_cb\n')
  expect(formatFrame(state, frame, { reg: (n) => n === 0, slot: () => false })).toBe(' R0=0 refs=4 async_cb\n')
})
