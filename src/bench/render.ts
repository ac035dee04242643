/** Results as a table on a terminal, as Markdown for `docs/bench.md`, and as one JSON object a line. */
import { method, notes } from './method.js'
import { meansOf, type Results, type Row, ratioOf, type Section, sections } from './results.js'

/** Three significant digits, no exponent. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '-'
  if (value >= 100) return value.toFixed(0)
  return value.toFixed(value >= 10 ? 1 : 2)
}

/** A row's cells: name, ours, the kernel's, the ratio, what it is. */
function cells(row: Row): string[] {
  const ratio = ratioOf(row)
  const kernel = row.kernel === undefined ? '' : `${figure(row.kernel)} ${row.unit}`
  return [row.name, `${figure(row.ours)} ${row.unit}`, kernel, ratio === undefined ? '' : ratio.toFixed(3), row.what]
}

function bySection(rows: readonly Row[]): [Section, Row[]][] {
  const parts = sections.map((section): [Section, Row[]] => [section, rows.filter((row) => row.section === section)])
  return parts.filter(([, part]) => part.length > 0)
}

/** Heads of the columns; the two in the middle are numbers. */
function heads({ environment }: Results): string[] {
  return ['', environment.engine, environment.noKernel === undefined ? 'kernel' : '', 'ratio', '']
}

/** Rows of cells for each section, means last: what a terminal shows. */
export function tables(results: Results): { section: Section; rows: string[][] }[] {
  const means = meansOf(results.rows)
  return bySection(results.rows).map(([section, part]) => {
    const last = means.filter((mean) => mean.section === section)
    const meanCells = last.map(({ name, ratio }) => [name, '', '', ratio.toFixed(3), ''])
    return { section, rows: [heads(results), ...part.map(cells), ...meanCells] }
  })
}

/** What the figures depend on, name and value. */
export function facts({ environment }: Results): [string, string][] {
  const { node, v8, kernel, cpu, cpus, load, rounds, date, noKernel, mitigations } = environment
  const known = Object.entries(mitigations).map(([name, text]) => `${name}: ${text}`)
  return [
    ['date', date],
    ['Node', `${node} (V8 ${v8})`],
    ['kernel', noKernel === undefined ? kernel : `${kernel}, not measured: ${noKernel}`],
    ['processor', `${cpu}, ${cpus} CPUs, load ${load}`],
    ['mitigations', known.length > 0 ? known.join('; ') : 'none known'],
    ['rounds', `${rounds} batches of each`],
  ]
}

/** The document. `command` is the command line that made it. */
export function markdown(results: Results, command: string): string {
  const line = (row: readonly string[]) => `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  const table = (rows: readonly (readonly string[])[], rule: string) => {
    const [head = [], ...body] = rows
    return [line(head), rule, ...body.map(line)].join('\n')
  }
  const parts = tables(results).map(({ section, rows }) => {
    return `## ${section}\n\n${notes[section]}\n\n${table(rows, '|---|--:|--:|--:|---|')}`
  })
  const text = [
    '# Engines side by side',
    `Written by \`${command}\`: do not edit.`,
    table([['', ''], ...facts(results)], '|---|---|'),
    method,
    ...parts,
  ]
  return `${text.join('\n\n')}\n`
}

/** One object a line: the environment, every row, every mean. */
export function jsonLines(results: Results): string[] {
  return [
    { kind: 'environment', ...results.environment },
    ...results.rows.map((row) => ({ kind: 'row', ...row, ratio: ratioOf(row) ?? null })),
    ...meansOf(results.rows).map((mean) => ({ kind: 'mean', ...mean })),
  ].map((object) => JSON.stringify(object))
}
