import { expect, it } from 'vitest'
import { isWide, opcode, opcodes } from './index.js'

const insn = (code: number, off = 0, imm = 0) => ({ code, off, imm })

it('has one row for each operation: no two rows match the same instruction', () => {
  const keys = opcodes.map((row) => `${row.code} ${row.selector?.field} ${row.selector?.value}`)
  expect(new Set(keys).size).toBe(opcodes.length)
  opcodes.forEach((row, index) => {
    expect(row.id).toBe(index)
    const fields = row.selector ? { [row.selector.field]: row.selector.value } : {}
    expect(opcode({ ...insn(row.code), ...fields })).toBe(row)
  })
})

it('says what distinguishing fields mean', () => {
  expect(opcode(insn(0x3f))).toMatchObject({ op: 'div', width: 64, source: 'reg', cpu: 1 })
  expect(opcode(insn(0x3f, 1))).toMatchObject({ op: 'sdiv', symbol: 's/=', cpu: 4 })
  expect(opcode(insn(0x94, 1))).toMatchObject({ op: 'smod', width: 32, source: 'imm' })
  expect(opcode(insn(0xbf, 32))).toMatchObject({ op: 'movsx', size: 4, width: 64 })
  expect(opcode(insn(0xbc, 32))).toBeUndefined()
  expect(opcode(insn(0xbf, 1))).toMatchObject({ op: 'addr_space_cast' })
  expect(opcode(insn(0xd7, 0, 64))).toMatchObject({ op: 'bswap', size: 8, class: 'alu64' })
  expect(opcode(insn(0xdc, 0, 16))).toMatchObject({ op: 'be', size: 2, class: 'alu' })
  expect(opcode(insn(0xdc, 0, 8))).toBeUndefined()
  expect(opcode(insn(0xc3, 0, 0xf1))).toMatchObject({ op: 'atomic_cmpxchg', size: 4, width: 32 })
  expect(opcode(insn(0xd3, 0, 0x100))).toMatchObject({ op: 'load_acquire', size: 1 })
  expect(opcode(insn(0xd3))).toBeUndefined()
  expect(opcode(insn(0x06))).toMatchObject({ op: 'gotol', class: 'jmp32' })
  expect(opcode(insn(0x91))).toMatchObject({ op: 'ldsx', size: 1, symbol: 's8' })
  expect(opcode(insn(0xff))).toBeUndefined()
})

it('counts what each version of the instruction set added', () => {
  const count = (cpu: number) => opcodes.filter((row) => row.cpu === cpu).length
  // v2: jlt, jle, jslt, jsle with imm and reg. v3: 25 32-bit ALU rows, 22 32-bit jumps, 18 atomics besides the two adds.
  expect([count(2), count(3)]).toEqual([8, 65])
})

it('knows the instructions of two slots', () => {
  expect([0x18, 0x00, 0xb7].map((code) => isWide({ code }))).toEqual([true, false, false])
})
