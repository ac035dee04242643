/** What the running kernel says to every program of a file in `test/verifier`. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { compile } from '../../src/clang/index.js'
import { askKernel, descriptors, kernelVersion, openObject, type Verdict } from '../../src/linux/index.js'
import { type ObjectSpec, parseObject } from '../../src/object/index.js'
import { root } from './paths.js'

/** `NAME.expected.json`. */
export interface RecordedVerdicts {
  readonly kernel: string
  readonly programs: Readonly<Record<string, Verdict>>
}

const suite = join(root, 'test/verifier')

/** The committed object of a case file, read. */
export function readCase(name: string): ObjectSpec {
  return parseObject(readFileSync(join(suite, `${name}.bpf.o`)), { name: `${name}.bpf.o` })
}

/** The committed recording of a case file. */
export function readVerdicts(name: string): RecordedVerdicts {
  return JSON.parse(readFileSync(join(suite, `${name}.expected.json`), 'utf8')) as RecordedVerdicts
}

/** Compiles a case file and commits the object to disk. */
export function compileCase(name: string): void {
  const file = join(suite, `${name}.bpf.c`)
  const cpu = /^\/\/ cpu: (v[1-4])$/m.exec(readFileSync(file, 'utf8'))?.[1] as 'v3' | undefined
  compile(relative(process.cwd(), file), { cpu: cpu ?? 'v3', out: join(suite, `${name}.bpf.o`), includes: [suite] })
}

/** Asks the running kernel about every program of an object, each loaded on its own. */
export function askAll(spec: ObjectSpec): RecordedVerdicts {
  const fds = descriptors()
  try {
    const object = openObject(spec, fds)
    const programs: Record<string, Verdict> = {}
    for (const program of Object.values(spec.programs)) {
      const { log, ...verdict } = askKernel(object, program, fds)
      programs[program.name] = verdict
    }
    return { kernel: kernelVersion(), programs }
  } finally {
    fds.closeAll()
  }
}

/** Compiles, asks and writes. */
export function recordVerdicts(name: string): RecordedVerdicts {
  compileCase(name)
  const verdicts = askAll(readCase(name))
  writeFileSync(join(suite, `${name}.expected.json`), `${JSON.stringify(verdicts, undefined, 2)}\n`)
  return verdicts
}
