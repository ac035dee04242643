import { expect, it } from 'vitest'
import * as layout from './layout.js'

it('aligns each field to its width and rounds the size up to 8', () => {
  const inner = layout.struct({ a: 'u8', b: 'u64' })
  expect(inner).toEqual({ a: 0, b: 8, size: 16 })
  expect(layout.struct({ flag: 'u8', word: 'u32', list: ['u16', 3], inner: [inner, 2], tail: 'u8' })).toEqual({
    flag: 0,
    word: 4,
    list: 8,
    inner: 16,
    tail: 48,
    size: 56,
  })
})

it('keeps the machine block out of the NULL page and below the heap', () => {
  expect(layout.MACHINE_AT).toBe(0x10000)
  expect(layout.MACHINE_AT + layout.MACHINE.size).toBeLessThanOrEqual(layout.HEAP_BASE)
})

it('gives a cell the size of struct bpf_wq and struct bpf_timer (2.1)', () => {
  expect(layout.CELL.size).toBe(16)
})

it('holds eight frames of 512 bytes of stack, 8-byte aligned', () => {
  expect(layout.TASK.size - layout.TASK.stack).toBe(8 * 512)
  expect(layout.TASK.stack % 8).toBe(0)
  expect(layout.TASK.frames - layout.TASK.regs).toBe(11 * 8)
})
