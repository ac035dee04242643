// Asks the running kernel again and writes its answers beside the questions: `npm run record` for all of test/verifier,
// test/async, test/conformance and examples, `npm run record -- NAME...` for some (`conformance`: its vectors). Needs root,
// koffi, clang 19 and the reference kernel.
// The suites themselves do the work, so that what is recorded is what is compared.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const names = process.argv.slice(2)

/** suite -> where the question called `name` of it would stand. */
const places = {
  'test/verifier': (name) => `test/verifier/${name}.bpf.c`,
  'test/async': (name) => `test/async/${name}.bpf.c`,
  'test/examples': (name) => `examples/${name}/${name}.bpf.c`,
  'test/conformance/vectors': (name) => `test/${name}/vectors.test.ts`,
}
const owns = (suite, name) => existsSync(join(root, places[suite](name)))
for (const name of names) {
  if (Object.keys(places).some((suite) => owns(suite, name))) continue
  const looked = Object.values(places).map((place) => place(name))
  console.error(`record: nothing has the name '${name}': looked for ${looked.join(', ')}`)
  process.exit(2)
}

const vitest = join(root, 'node_modules/vitest/vitest.mjs')
const suites = Object.keys(places).filter((suite) => !names.length || names.some((name) => owns(suite, name)))
const { status } = spawnSync(process.execPath, [vitest, 'run', '--project', 'suites', ...suites], {
  cwd: root,
  stdio: 'inherit',
  env: { CLANG: 'clang-19', ...process.env, WORKERBEE_RECORD: names.length ? names.join(',') : '*' },
})
process.exit(status ?? 1)
