/**
 * FILE on the command line: an object, or C source that is compiled on the way. Everything that is wrong with it carries the
 * file's name.
 */
import { basename } from 'node:path'
import { BpfError, ParseError } from '../bits/index.js'
import { compile } from '../clang/index.js'
import { type ObjectSpec, type ProgramSpec, parseObject } from '../object/index.js'
import { parseAssignment, readInput } from './arguments.js'
import { usageError } from './exit.js'

/** The bytes of an object, compiled first where the file ends in `.c`. */
export function readObjectBytes(path: string): Uint8Array {
  return path.endsWith('.c') ? compile(path) : readInput(path)
}

/** Reads an object and sets variables as `NAME=VALUE` say. */
export function openSpec(path: string, assignments: readonly string[] = []): ObjectSpec {
  const bytes = readObjectBytes(path)
  const spec = naming(path, () => parseObject(bytes, { name: basename(path) }))
  for (const text of assignments) {
    const [name, value] = parseAssignment('--set', text)
    try {
      spec.variables[name] = value
    } catch (error) {
      throw error instanceof BpfError ? usageError('--set', error.message) : error
    }
  }
  return spec
}

/** The programs that are meant: the one of that name, or all. Throws a usage error that lists the names. */
export function choosePrograms(spec: ObjectSpec, name: string | undefined): ProgramSpec[] {
  const all = Object.values(spec.programs)
  if (name === undefined) return all
  const chosen = Object.hasOwn(spec.programs, name) ? spec.programs[name] : undefined
  if (chosen) return [chosen]
  const names = all.map((program) => program.name).join(', ') || 'no program at all'
  throw usageError('PROGRAM', `${spec.name} has no program '${name}'; it has ${names}`)
}

/** Runs `act`; its errors get the file's name in front. */
export function naming<T>(path: string, act: () => T): T {
  try {
    return act()
  } catch (error) {
    if (error instanceof ParseError) {
      throw new ParseError(error.code, error.message, error.offset, { place: path, cause: error })
    }
    if (error instanceof BpfError && error.name === 'BpfError') {
      throw new BpfError(error.code, error.message, { place: path, cause: error })
    }
    throw error
  }
}
