import { expect, it } from 'vitest'
import { judgeInsns } from '../../../test/support/judge.js'
import type { Insn } from '../../isa/index.js'

const insn = (code: number, fields: Partial<Insn> = {}): Insn => ({ code, dst: 0, src: 0, off: 0, imm: 0, ...fields })
const refusal = (bad: Insn): string => {
  const { errno, message, verdict } = judgeInsns([insn(0xb7), insn(0xb7, { dst: 2 }), bad, insn(0x95)])
  return verdict === 'reject' ? `${errno}: ${message}` : verdict
}

it.each([
  [insn(0xbf, { src: 2, off: 7 }), 'EINVAL: BPF_MOV uses reserved fields'],
  [insn(0xb7, { src: 1 }), 'EINVAL: BPF_MOV uses reserved fields'],
  [insn(0x07, { off: 1 }), 'EINVAL: BPF_ALU uses reserved fields'],
  [insn(0x87, { imm: 1 }), 'EINVAL: BPF_NEG uses reserved fields'],
  [insn(0xdc, { imm: 17 }), 'EINVAL: BPF_END uses reserved fields'],
  [insn(0x15, { src: 1 }), 'EINVAL: BPF_JMP/JMP32 uses reserved fields'],
  [insn(0x05, { dst: 1 }), 'EINVAL: BPF_JA uses reserved fields'],
  [insn(0x85, { src: 7 }), 'EINVAL: BPF_CALL uses reserved fields'],
  [insn(0x7a, { dst: 10, src: 1, off: -8 }), 'EINVAL: BPF_ST uses reserved fields'],
  [insn(0x7b, { dst: 10, off: -8, imm: 1 }), 'EINVAL: BPF_STX uses reserved fields'],
  [insn(0xdb, { dst: 10, off: -8, imm: 2 }), 'EINVAL: BPF_ATOMIC uses invalid atomic opcode 02'],
  [insn(0xcb, { dst: 10, off: -8 }), 'EINVAL: invalid atomic operand size'],
  [insn(0x07, { dst: 11 }), 'EINVAL: R11 is invalid'],
  [insn(0xb7, { dst: 10 }), 'EACCES: frame pointer is read only'],
  [insn(0x37), 'EINVAL: div by zero'],
  [insn(0x67, { imm: 64 }), 'EINVAL: invalid shift 64'],
  [
    insn(0xbf, { dst: 1, src: 2, off: 1, imm: 5 }),
    'EINVAL: addr_space_cast insn can only convert between address space 1 and 0',
  ],
])('%o: %s', (bad, expected) => {
  expect(refusal(bad)).toBe(expected)
})

it('lets an exit have any offset, as Linux does', () => {
  expect(judgeInsns([insn(0xb7), insn(0x95, { off: 3 })]).verdict).toBe('accept')
})

it('looks at a comparison operand before the fields', () => {
  expect(refusal(insn(0x15, { dst: 5, src: 1 }))).toBe('EACCES: R5 !read_ok')
})
