/** Where the suites keep their inputs. */
import { readdirSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's top directory. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..')

/** Names of the `NAME.bpf.c` files of a suite, sorted. */
export function sources(suite: string): string[] {
  return readdirSync(join(root, suite))
    .filter((file) => file.endsWith('.bpf.c'))
    .map((file) => file.slice(0, -'.bpf.c'.length))
    .sort()
}

/** Names to be recorded instead of compared: `npm run record` sets the variable, `*` stands for all. */
export function recording(name: string): boolean {
  const wanted = process.env.WORKERBEE_RECORD
  return wanted === '*' || (wanted?.split(',').includes(name) ?? false)
}

/** Whether this run is for recording at all. */
export const isRecording = process.env.WORKERBEE_RECORD !== undefined
