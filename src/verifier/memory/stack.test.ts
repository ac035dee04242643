import { expect, it } from 'vitest'
import { judge, verdict } from '../../../test/support/judge.js'

const done = '\nr0 = 0\nexit'
/** The state line behind instruction `index` in the log. */
const after = (text: string, index: number): string => {
  const { log } = judge(text + done, { logLevel: 2 })
  return new RegExp(`^${index}: \\(.*?  ; (.*)$`, 'm').exec(log)?.[1] ?? log
}

it('gives back what was spilled, pointers included', () => {
  expect(verdict(`*(u64 *)(r10 -8) = r1\nr2 = *(u64 *)(r10 -8)\nr3 = *(u32 *)(r2 +0)${done}`)).toBe('accept')
  expect(verdict(`*(u64 *)(r10 -8) = r1\nr2 = *(u32 *)(r10 -8)${done}`)).toBe('EACCES: invalid size of register fill')
  expect(verdict(`*(u32 *)(r10 -8) = r1${done}`)).toBe('EACCES: invalid size of register spill')
})

it('knows bytes: zero, misc, never written', () => {
  expect(after('*(u8 *)(r10 -3) = 0\n*(u8 *)(r10 -4) = 7', 1)).toContain('fp-8=??0m????')
  expect(after('*(u16 *)(r10 -2) = 0\nr2 = *(u8 *)(r10 -1)', 1)).toContain('R2=0')
  expect(after('r2 = *(u64 *)(r10 -8)', 0)).toContain('R2=scalar()')
})

it('keeps the value of a narrower spill and forgets a wider one', () => {
  expect(after('*(u32 *)(r10 -8) = 7\nr2 = *(u32 *)(r10 -8)', 1)).toContain('R2=7')
  expect(after('*(u64 *)(r10 -8) = 7\n*(u8 *)(r10 -7) = 1', 1)).toContain('fp-8=mmmmmmmm')
})

it('destroys a spilled pointer that a store touches', () => {
  const broken = '*(u64 *)(r10 -8) = r1\n*(u8 *)(r10 -1) = 0\nr2 = *(u64 *)(r10 -8)\nr3 = *(u32 *)(r2 +0)'
  expect(verdict(broken + done)).toBe("EACCES: R2 invalid mem access 'scalar'")
})

it('a store at an unknown place may be any of them', () => {
  const somewhere = 'r2 = *(u32 *)(r1 +0)\nr2 &= 8\nr3 = r10\nr3 += r2\n'
  const spilled = '*(u64 *)(r10 -16) = r1\n'
  expect(
    verdict(`${spilled}${somewhere}*(u64 *)(r3 -16) = r2\nr4 = *(u64 *)(r10 -16)\nr5 = *(u32 *)(r4 +0)${done}`),
  ).toBe("EACCES: R4 invalid mem access 'scalar'")
  expect(verdict(`${somewhere}r4 = *(u64 *)(r3 -16)${done}`)).toBe('accept')
  expect(verdict(`r2 = *(u32 *)(r1 +0)\nr3 = r10\nr3 += r2\nr4 = *(u8 *)(r3 -16)${done}`)).toBe(
    'EACCES: invalid unbounded variable-offset read from stack R3',
  )
})

it.each([
  ['*(u64 *)(r10 -520) = 0', 'EACCES: invalid write to stack R10 off=-520 size=8'],
  ['*(u64 *)(r10 +0) = 0', 'EACCES: invalid write to stack R10 off=0 size=8'],
  ['r2 = *(u64 *)(r10 +8)', 'EACCES: invalid read from stack R10 off=8 size=8'],
  ['*(u64 *)(r10 -4) = 0', 'EACCES: misaligned stack access off 0+0+-4 size 8'],
])('%s is refused', (text, expected) => {
  expect(verdict(text + done)).toBe(expected)
})
