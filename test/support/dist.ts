/**
 * `dist/` for suites that start the built program in a process of its own. It is built when a source file is newer; a lock
 * directory keeps the suites, which run at the same time, from building at the same time.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './paths.js'

const stamp = join(root, 'dist/isa/index.js')
const lock = join(root, 'node_modules/.workerbee-build')

/** Modification time of the newest source file. */
function newestSource(): number {
  return readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts'))
    .reduce((newest, entry) => Math.max(newest, statSync(join(entry.parentPath, entry.name)).mtimeMs), 0)
}

function isFresh(): boolean {
  return existsSync(stamp) && statSync(stamp).mtimeMs >= newestSource()
}

function takeLock(): boolean {
  try {
    mkdirSync(lock)
    return true
  } catch {
    return false
  }
}

/** Builds `dist/` unless it is newer than every source file. A lock older than a minute is somebody's leftover. */
export function freshDist(): void {
  const pause = new Int32Array(new SharedArrayBuffer(4))
  while (!isFresh()) {
    if (!takeLock()) {
      if (existsSync(lock) && Date.now() - statSync(lock).mtimeMs > 60_000)
        rmSync(lock, { recursive: true, force: true })
      Atomics.wait(pause, 0, 0, 100)
      continue
    }
    try {
      rmSync(stamp, { force: true })
      const tsc = join(root, 'node_modules/typescript/bin/tsc')
      const { stdout } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root })
      if (!existsSync(stamp)) throw new Error(`the build failed:\n${stdout}`)
      return
    } finally {
      rmSync(lock, { recursive: true, force: true })
    }
  }
}
