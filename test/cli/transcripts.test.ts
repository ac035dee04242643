import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { replay } from './transcript.js'

const examples = readdirSync('examples', { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => join('examples', entry.name))
const commands = readdirSync('test/cli').filter((name) => name.endsWith('.txt'))

it('every example has its source, its object and its transcript', () => {
  expect(examples.length).toBeGreaterThanOrEqual(6)
  for (const folder of examples) {
    const name = folder.split('/').at(-1)
    for (const file of [`${name}.bpf.c`, `${name}.bpf.o`, 'expected.txt']) {
      expect(existsSync(join(folder, file)), join(folder, file)).toBe(true)
    }
  }
})

it.each([...examples.map((folder) => join(folder, 'expected.txt')), ...commands.map((name) => join('test/cli', name))])(
  '%s',
  async (path) => {
    const { expected, actual } = await replay(path)
    expect(actual).toBe(expected)
  },
)
