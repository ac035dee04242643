import { expect, it } from 'vitest'
import { verdict } from '../../../test/support/judge.js'

it('wants R0 written', () => {
  expect(verdict('exit')).toBe('EACCES: R0 !read_ok')
})

it('lets root return a pointer where any value is allowed', () => {
  expect(verdict('r0 = r1\nexit', { type: 'sched_cls' })).toBe('accept')
})

it('keeps to the range of the program type', () => {
  const random = 'call bpf_get_prandom_u32#7\nexit'
  expect(verdict('r0 = 1\nexit', { type: 'sk_lookup' })).toBe('accept')
  expect(verdict('r0 = 2\nexit', { type: 'sk_lookup' })).toBe(
    'EINVAL: At program exit the register R0 has smin=2 smax=2 should have been in [0, 1]',
  )
  expect(verdict(random, { type: 'sk_lookup' })).toBe(
    'EINVAL: At program exit the register R0 has unknown scalar value should have been in [0, 1]',
  )
  expect(verdict('r0 = r1\nexit', { type: 'sk_lookup' })).toBe(
    'EINVAL: At program exit the register R0 is not a known value (ctx)',
  )
})

it('returns to the caller with its registers, and never with a pointer into the stack that ends', () => {
  const call = (body: string, rest: string): string => `r6 = 5\ncall pc+${rest.split('\n').length}\n${rest}\n${body}`
  const options = { functions: [0, 5] }
  expect(verdict(call('r0 = 7\nexit', 'r0 += r6\nr0 += r6\nexit'), options)).toBe('accept')
  expect(verdict(call('r0 = r10\nexit', 'r0 = 0\nr0 = r6\nexit'), options)).toBe(
    'EINVAL: cannot return stack pointer to the caller',
  )
  expect(verdict(call('r0 = r6\nexit', 'r0 = 0\nr0 = r6\nexit'), options)).toBe('EACCES: R6 !read_ok')
})

it('a callback says whether to go on: 0 or 1', () => {
  const loop = (body: string): string =>
    `r1 = 10\nr2 = subprog[+6]\nr3 = 0\nr4 = 0\ncall bpf_loop#181\nr0 = 0\nexit\n${body}\nexit`
  const options = { functions: [0, 8] }
  expect(verdict(loop('r0 = 1'), options)).toBe('accept')
  expect(verdict(loop('r0 = 2'), options)).toBe(
    'EINVAL: At callback return the register R0 has smin=2 smax=2 should have been in [0, 1]',
  )
  expect(verdict(loop('r0 = r10'), options)).toMatch(/cannot return stack pointer/)
})
