import { expect, it } from 'vitest'
import { judge, verdict } from '../../../test/support/judge.js'

const done = '\nr0 = 0\nexit'
const direct = { maps: { 0: 'arr' } }

/** `r6` points to the value of `arr`, 48 bytes. */
const withValue = (text: string): string => verdict(`r6 = map[fd:0][0]+0\n${text}${done}`, direct)

it('checks both ends of a known access', () => {
  expect(withValue('r2 = *(u64 *)(r6 +40)')).toBe('accept')
  expect(withValue('r2 = *(u64 *)(r6 +44)')).toBe('EACCES: R6 min value is outside of the allowed memory range')
  expect(withValue('r6 += -1\nr2 = *(u8 *)(r6 +0)')).toBe('EACCES: R6 min value is outside of the allowed memory range')
})

it('checks both ends of an unknown one', () => {
  const index = 'r7 = *(u32 *)(r1 +0)\n'
  expect(withValue(`${index}r7 &= 31\nr6 += r7\nr2 = *(u64 *)(r6 +0)`)).toBe('accept')
  expect(withValue(`${index}r7 &= 63\nr6 += r7\nr2 = *(u8 *)(r6 +0)`)).toBe(
    'EACCES: R6 max value is outside of the allowed memory range',
  )
  expect(withValue(`${index}r6 += r7\nr2 = *(u8 *)(r6 +0)`)).toBe(
    'EACCES: R6 unbounded memory access, make sure to bounds check any such access',
  )
  expect(withValue(`${index}if r7 s> 40 goto pc+2\nr6 += r7\nr2 = *(u8 *)(r6 +0)`)).toBe('accept')
  expect(withValue(`r7 = *(s16 *)(r10 -8)\nif r7 s> 40 goto pc+2\nr6 += r7\nr2 = *(u8 *)(r6 +0)`)).toBe(
    'EACCES: R6 min value is negative, either use unsigned index or do a if (index >=0) check.',
  )
})

it('reads constants out of frozen maps and does not write them', () => {
  const ro = { maps: { 0: 'ro' }, logLevel: 2 as const }
  const { log } = judge(`r6 = map[fd:0][0]+0\nr2 = *(u32 *)(r6 +0)\nr3 = *(s8 *)(r6 +4)${done}`, ro)
  expect(log).toMatch(/R2=0x4030201/)
  expect(log).toMatch(/R3=-1/)
  expect(verdict(`r6 = map[fd:0][0]+0\n*(u8 *)(r6 +3) = 1${done}`, ro)).toBe(
    'EACCES: write into map forbidden, value_size=8 off=3 size=1',
  )
})

it('wants NULL checked first, whichever copy is tested', () => {
  const lookup = '*(u32 *)(r10 -4) = 1\nr2 = r10\nr2 += -4\nr1 = map[fd:0]\ncall bpf_map_lookup_elem#1\nr6 = r0\n'
  const hash = { maps: { 3: 'hsh' } }
  expect(verdict(`${lookup}r1 = *(u64 *)(r0 +0)${done}`, hash)).toBe(
    "EACCES: R0 invalid mem access 'map_value_or_null'",
  )
  expect(verdict(`${lookup}if r6 == 0 goto pc+1\nr1 = *(u64 *)(r0 +0)${done}`, hash)).toBe('accept')
  expect(verdict(`${lookup}r0 += 8${done}`, hash)).toBe(
    'EACCES: R0 pointer arithmetic on map_value_or_null prohibited, null-check it first',
  )
})
