import { expect, it } from 'vitest'
import { verdict } from '../../test/support/judge.js'

const body = (bytes: number): string => `*(u64 *)(r10 -${bytes}) = 0\nr0 = 0\nexit`

it('adds up the frames of a chain of calls, each rounded up to 16 bytes', () => {
  const chain = (a: number, b: number): string => `*(u64 *)(r10 -${a}) = 0\ncall pc+1\nexit\n${body(b)}`
  expect(verdict(chain(256, 256), { functions: [0, 3] })).toBe('accept')
  expect(verdict(chain(256, 264), { functions: [0, 3] })).toBe(
    'EACCES: combined stack size of 2 calls is 528. Too large',
  )
  expect(verdict(chain(504, 8), { functions: [0, 3] })).toBe('EACCES: combined stack size of 2 calls is 528. Too large')
})

it('allows eight frames', () => {
  const chain = (calls: number): string => `${'call pc+1\nexit\n'.repeat(calls)}r0 = 0\nexit`
  const functions = (calls: number): number[] => Array.from({ length: calls + 1 }, (_, i) => 2 * i)
  expect(verdict(chain(7), { functions: functions(7) })).toBe('accept')
  expect(verdict(chain(8), { functions: functions(8) })).toBe('E2BIG: the call stack of 9 frames is too deep')
  expect(verdict('call pc-1\nexit')).toBe('E2BIG: the call stack of 9 frames is too deep')
})
