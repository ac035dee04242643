import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** The command as it is installed; `npm run build` makes what it needs. */
function workerbee(...argv: string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['bin/workerbee.js', ...argv])
    let [out, err] = ['', '']
    child.stdout.on('data', (text) => {
      out += text
    })
    child.stderr.on('data', (text) => {
      err += text
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, out, err }))
  })
}

it('runs an example in its worker and prints what the transcript says', async () => {
  const { code, out, err } = await workerbee('run', 'examples/heartbeat/heartbeat.bpf.o')
  const transcript = readFileSync('examples/heartbeat/expected.txt', 'utf8')
  expect({ code, err }).toEqual({ code: 0, err: '' })
  expect(transcript).toContain(out)
})

it('ends a program that outlives its deadline, and says so', async () => {
  const endless = ['--set', 'beats_wanted=1000000000', '--timeout', '1s']
  const { code, err } = await workerbee('run', 'examples/heartbeat/heartbeat.bpf.o', ...endless)
  expect(code).toBe(1)
  expect(err).toContain('it did not end within 1 s')
})

it('answers with the exit code of the refusal from within the worker', async () => {
  const { code, out } = await workerbee('verify', 'examples/refused/refused.bpf.o', '--json')
  expect(code).toBe(1)
  expect(
    out
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line).verdict),
  ).toEqual(['reject', 'accept'])
})

it('tells its version and its commands', async () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
  expect((await workerbee('--version')).out.trim()).toBe(version)
  const { code, out } = await workerbee('--help')
  expect(code).toBe(0)
  for (const command of ['run', 'verify', 'dump', 'build', 'features']) expect(out).toContain(`  ${command} `)
})
