// The house's one architectural rule, enforced: data flows one way, so a room imports only the rooms named here.
// Rooms left of `linux` run in a browser and import no `node:*` module.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'

/** room -> the rooms that it may import besides itself. */
const allowed = {
  bits: [],
  uapi: ['bits'],
  isa: ['bits', 'uapi'],
  elf: ['bits'],
  wasm: ['bits'],
  btf: ['bits', 'uapi'],
  object: ['bits', 'uapi', 'isa', 'elf', 'btf'],
  profile: ['bits', 'uapi', 'btf', 'object'],
  report: ['bits', 'uapi', 'btf', 'object'],
  facts: ['bits'],
  verifier: ['bits', 'uapi', 'isa', 'btf', 'object', 'profile', 'report', 'facts'],
  runtime: ['bits', 'uapi', 'wasm'],
  engine: ['bits', 'uapi', 'isa', 'wasm', 'facts', 'runtime'],
  host: ['bits', 'uapi', 'btf', 'object', 'report'],
  machine: [
    'bits',
    'uapi',
    'isa',
    'btf',
    'object',
    'profile',
    'report',
    'facts',
    'verifier',
    'runtime',
    'engine',
    'host',
  ],
  linux: ['bits', 'uapi', 'isa', 'btf', 'object', 'report', 'host'],
  clang: ['bits', 'uapi'],
  node: [],
  bench: ['bits', 'uapi', 'object', 'engine', 'host', 'machine', 'linux', 'node'],
}
const browser = (room) => !['linux', 'clang', 'node', 'bench', 'cli'].includes(room)

const src = resolve(import.meta.dirname ?? dirname(new URL(import.meta.url).pathname), '../src')
const files = readdirSync(src, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map((entry) => join(entry.parentPath ?? entry.path, entry.name))

const wrong = []
for (const file of files) {
  const room = relative(src, file).split(sep)[0]
  const isTest = file.endsWith('.test.ts')
  for (const [, target] of readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)) {
    if (target.startsWith('node:') && !isTest && browser(room)) wrong.push(`${relative(src, file)} imports ${target}`)
    if (!target.startsWith('.') || isTest) continue
    const other = relative(src, resolve(dirname(file), target)).split(sep)[0]
    if (room === other || room === 'cli' || room === 'index.ts') continue
    if (!(allowed[room] ?? []).includes(other)) wrong.push(`${relative(src, file)}: ${room} must not import ${other}`)
  }
}
for (const line of wrong) console.error(line)
console.log(`imports: ${files.length} files, ${wrong.length} run the wrong way`)
process.exit(wrong.length ? 1 : 0)
