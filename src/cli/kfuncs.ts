/** `--kfuncs FILE.mjs`: a module whose exports, made by `kfunc(...)`, are kernel functions of that name. */
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { BpfError } from '../bits/index.js'
import type { Kfunc } from '../machine/index.js'
import { readInput } from './arguments.js'
import { usageError } from './exit.js'

/** Imports the module. Throws `BpfError`: `unreadable` where importing fails, `usage` where it exports no kfunc. */
export async function loadKfuncs(file: string | undefined): Promise<Record<string, Kfunc>> {
  if (file === undefined) return {}
  readInput(file, '--kfuncs')
  let module: Record<string, unknown>
  try {
    module = await import(pathToFileURL(resolve(file)).href)
  } catch (cause) {
    throw new BpfError('unreadable', `cannot import ${file}: ${(cause as Error).message}`, { place: '--kfuncs', cause })
  }
  const found = Object.entries(module).filter((entry): entry is [string, Kfunc] => isKfunc(entry[1]))
  if (found.length === 0) throw usageError('--kfuncs', `${file} exports nothing made by kfunc(flags, implementation)`)
  return Object.fromEntries(found)
}

function isKfunc(value: unknown): value is Kfunc {
  if (typeof value !== 'object' || value === null) return false
  return 'flags' in value && 'impl' in value && typeof value.impl === 'function'
}
