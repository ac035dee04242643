import fc from 'fast-check'
import { expect, it } from 'vitest'
import { bytesToFields, contextStruct, recordContext, skbContext, xdpContext } from './contexts.js'

const number: Record<1 | 4 | 8, fc.Arbitrary<number | bigint>> = {
  1: fc.nat(255),
  4: fc.nat(0xffffffff),
  8: fc.bigInt(0n, 2n ** 64n - 1n),
}

it.each([
  ['__sk_buff', skbContext],
  ['xdp_md', xdpContext],
])('%s: what was written member by member is read back', (_name, struct) => {
  const members = Object.fromEntries(
    Object.entries(struct.fields).map(([name, { size, count }]) => [
      name,
      count === undefined ? number[size] : fc.array(number[size], { minLength: count, maxLength: count }),
    ]),
  )
  fc.assert(
    fc.property(fc.record<Record<string, unknown>>(members), (values) => {
      const bytes = recordContext(struct, values, undefined)
      expect(bytes).toHaveLength(struct.size)
      expect(bytesToFields(struct.fields, bytes)).toEqual(values)
    }),
  )
})

it('takes what is left out as zero, but data_end of an xdp_md as the end of the packet', () => {
  expect(bytesToFields(xdpContext.fields, recordContext(xdpContext, {}, new Uint8Array(60)))).toMatchObject({
    data: 0,
    data_end: 60,
  })
  expect(recordContext(xdpContext, { data_end: 0 }, new Uint8Array(60))).toEqual(new Uint8Array(24))
  expect(recordContext(skbContext, { cb: [1] }, new Uint8Array(60)).filter((byte) => byte !== 0)).toHaveLength(1)
})

it('knows which program types have such a context', () => {
  expect([
    contextStruct('xdp'),
    contextStruct('sched_act'),
    contextStruct('syscall'),
    contextStruct(undefined),
  ]).toEqual([xdpContext, skbContext, undefined, undefined])
})

it.each<[Record<string, unknown>, RegExp]>([
  [{ nonsense: 1 }, /no member nonsense/],
  [{ constructor: 1 }, /no member constructor/],
  [{ mark: '7' }, /mark wants a number/],
  [{ mark: 1.5 }, /mark wants a number/],
  [{ mark: 2 ** 32 }, /does not fit into 32 bits/],
  [{ tstamp: 2n ** 64n }, /does not fit into 64 bits/],
  [{ cb: [1, 2, 3, 4, 5, 6] }, /array of at most 5 numbers/],
])('refuses %o', (values, message) => {
  expect(() => recordContext(skbContext, values, undefined)).toThrow(message)
})
