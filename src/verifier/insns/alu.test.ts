import { expect, it } from 'vitest'
import { judge, verdict } from '../../../test/support/judge.js'

const random = 'call bpf_get_prandom_u32#7\n'
const done = '\nr0 = 0\nexit'
/** What the log says about register `n` behind instruction `index`. */
const reg = (text: string, index: number, n: number): string | undefined => {
  const { log } = judge(text + done, { logLevel: 2 })
  const line = new RegExp(`^${index}: \\(.*?  ; (.*)$`, 'm').exec(log)?.[1] ?? ''
  return new RegExp(`R${n}=(\\S+)`).exec(line)?.[1]
}

it('ties a copy to its source, and a sum by its distance', () => {
  expect(reg(`${random}r6 = r0`, 1, 6)).toBe('scalar(id=1)')
  expect(reg(`${random}r6 = r0\nr6 += 5`, 2, 6)).toBe('scalar(id=1+5)')
  expect(reg(`${random}r6 = r0\nr6 -= 5`, 2, 6)).toBe('scalar(id=1-5)')
  expect(reg(`${random}r6 = r0\nr6 *= 5`, 2, 6)).toBe('scalar()')
  // In 32 bits only where nothing is cut off.
  expect(reg(`${random}r6 = r0\nw6 += 5`, 2, 6)).toMatch(/^scalar\(smin=0/)
})

it('carries what a comparison teaches to everything that is tied', () => {
  const text = `${random}r6 = r0\nr6 += 5\nif r0 > 10 goto pc+1\nr7 = r6`
  expect(reg(text, 4, 7)).toContain('smax=umax=smax32=umax32=15')
})

it('cuts 32-bit results and takes pointers for numbers there', () => {
  expect(reg('r2 = r10\nw3 = w2', 1, 3)).toContain('umax=0xffffffff')
  expect(reg(`${random}r0 &= 255\nr0 = be16 r0`, 2, 0)).toContain('0xff00')
})

it.each([
  ['r2 = r10\nr2 *= 2', 'EACCES: R2 pointer arithmetic with *= operator prohibited'],
  ['r2 = r10\nr2 |= 2', 'EACCES: R2 bitwise operator |= on pointer prohibited'],
  ['r2 = r10\nr2 -= 8', 'EACCES: R2 subtraction from stack pointer prohibited'],
  ['r2 = r10\nw2 += 8', 'EACCES: R2 32-bit pointer arithmetic prohibited'],
  ['r2 = 4\nr2 -= r10', 'EACCES: R2 tried to subtract pointer from scalar'],
  ['r2 = r10\nr2 += r1', 'EACCES: R2 pointer += pointer prohibited'],
  ['r2 = r10\nr2 -= r1', 'accept'],
  ['r1 += 1073741824', 'EINVAL: math between ctx pointer and 1073741824 is not allowed'],
  [
    'r2 = *(u64 *)(r10 -8)\nr1 += r2',
    'EINVAL: math between ctx pointer and register with unbounded min value is not allowed',
  ],
  ['r1 += 8\nr2 = *(u32 *)(r1 +0)', 'EACCES: dereference of modified ctx ptr R1 off=8 disallowed'],
])('%s: %s', (text, expected) => {
  expect(verdict(text + done)).toBe(expected)
})

it('splits the path where a mask selects between two values', () => {
  const { log, verdict: result } = judge(`${random}r0 s>>= 63\nr0 &= -134${done}`, { logLevel: 2 })
  expect(result).toBe('accept')
  expect(log).toMatch(/R0=-134/)
  expect(log).toMatch(/from 2 to 2: R0=0/)
})
