/** `--timeout` ends whatever does not end, whoever executes it, and soon. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { freshDist } from '../support/dist.js'
import { root } from '../support/paths.js'

beforeAll(freshDist, 120_000)

interface Ended {
  readonly code: number | null
  readonly err: string
  readonly ms: number
}

function run(...argv: string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const start = performance.now()
    const object = join(root, 'test/stopping/endless.bpf.o')
    const child = spawn(process.execPath, [join(root, 'bin/workerbee.js'), 'run', object, ...argv])
    let err = ''
    child.stderr.on('data', (text) => {
      err += text
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, err, ms: performance.now() - start }))
  })
}

const engines = ['interpreter', 'compiler'] as const
const endless = ['nested', 'start_slow', 'start_again'] as const

it.each(engines.flatMap((engine) => endless.map((name) => [engine, name] as const)))(
  '%s: ends %s',
  async (engine, name) => {
    const { code, err, ms } = await run(name, '--engine', engine, '--timeout', '700ms')
    expect({ code, err }).toEqual({
      code: 1,
      err: expect.stringMatching(/it did not end within 0.7 s \(--timeout\)|still work/),
    })
    expect(ms).toBeLessThan(20_000)
  },
)

it.each(engines)('%s: leaves programs alone that end in time', async (engine) => {
  expect(await run('answer', '--engine', engine, '--timeout', '20s')).toMatchObject({ code: 0, err: '' })
})
