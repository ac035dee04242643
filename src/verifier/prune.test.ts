import { expect, it } from 'vitest'
import { judge, verdict } from '../../test/support/judge.js'

const random = 'call bpf_get_prandom_u32#7\n'

it('follows bounded loops to their end', () => {
  expect(judge('r1 = 0\nr1 += 1\nif r1 < 100 goto pc-2\nr0 = 0\nexit')).toMatchObject({
    verdict: 'accept',
    stats: { processed: 203 },
  })
})

it('refuses loops in which nothing changes', () => {
  expect(verdict('r0 = 0\ngoto pc-1')).toBe('EINVAL: infinite loop detected at insn 1')
  expect(verdict(`${random}if r0 == 7 goto pc+1\ngoto pc-2\nr0 = 0\nexit`)).toMatch(/infinite loop detected at insn/)
})

it('gives up after a million instructions', () => {
  const endless = 'r1 = 0\nr1 += 1\nif r1 < 1000000 goto pc-2\nr0 = 0\nexit'
  expect(verdict(endless)).toBe('E2BIG: BPF program is too large. Processed 1000001 insn')
}, 60_000)

it('does not explore again what is covered, and says so', () => {
  const branches = Array.from({ length: 10 }, () => `${random}if r0 == 0 goto pc+1\nr6 = 1\n`).join('')
  const { stats, log } = judge(`r6 = 0\n${branches}r0 = 0\nexit`, { logLevel: 2 })
  expect(stats.processed).toBeLessThan(100)
  expect(log).toContain(': safe')
})

it('does not take for covered what differs where it matters', () => {
  const index = `${random}r6 = 0\nif r0 == 0 goto pc+1\nr6 = 600\n`
  // Filler, so that a state is remembered before the access.
  const filler = `${random}${random}${random}if r0 == 0 goto pc+0\n${random}if r0 == 0 goto pc+0\n`
  expect(verdict(`${index}${filler}r2 = r10\nr2 += -512\nr2 += r6\nr1 = *(u8 *)(r2 +0)\nr0 = 0\nexit`)).toBe(
    'EACCES: invalid read from stack R2 off=88 size=1',
  )
})

it('keeps apart NULL and not NULL, and stack that is read later', () => {
  const lookup = '*(u32 *)(r10 -4) = 1\nr2 = r10\nr2 += -4\nr1 = map[fd:0]\ncall bpf_map_lookup_elem#1\n'
  const text = `${lookup}r6 = r0\nr7 = 0\nif r6 == 0 goto pc+1\nr7 = 1\n${random}${random}if r0 == 0 goto pc+0\nif r7 == 1 goto pc+1\nr6 = r10\nr1 = *(u8 *)(r6 -8)\nr0 = 0\nexit`
  expect(verdict(text, { maps: { 3: 'hsh' } })).toBe('EACCES: R6 min value is outside of the allowed memory range')
})
