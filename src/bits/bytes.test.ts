import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ByteReader, ByteWriter, cString } from './bytes.js'
import { ParseError } from './errors.js'

it('reads back what was written, little-endian', () => {
  fc.assert(
    fc.property(fc.nat(255), fc.nat(65535), fc.nat(0xffffffff), fc.bigInt(0n, 2n ** 64n - 1n), (a, b, c, d) => {
      const bytes = new ByteWriter().u8(a).u16(b).u32(c).u64(d).finish()
      const reader = new ByteReader(bytes, 'test')
      expect([reader.u8(), reader.u16(), reader.u32(), reader.u64(), reader.left]).toEqual([a, b, c, d, 0])
    }),
  )
  expect([...new ByteWriter().u32(0x01020304).finish()]).toEqual([4, 3, 2, 1])
})

it('never reads outside: the error names the offset from the base', () => {
  const reader = new ByteReader(new Uint8Array(6), 'BTF', 100)
  reader.u32()
  expect(() => reader.u32()).toThrow(ParseError)
  expect(() => reader.seek(7)).toThrow(/BTF ends at 6/)
  expect(() => reader.seek(Number.NaN)).toThrow(ParseError)
  try {
    reader.u32()
  } catch (error) {
    expect(error).toMatchObject({ code: 'btf-truncated', offset: 104 })
  }
  expect(reader.u16()).toBe(0)
})

it('reads NUL-terminated text and says when there is none', () => {
  const bytes = new TextEncoder().encode('ab\0cd')
  expect(cString(bytes, 0)).toBe('ab')
  expect(cString(bytes, 3)).toBeUndefined()
  expect(cString(bytes, 9)).toBeUndefined()
})

it('grows, aligns and writes text', () => {
  const writer = new ByteWriter()
  for (let i = 0; i < 300; i++) writer.u8(i & 255)
  writer.text('é').align(8)
  const bytes = writer.finish()
  expect(bytes.length).toBe(304)
  expect(bytes[299]).toBe(299 & 255)
})
