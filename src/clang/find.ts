/**
 * Finds a C compiler that can emit BPF. Looking is cheap but not free (one process a candidate), so the answer is kept for
 * the life of the process. When none is found the error says every name that was tried, because "install clang" is useless
 * advice to somebody whose clang merely lacks the BPF target.
 */
import { spawnSync } from 'node:child_process'
import { BpfError } from '../bits/index.js'

/** A C compiler with a BPF target. */
export interface Clang {
  /** Command or path, as it is run. */
  readonly command: string
  /** Major version: 19. */
  readonly version: number
}

/** Commands tried after `$CLANG`, in this order. */
export const clangNames = [
  'clang',
  ...Array.from({ length: 8 }, (_, i) => `clang-${21 - i}`),
  '/opt/homebrew/opt/llvm/bin/clang',
  '/usr/local/opt/llvm/bin/clang',
] as const

const known = new Map<string, Clang | string>()

/** What is wrong with this command as a BPF compiler, or the compiler. */
function probe(command: string): Clang | string {
  const seen = known.get(command)
  if (seen !== undefined) return seen
  const ran = spawnSync(command, ['--version', '--print-targets'], { encoding: 'utf8', timeout: 10_000 })
  const major = /version (\d+)/.exec(ran.stdout ?? '')?.[1]
  let answer: Clang | string
  if (ran.error || ran.status !== 0) answer = 'not found'
  else if (!major) answer = 'not a clang'
  else {
    const args = ['-target', 'bpf', '-x', 'c', '-c', '-o', '/dev/null', '-']
    const tried = spawnSync(command, args, { encoding: 'utf8', timeout: 10_000, input: 'int x;' })
    answer = tried.status === 0 ? { command, version: Number(major) } : 'has no BPF target'
  }
  known.set(command, answer)
  return answer
}

/**
 * The first C compiler with a BPF target among `$CLANG`, `clang`, `clang-21` to `clang-14` and Homebrew's. Throws `BpfError`
 * (`clang-missing`) saying what it looked for.
 *
 * @param command look at this one only
 */
export function findClang(command = process.env.CLANG): Clang {
  const names = command ? [command] : clangNames
  const reasons: string[] = []
  for (const name of names) {
    const answer = probe(name)
    if (typeof answer !== 'string') return answer
    reasons.push(`${name} (${answer})`)
  }
  const hint = command ? '' : '; install clang, or set CLANG to one'
  throw new BpfError('clang-missing', `no C compiler with a BPF target: looked for ${reasons.join(', ')}${hint}`)
}
