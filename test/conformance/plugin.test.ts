import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { assemble, encode } from '../../src/isa/index.js'
import { freshDist } from '../support/dist.js'
import { root } from '../support/paths.js'

beforeAll(freshDist, 120_000)

const hex = (bytes: Uint8Array) => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('  ')

/** Runs the plugin; its exit code and what it wrote. */
function plugin(stdin: string, ...args: string[]): [code: number | null, out: string, err: string] {
  const { status, stdout, stderr } = spawnSync(join(root, 'test/conformance/plugin'), args, {
    input: `${stdin}\n`,
    encoding: 'utf8',
  })
  return [status, stdout.trim(), stderr.trim()]
}
const program = (text: string) => hex(encode(assemble(text)))

it('prints R0 in hexadecimal', () => {
  expect(plugin(program('r0 = -1\nexit'))).toEqual([0, 'ffffffffffffffff', ''])
})

it('gives the program its memory: R1 the address, R2 the length', () => {
  const memory = hex(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 0x88))
  expect(plugin(program('r0 = *(u64 *)(r1 +0)\nr0 += r2\nexit'), memory)[1]).toBe('8807060504030209')
  expect(plugin(program('r0 = r1\nr0 |= r2\nexit'))[1]).toBe('0')
})

it.each(['interpreter', 'compiler'])(
  'runs unverified programs on the %s: local calls, wide shifts, division by zero',
  (engine) => {
    expect(plugin(program('r1 = 4\ncall f\nexit\nf: r0 = r1\nr0 <<= 65\nexit'), '--engine', engine)[1]).toBe('8')
    expect(plugin(program('r0 = 7\nr1 = 0\nr0 /= r1\nexit'), '--engine', engine)[1]).toBe('0')
    expect(plugin(program('r0 = 7\nr0 = *(u8 *)(r0 -9)\nexit'), '--engine', engine)[2]).toContain('bad-address')
  },
)

it('fails with a message and a code where there is no R0', () => {
  expect(plugin(program('call bpf_ktime_get_ns\nexit'))).toEqual([
    1,
    '',
    'plugin: no-helpers: instruction 0: helper 5 is called, and a bare program has none',
  ])
  expect(plugin(program('r1 = 0\nr0 = *(u8 *)(r1 +0)\nexit'))[2]).toContain('bad-address: instruction 1')
  expect(plugin(program('goto pc-1'), '--budget', '1000')[2]).toContain('out-of-budget')
  expect(plugin('95 00')[2]).toContain('insn-truncated')
  expect(plugin('xyz')[0]).toBe(2)
  expect(plugin('')[0]).toBe(2)
  expect(plugin(program('exit'), '--fast')[2]).toContain('unknown option --fast')
  expect(plugin(program('exit'), '--engine', 'none')[0]).toBe(3)
})

it.each(['interpreter', 'compiler'])('ends a program that never ends: %s', (engine) => {
  const start = performance.now()
  const options = ['--engine', engine, '--budget', '1e15', '--timeout', '0.5']
  expect(plugin(program('r0 = 0\nagain: r0 += 1\ngoto again'), ...options)).toEqual([
    1,
    '',
    'plugin: timeout: the program did not end within 0.5 s',
  ])
  expect(performance.now() - start).toBeLessThan(5_000)
  expect(plugin(program('exit'), '--timeout', '0')[0]).toBe(2)
})
