// Compiles the programs of bench/programs with clang 19. The flags forbid what would make two compilers measure different
// programs: unrolled loops, and loops that turn into calls of memcpy.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const programs = join(root, 'bench/programs')
const flags = [
  ...['-target', 'bpf', '-O2', '-g', '-mcpu=v3', '-Wall', '-Werror', '-Wno-unused-variable'],
  ...['-fno-builtin', '-fno-unroll-loops', '-fno-vectorize', '-fno-slp-vectorize'],
  // Without these the object holds the directory in which it was made.
  ...[`-ffile-prefix-map=${root}=.`, '-fdebug-compilation-dir=.', '-fno-ident'],
  ...[`-I${join(root, 'include')}`],
]
const wanted = process.argv.slice(2)

for (const file of readdirSync(programs).filter((name) => name.endsWith('.bpf.c'))) {
  if (wanted.length && !wanted.includes(file.replace('.bpf.c', ''))) continue
  const args = [...flags, '-c', file, '-o', file.replace(/c$/, 'o')]
  const { status } = spawnSync(process.env.CLANG ?? 'clang-19', args, { cwd: programs, stdio: 'inherit' })
  if (status !== 0) process.exit(1)
}
