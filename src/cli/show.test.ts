import { expect, it } from 'vitest'
import { showElement, showValue, table, timeScale, toJson } from './show.js'

it('shows values in one line, fields of the kernel by their name', () => {
  const value = {
    count: 3n,
    name: 'a"b',
    on: true,
    list: [1, [2]],
    raw: Uint8Array.of(1, 255),
    work: { opaque: 'bpf_wq' },
  }
  expect(showValue(value)).toBe('{ count: 3, name: "a\\"b", on: true, list: [1, [2]], raw: 01 ff, work: bpf_wq }')
  expect(showValue({})).toBe('{}')
  expect([0, 'eth0', [192, 0, 2, 1], { id: 7 }].map((key) => showElement('map', key))).toEqual([
    'map[0]',
    'map["eth0"]',
    'map[192, 0, 2, 1]',
    'map[{ id: 7 }]',
  ])
})

it('writes 64-bit values into JSON as decimal text, so that none is rounded', () => {
  expect(JSON.parse(toJson({ big: 2n ** 64n - 1n, small: 7, bytes: Uint8Array.of(10) }))).toEqual({
    big: '18446744073709551615',
    small: 7,
    bytes: '0a',
  })
})

it('shows all times of a table in the unit that suits the longest', () => {
  expect([0n, 1n, 1_234_567n].map(timeScale(1_234_567n))).toEqual(['0.000 us', '0.001 us', '1234.567 us'])
  expect([1_500_000n, 100_000_000n].map(timeScale(100_000_000n))).toEqual(['1.500 ms', '100.000 ms'])
  expect(timeScale(90_000_000_000n)(90_000_000_000n)).toBe('90.000 s')
})

it('aligns columns and leaves no blanks at the end', () => {
  expect(
    table(
      [
        ['name', 'n', ''],
        ['x', '100', 'end'],
      ],
      [1],
    ),
  ).toEqual(['name    n', 'x     100  end'])
})
