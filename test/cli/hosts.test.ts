import { expect, it } from 'vitest'
import { createIo, main } from '../../src/cli/main.js'
import { noReference, skipped } from '../support/reference.js'

/** The examples are written for the reference kernel: earlier ones lack `bpf_wq`, later ones renamed a kfunc. */
const skip = skipped('the examples on both hosts', noReference())

/** What one run says in JSON, without what only a machine can know. */
async function outcome(...argv: string[]): Promise<unknown[]> {
  const lines: string[] = []
  const io = createIo(
    (text) => lines.push(text),
    (text) => lines.push(text),
    false,
  )
  const code = await main(['run', ...argv, '--json'], io, { isolate: false })
  expect({ code, lines }).toMatchObject({ code: 0 })
  return lines.map((line) => {
    const { program, retval, globals, maps } = JSON.parse(line)
    return { program, retval, globals, maps }
  })
}

it.skipIf(skip).each([['heartbeat'], ['retry'], ['debounce'], ['ratelimit', '--repeat', '8'], ['refused', 'released']])(
  '%s: Linux and the machine end with the same results, maps and globals',
  // Again where a busy machine was late for a timer.
  { retry: 2 },
  async (name, ...options) => {
    const argv = [`examples/${name}/${name}.bpf.o`, ...options]
    const machine = await outcome(...argv)
    expect(await outcome(...argv, '--on', 'linux', '--until', '200ms')).toEqual(machine)
  },
)
