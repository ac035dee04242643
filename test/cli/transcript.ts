/**
 * Transcripts: files that are test and expectation in one. A line `$ workerbee ...` is a command, executed from the
 * repository's root; what follows is its standard output, with `! ` before lines of standard error and a last line
 * `[exit N]` where the exit code is not 0. `# ` begins a remark. Run with UPDATE=1 to write what is printed now.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { createIo, main } from '../../src/cli/main.js'

/** One command with everything that belongs to it. */
interface Entry {
  readonly remarks: readonly string[]
  readonly command: string
}

/** Executes a transcript; gives what it says and what it should say if all is well. */
export async function replay(path: string): Promise<{ expected: string; actual: string }> {
  const expected = readFileSync(path, 'utf8')
  const parts: string[] = []
  for (const { remarks, command } of entries(expected)) {
    parts.push([...remarks, `$ ${command}`, await execute(command)].join('\n'))
  }
  const actual = parts.join('\n')
  if (process.env.UPDATE) writeFileSync(path, actual)
  return { expected: process.env.UPDATE ? actual : expected, actual }
}

function entries(text: string): Entry[] {
  const found: Entry[] = []
  let remarks: string[] = []
  for (const line of text.split('\n')) {
    if (line.startsWith('# ')) remarks.push(line)
    if (!line.startsWith('$ ')) continue
    found.push({ remarks, command: line.slice(2) })
    remarks = []
  }
  return found
}

/** What a command prints, as a transcript shows it. Measured times become 0. */
export async function execute(command: string): Promise<string> {
  const [name, ...argv] = words(command)
  if (name !== 'workerbee') throw new Error(`a transcript can only run workerbee, not ${name}`)
  let printed = ''
  const io = createIo(
    (text) => {
      printed += text
    },
    (text) => {
      printed += text.replace(/^(?=.)/gm, '! ')
    },
    false,
  )
  const code = await main(argv, io, { isolate: false })
  return `${printed.replace(/"timeUs":\d+/g, '"timeUs":0')}${code ? `[exit ${code}]\n` : ''}`
}

/** Words of a command line; single quotes keep blanks together. */
function words(command: string): string[] {
  return Array.from(command.matchAll(/'([^']*)'|(\S+)/g), ([, quoted, plain]) => quoted ?? plain ?? '')
}
