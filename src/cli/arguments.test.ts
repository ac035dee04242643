import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { parseAssignment, parseBytes, parseContext, parseCount, parseTime, readInput } from './arguments.js'

const usage = expect.objectContaining({ code: 'usage', place: '--option' })

it('reads times exactly, down to the nanosecond', () => {
  expect(
    ['10ms', '1.5s', '250us', '7ns', '0.000000001s', '1.23456789ms'].map((text) => parseTime('--option', text)),
  ).toEqual([10_000_000n, 1_500_000_000n, 250_000n, 7n, 1n, 1_234_567n])
  for (const text of ['10', 'ms', '1.ms', '-1ms', '1e3ms', '1 ms', '']) {
    expect(() => parseTime('--option', text)).toThrow(usage)
  }
})

it('reads counts within their bounds', () => {
  expect(parseCount('--option', '64', 1, 64)).toBe(64)
  for (const text of ['0', '65', '1.5', '0x10', '', '-1', 'NaN']) {
    expect(() => parseCount('--option', text, 1, 64)).toThrow(usage)
  }
})

it('reads bytes as people write them', () => {
  const expected = Uint8Array.of(0xde, 0xad, 0x00)
  for (const text of ['dead00', 'DE AD 00', '0xdead00', 'de:ad:00'])
    expect(parseBytes('--option', text)).toEqual(expected)
  for (const text of ['d', 'dead0', 'xyz0']) expect(() => parseBytes('--option', text)).toThrow(usage)
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(parseBytes('--option', Buffer.from(bytes).toString('hex'))).toEqual(bytes)
    }),
  )
})

it('takes a file in place of text, and says whose file is missing', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'workerbee-')), 'ctx.json')
  writeFileSync(file, '{"mark": 7}')
  expect(parseContext('--option', `@${file}`)).toEqual({ mark: 7 })
  expect(parseBytes('--option', `@${file}`)).toHaveLength(11)
  const missing = expect.objectContaining({ code: 'unreadable', place: '--option' })
  expect(() => parseBytes('--option', '@/no/such/file')).toThrow(missing)
  expect(() => readInput(tmpdir())).toThrow(/it is a directory/)
})

it('takes a context only as an object', () => {
  for (const text of ['[1]', '7', 'null', '"text"', '{mark: 7}'])
    expect(() => parseContext('--option', text)).toThrow(usage)
})

it('leaves plain values as text, for the type to understand, and reads structures as JSON', () => {
  expect(
    ['n=7', 'n=0xff', 'on=true', 'color=RED', 'name=a=b', 'empty='].map((text) => parseAssignment('--option', text)),
  ).toEqual([
    ['n', '7'],
    ['n', '0xff'],
    ['on', 'true'],
    ['color', 'RED'],
    ['name', 'a=b'],
    ['empty', ''],
  ])
  expect(parseAssignment('--option', 'limits=[1, 2]')).toEqual(['limits', [1, 2]])
  expect(parseAssignment('--option', 'c={"a": {"b": 1}}')).toEqual(['c', { a: { b: 1 } }])
  expect(parseAssignment('--option', 'ratio=-0.5')).toEqual(['ratio', -0.5])
  for (const text of ['n', '=7', 'limits=[1']) expect(() => parseAssignment('--option', text)).toThrow(usage)
})
