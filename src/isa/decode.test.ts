import fc from 'fast-check'
import { expect, it } from 'vitest'
import { anyProgram } from '../../test/support/insns.js'
import { BpfError, ParseError } from '../bits/index.js'
import { decode, encode } from './index.js'

it('reads the fields of a slot: registers share a byte, numbers are little-endian and signed', () => {
  const bytes = Uint8Array.of(0x7b, 0x1a, 0xf8, 0xff, 0xff, 0xff, 0xff, 0xff)
  expect(decode(bytes)).toEqual([{ code: 0x7b, dst: 10, src: 1, off: -8, imm: -1 }])
})

it('gives back every byte: encode(decode(x)) = x for any slots', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(255), { maxLength: 80 }), (bytes) => {
      const whole = Uint8Array.from(bytes.slice(0, bytes.length & ~7))
      expect(encode(decode(whole))).toEqual(whole)
    }),
  )
})

it('gives back every instruction: decode(encode(x)) = x', () => {
  fc.assert(
    fc.property(anyProgram, (insns) => {
      expect(decode(encode(insns))).toEqual(insns)
    }),
  )
})

it('refuses half an instruction, naming the byte at which the rest begins', () => {
  expect(() => decode(new Uint8Array(12), 0x40)).toThrow(ParseError)
  expect(() => decode(new Uint8Array(12), 0x40)).toThrow(expect.objectContaining({ offset: 0x48 }))
})

it('refuses to write a field that does not fit', () => {
  const insn = { code: 0xb7, dst: 1, src: 0, off: 0, imm: 2 ** 31 }
  expect(() => encode([insn])).toThrow(BpfError)
  expect(() => encode([{ ...insn, imm: 0, off: 0x8000 }])).toThrow('instruction 0: off is 32768')
})
