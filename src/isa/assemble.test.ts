import fc from 'fast-check'
import { expect, it } from 'vitest'
import { anyProgram } from '../../test/support/insns.js'
import { ParseError } from '../bits/index.js'
import { assemble, disassemble, disassembleInsn } from './index.js'

it('reads back what was printed: assemble(disassemble(x)) = x', () => {
  fc.assert(
    fc.property(anyProgram, (insns) => {
      expect(assemble(disassemble(insns))).toEqual(insns)
    }),
    { numRuns: 500 },
  )
})

it('needs no opcode bytes except for 64-bit immediates, which end in ll', () => {
  const text = 'r1 = 5\nr1 = 0x500000000 ll\nw2 = 0xffffffff\nr0 = -r0\nexit\n'
  expect(assemble(text).map((insn) => [insn.code, insn.imm])).toEqual([
    [0xb7, 5],
    [0x18, 0],
    [0, 5],
    [0xb4, -1],
    [0x87, 0],
    [0x95, 0],
  ])
})

it('resolves labels of jumps, calls and function pointers, forwards and backwards', () => {
  const insns = assemble(`
    ; counts r1 down
    again: r1 += -1          // one slot
      if r1 != 0x0 goto again
      r2 = subprog[done]
      call done
      gotol done
    done:
      exit`)
  expect(insns.map((insn) => [insn.off, insn.imm])).toEqual([
    [0, -1],
    [-2, 0],
    [0, 3],
    [0, 0],
    [0, 1],
    [0, 0],
    [0, 0],
  ])
  expect(insns[2]).toMatchObject({ code: 0x18, src: 4 })
  expect(insns[4]).toMatchObject({ code: 0x85, src: 1 })
})

it('tells helpers from kernel functions by their names', () => {
  const calls = assemble('call bpf_ktime_get_ns\ncall bpf_map_lookup_elem#1\ncall unknown#999\ncall bpf_wq_init#66103')
  expect(calls.map(({ src, imm }) => [src, imm])).toEqual([
    [0, 5],
    [0, 1],
    [0, 999],
    [2, 66103],
  ])
})

it('names line and column of what it cannot read', () => {
  const bad: [string, string][] = [
    ['r1 = 1\nr11 = 2', 'line 2, column 1: there is no register r11'],
    ['r1 = 0x100000000', "line 1, column 6: 0x100000000 does not fit 32 bits (a 64-bit immediate load ends in 'll')"],
    ['  goto nowhere', 'line 1, column 8: there is no label nowhere'],
    ['a: exit\na: exit', 'line 2, column 1: label a stands twice'],
    ['(b7) r1 = r2', 'line 1, column 6: this is opcode bf'],
    ['w1 = r2', 'line 1, column 8: both registers must have the same width'],
    ['r1 += w2', 'line 1, column 7: 64-bit register expected'],
    ['r1 s+= 2', 'line 1, column 4: operator expected'],
    ['w1 = (s32)w2', 'line 1, column 11: there is no such instruction'],
    ['lock *(u8 *)(r1 +0) += r2', 'line 1, column 26: there is no such instruction'],
    ['r1 = *(u64 *)(r10 -40000)', 'line 1, column 19: -40000 does not fit 16 bits'],
    ['r1 = le16 r2', 'line 1, column 11: must be the register on the left'],
    ['exit 5', 'line 1, column 6: end of line expected'],
    ['jump 5', 'line 1, column 1: instruction expected'],
  ]
  for (const [text, message] of bad) {
    expect(() => assemble(text)).toThrow(ParseError)
    expect(() => assemble(text)).toThrow(message)
  }
})

it('throws nothing but ParseError, whatever it is given', () => {
  const words = [
    'r1',
    'w2',
    '=',
    '+=',
    '*',
    '(u8 *)',
    '(r10 -8)',
    'if',
    'goto',
    'call',
    '5',
    '0x',
    'll',
    ':',
    '#',
    'lock',
    'map[',
    '\n',
  ]
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.constantFrom(...words), fc.string()), { maxLength: 12 }), (parts) => {
      try {
        assemble(parts.join(' '))
      } catch (error) {
        expect(error).toBeInstanceOf(ParseError)
      }
    }),
  )
})

it('prints any slots without throwing', () => {
  const slot = fc.record({
    code: fc.nat(255),
    dst: fc.nat(15),
    src: fc.nat(15),
    off: fc.integer({ min: -0x8000, max: 0x7fff }),
    imm: fc.integer(),
  })
  fc.assert(
    fc.property(fc.array(slot, { maxLength: 20 }), (insns) => {
      expect(disassemble(insns).split('\n').length).toBeGreaterThan(insns.length / 2)
    }),
  )
})

it('lets the printer name calls and immediates', () => {
  const insns = assemble('call bpf_wq_init#66103\nr1 = map[fd:7]')
  const names = {
    call: () => 'bpf_wq_init#66103',
    imm64: () => '0xffff888101234000',
  }
  expect(disassembleInsn(insns, 0)).toBe('(85) call kernel-function#66103')
  expect(disassemble(insns, names)).toBe('0: (85) call bpf_wq_init#66103\n1: (18) r1 = 0xffff888101234000\n')
})

it('finds the register of a callx where LLVM before 19 put it, in imm', () => {
  const insn = { code: 0x8d, dst: 0, src: 0, off: 0, imm: 2 }
  expect(disassembleInsn([insn], 0)).toBe('(8d) callx r2')
  expect(assemble('callx r2')).toEqual([{ ...insn, dst: 2, imm: 0 }])
})
