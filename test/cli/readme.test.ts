/**
 * The README keeps its word: what stands between `<!-- prints: COMMAND -->` and `<!-- end -->` is what the command prints.
 * Run with UPDATE=1 to write it.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { root } from '../support/paths.js'
import { execute } from './transcript.js'

it('shows in the README what the commands print', async () => {
  const path = join(root, 'README.md')
  const text = readFileSync(path, 'utf8')
  const blocks = [...text.matchAll(/<!-- prints: (.*) -->\n([\s\S]*?)<!-- end -->/g)]
  expect(blocks.length).toBeGreaterThan(0)
  let now = text
  for (const [whole, command = ''] of blocks) {
    now = now.replace(whole, `<!-- prints: ${command} -->\n\`\`\`\n${await execute(command)}\`\`\`\n<!-- end -->`)
  }
  if (process.env.UPDATE) writeFileSync(path, now)
  else expect(text).toBe(now)
})
