import { expect, it } from 'vitest'
import { verdict } from '../../../test/support/judge.js'

const start = 'r2 = *(u32 *)(r1 +0)\nr3 = *(u32 *)(r1 +4)\n'
const xdp = (text: string): string => verdict(`${start}${text}\nr0 = 2\nexit`, { type: 'xdp' })

it.each([
  ['r4 = r2\nr4 += 14\nif r4 > r3 goto pc+1\nr5 = *(u8 *)(r2 +13)', 'accept'],
  ['r4 = r2\nr4 += 14\nif r3 < r4 goto pc+1\nr5 = *(u8 *)(r2 +13)', 'accept'],
  ['r4 = r2\nr4 += 14\nif r4 >= r3 goto pc+1\nr5 = *(u8 *)(r2 +14)', 'accept'],
  ['r4 = r2\nr4 += 14\nif r4 > r3 goto pc+1\nr5 = *(u8 *)(r2 +14)', 'EACCES: R2 offset is outside of the packet'],
  ['r4 = r2\nr4 += 14\nif r4 > r3 goto pc+0\nr5 = *(u8 *)(r2 +0)', 'EACCES: R2 offset is outside of the packet'],
  ['r5 = *(u8 *)(r2 +0)', 'EACCES: R2 offset is outside of the packet'],
  ['r5 = *(u8 *)(r3 +0)', "EACCES: R3 invalid mem access 'pkt_end'"],
  ['r3 += 1', 'EACCES: R3 pointer arithmetic on pkt_end prohibited'],
])('%s: %s', (text, expected) => {
  expect(xdp(text)).toBe(expected)
})

it('keeps what was learnt for pointers with the same unknown part, and only those', () => {
  const moved = 'r6 = *(u32 *)(r1 +12)\nr6 &= 63\nr4 = r2\nr4 += r6\nr5 = r4\nr5 += 4\nif r5 > r3 goto pc+1\n'
  expect(xdp(`${moved}r0 = *(u32 *)(r4 +0)`)).toBe('accept')
  expect(xdp(`${moved}r0 = *(u32 *)(r2 +0)`)).toBe('EACCES: R2 offset is outside of the packet')
})

it('lets only some program types write', () => {
  const write =
    'r2 = *(u32 *)(r1 +76)\nr3 = *(u32 *)(r1 +80)\nr4 = r2\nr4 += 1\nif r4 > r3 goto pc+1\n*(u8 *)(r2 +0) = 1\nr0 = 0\nexit'
  expect(verdict(write, { type: 'sched_cls' })).toBe('accept')
  expect(verdict(write, { type: 'lwt_in' })).toBe('EACCES: cannot write into packet')
})
