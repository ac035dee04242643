import { expect, it } from 'vitest'
import { verdict } from '../../../test/support/judge.js'

const load = 'r0 = *(u16 *)skb[12]\nr0 = 0\nexit'

it('wants the context in R6 and loses R1 to R5', () => {
  expect(verdict(`r6 = r1\n${load}`)).toBe('accept')
  expect(verdict(`r6 = r1\nr7 = 14\nr0 = *(u8 *)skb[r7 + 2]\nr0 = 0\nexit`)).toBe('accept')
  expect(verdict(load)).toBe('EACCES: R6 !read_ok')
  expect(verdict(`r6 = r10\n${load}`)).toBe('EINVAL: at the time of BPF_LD_ABS|IND R6 != pointer to skb')
  expect(verdict('r6 = r1\nr2 = 1\nr0 = *(u16 *)skb[12]\nr0 = r2\nexit')).toBe('EACCES: R2 !read_ok')
})

it('exists for socket filters and traffic control only', () => {
  expect(verdict(`r6 = r1\n${load}`, { type: 'xdp' })).toBe(
    'EINVAL: BPF_LD_[ABS|IND] instructions not allowed for this program type',
  )
})

it('is not allowed in functions of unknown type', () => {
  const text = 'r6 = r1\ncall pc+2\nr0 = 0\nexit\nr6 = r1\nr0 = *(u16 *)skb[12]\nexit'
  expect(verdict(text)).toBe('EINVAL: LD_ABS is not allowed in subprogs without BTF')
  expect(verdict(text, { functions: [0, 4] })).toMatch(/^unsupported: LD_ABS and LD_IND in functions/)
})
