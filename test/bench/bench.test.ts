/** The whole command on one benchmark of each kind: figures are not judged, but that they are there and what is said of them. */
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createIo, main } from '../../src/cli/main.js'
import { kernelUnavailable } from '../../src/linux/index.js'

async function bench(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', '']
  const io = createIo(
    (text) => {
      out += text
    },
    (text) => {
      err += text
    },
    false,
  )
  const code = await main(['bench', '--rounds', '30', ...argv], io)
  return { code, out, err }
}

const lines = (out: string): Record<string, unknown>[] =>
  out
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))

it.each(['interpreter', 'compiler'])('measures a program and a map operation with the %s', async (engine) => {
  for (const only of ['murmur3', 'map_array']) {
    const { code, out, err } = await bench('--only', only, '--engine', engine, '--json')
    expect({ code, err }).toEqual({ code: 0, err: '' })
    const [environment, row, empty, ...means] = lines(out)
    expect(environment).toMatchObject({ kind: 'environment', engine, rounds: 30, node: process.versions.node })
    expect([row?.name, empty?.name, means]).toEqual([only, 'empty', []])
    expect(row?.ours).toBeGreaterThan(0)
    if (kernelUnavailable()) expect([row?.kernel, environment?.noKernel]).toEqual([undefined, expect.any(String)])
    else expect(row?.kernel).toBeGreaterThan(0)
  }
})

it('writes the document, with the command that made it', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'workerbee-')), 'bench.md')
  const { code, out } = await bench('--only', 'workqueues', '--engine', 'interpreter', '--write', path)
  expect(code).toBe(0)
  expect(out).toContain('wq_batch')
  const text = readFileSync(path, 'utf8')
  expect(text).toContain(
    `Written by \`workerbee bench --engine interpreter --rounds 30 --only workqueues --write ${path}\``,
  )
  expect(text).toContain('## workqueues')
})

it('answers wrong options with usage', async () => {
  expect(await bench('--only', 'nothing')).toMatchObject({ code: 2, err: expect.stringContaining('--only') })
  expect(await bench('--rounds', '3')).toMatchObject({ code: 2, err: expect.stringContaining('from 30 to') })
  expect((await bench('--only', 'sieve', '--write', '/no/such/directory/bench.md')).code).toBe(3)
})
