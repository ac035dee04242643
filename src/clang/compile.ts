/**
 * C to a BPF object, with the flags that people use for BPF: optimised (the verifier wants it), with debug information (BTF
 * comes from it) and with Workerbee's own headers on the include path, after those of the caller.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BpfError } from '../bits/index.js'
import { findClang } from './find.js'

/** How to compile. */
export interface CompileOptions {
  /** Where to write the object as well; its directory must exist. */
  out?: string
  /** Instruction set version (default `v3`; `v4` has sdiv, movsx, bswap, gotol). */
  cpu?: 'v1' | 'v2' | 'v3' | 'v4'
  /** `-D`: `{ DEBUG: 1, NAME: '"x"' }`. */
  defines?: Readonly<Record<string, string | number>>
  /** Directories searched before Workerbee's headers. */
  includes?: readonly string[]
  /** The compiler to use (default: `findClang()`). */
  clang?: string
}

/** The directory of Workerbee's headers for BPF C, both from `src/` and from `dist/`. */
export const includeDirectory = resolve(dirname(fileURLToPath(import.meta.url)), '../../include')

/** Where Debian keeps `asm/types.h`, which `<linux/bpf.h>` needs and `-target bpf` does not search. */
const multiarch: Partial<Record<NodeJS.Architecture, string>> = {
  x64: '/usr/include/x86_64-linux-gnu',
  arm64: '/usr/include/aarch64-linux-gnu',
}

/**
 * Compiles one C file to a BPF object and returns its bytes. Throws `BpfError`: `clang-missing` where there is no compiler,
 * `compile-failed` with the compiler's own words.
 */
export function compile(file: string, options: CompileOptions = {}): Uint8Array {
  const clang = findClang(options.clang)
  const scratch = mkdtempSync(join(tmpdir(), 'workerbee-'))
  try {
    const object = join(scratch, 'out.o')
    const system = multiarch[process.arch]
    const args = [
      ...[
        '-target',
        'bpf',
        '-O2',
        '-g',
        `-mcpu=${options.cpu ?? 'v3'}`,
        '-Wall',
        '-Werror=implicit-function-declaration',
      ],
      // Without this the object holds the directory in which it was made and differs from machine to machine.
      `-ffile-prefix-map=${process.cwd()}=.`,
      ...['-fdebug-compilation-dir=.', '-fno-ident'],
      ...Object.entries(options.defines ?? {}).map(([name, value]) => `-D${name}=${value}`),
      ...(options.includes ?? []).map((directory) => `-I${directory}`),
      `-I${includeDirectory}`,
      ...(system ? [`-I${system}`] : []),
      // Stand-ins for <linux/bpf.h> and its kin, where the system has none.
      ...['-idirafter', join(includeDirectory, 'system')],
      ...['-c', file, '-o', object],
    ]
    const ran = spawnSync(clang.command, args, { encoding: 'utf8', timeout: 60_000 })
    if (ran.error || ran.status !== 0) {
      const words = (ran.stderr || String(ran.error ?? `exit status ${ran.status}`)).trim()
      throw new BpfError('compile-failed', `${clang.command} refused it:\n${words}`, { place: file })
    }
    const bytes = new Uint8Array(readFileSync(object))
    if (options.out) writeFileSync(options.out, bytes)
    return bytes
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}
