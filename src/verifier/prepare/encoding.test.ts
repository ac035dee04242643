import { expect, it } from 'vitest'
import { judgeInsns, verdict } from '../../../test/support/judge.js'
import type { Insn } from '../../isa/index.js'

const insn = (code: number, fields: Partial<Insn> = {}): Insn => ({ code, dst: 0, src: 0, off: 0, imm: 0, ...fields })
const exit = insn(0x95)
const zero = insn(0xb7)
const refusal = (...insns: Insn[]): string => {
  const { errno, message } = judgeInsns(insns)
  return `${errno}: ${message}`
}

it('refuses what is no program', () => {
  expect(refusal()).toBe('E2BIG: ')
  expect(refusal(zero)).toBe('EINVAL: last insn is not an exit or jmp')
})

it('keeps jumps within their function', () => {
  expect(verdict('if r1 == 0 goto pc+7\nr0 = 0\nexit')).toBe('EINVAL: jump out of range from insn 0 to 8')
  expect(verdict('r0 = 0\nif r1 == 0 goto pc-3\nexit')).toBe('EINVAL: jump out of range from insn 1 to -1')
  const into = 'call pc+2\ngoto pc+0\nexit\nr0 = 0\nexit'
  expect(verdict(into, { functions: [0, 3] })).toBe('accept')
  expect(verdict('call pc+2\ngoto pc+2\nexit\nr0 = 0\nexit')).toBe('EINVAL: jump out of range from insn 1 to 4')
  expect(verdict('call pc+9\nexit')).toBe('EINVAL: call to invalid destination')
})

it('refuses what no path reaches', () => {
  expect(verdict('r0 = 0\nexit\nr0 = 1\nexit')).toBe('EINVAL: unreachable insn 2')
})

it('knows wide loads and opcodes', () => {
  expect(refusal(insn(0x18), exit)).toBe('EINVAL: invalid bpf_ld_imm64 insn')
  expect(refusal(insn(0x18, { src: 9 }), insn(0), zero, exit)).toBe('EINVAL: unrecognized bpf_ld_imm64 insn')
  expect(refusal(insn(0x18, { src: 1 }), insn(0, { imm: 4 }), zero, exit)).toBe(
    'EINVAL: unrecognized bpf_ld_imm64 insn',
  )
  expect(refusal(insn(0xf5), zero, exit)).toBe('EINVAL: unknown opcode f5')
  expect(refusal(insn(0x79, { imm: 1 }), zero, exit)).toBe('EINVAL: BPF_LDX uses reserved fields')
  expect(refusal(insn(0x15, { dst: 1, off: 1 }), insn(0x18), insn(0), exit)).toMatch(
    /jump into the middle of ldimm64 insn 1/,
  )
})

it('counts functions: 256 at most', () => {
  const calls = Array.from({ length: 257 }, (_, i) => insn(0x85, { src: 1, imm: 257 + i }))
  const bodies = Array.from({ length: 257 }, () => [zero, exit]).flat()
  expect(refusal(...calls, exit, ...bodies)).toBe('E2BIG: too many subprograms')
})
