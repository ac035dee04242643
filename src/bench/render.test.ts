import { expect, it } from 'vitest'
import { facts, figure, jsonLines, markdown, tables } from './render.js'
import { meansOf, type Results, type Row } from './results.js'

const row = (name: string, ours: number, kernel?: number): Row => ({
  section: 'programs',
  name,
  what: 'w',
  unit: 'ns',
  ours,
  ...(kernel === undefined ? {} : { kernel }),
})
const environment = {
  engine: 'compiler',
  rounds: 60,
  date: '2026-01-02',
  node: '20.0.0',
  v8: '11.3',
  kernel: '6.18.1',
  cpu: 'a processor',
  cpus: 2,
  load: '0.10',
  mitigations: { spectre_v2: 'Mitigation: Retpolines' },
} as const
const results: Results = {
  environment,
  rows: [row('alu32', 80, 100), row('calls', 5, 100), row('sieve', 125, 100), row('empty', 2, 6)],
}

it('takes means over what both sides have, with and without calls', () => {
  expect(meansOf(results.rows)).toEqual([
    { section: 'programs', name: 'geometric mean', ratio: expect.closeTo(0.3684, 4) },
    { section: 'programs', name: 'without calls', ratio: expect.closeTo(1, 10) },
  ])
  expect(meansOf([row('alu32', 80), row('sieve', 125)])).toEqual([])
})

it('shows three digits of every figure', () => {
  expect([3339.4, 100, 31.25, 4.276, 0.2649, Number.NaN].map(figure)).toEqual([
    '3339',
    '100',
    '31.3',
    '4.28',
    '0.26',
    '-',
  ])
})

it('shows ours, theirs and the ratio; without a kernel, ours alone and why', () => {
  expect(tables(results)[0]?.rows).toEqual([
    ['', 'compiler', 'kernel', 'ratio', ''],
    ['alu32', '80.0 ns', '100 ns', '0.800', 'w'],
    ['calls', '5.00 ns', '100 ns', '0.050', 'w'],
    ['sieve', '125 ns', '100 ns', '1.250', 'w'],
    ['empty', '2.00 ns', '6.00 ns', '0.333', 'w'],
    ['geometric mean', '', '', '0.368', ''],
    ['without calls', '', '', '1.000', ''],
  ])
  const alone = { environment: { ...environment, noKernel: 'it wants root' }, rows: [row('alu32', 80)] }
  expect(tables(alone)[0]?.rows).toEqual([
    ['', 'compiler', '', 'ratio', ''],
    ['alu32', '80.0 ns', '', '', 'w'],
  ])
  expect(facts(alone)).toContainEqual(['kernel', '6.18.1, not measured: it wants root'])
})

it('writes a document that says where it was measured and which command wrote it', () => {
  const text = markdown(results, 'workerbee bench --write docs/bench.md')
  for (const part of [
    '20.0.0 (V8 11.3)',
    '6.18.1',
    'spectre_v2: Mitigation: Retpolines',
    '| alu32 | 80.0 ns | 100 ns |',
  ])
    expect(text).toContain(part)
  expect(text).toContain('Written by `workerbee bench --write docs/bench.md`: do not edit.')
})

it('gives JSON that a program can read, a line each', () => {
  const lines = jsonLines(results).map((line) => JSON.parse(line))
  expect(lines.map(({ kind, name }) => name ?? kind)).toEqual([
    ...['environment', 'alu32', 'calls', 'sieve', 'empty', 'geometric mean', 'without calls'],
  ])
  expect(lines[1]).toMatchObject({ section: 'programs', unit: 'ns', ours: 80, kernel: 100, ratio: 0.8 })
  expect(JSON.parse(jsonLines({ environment, rows: [row('alu32', 80)] })[1] ?? '').ratio).toBeNull()
})
