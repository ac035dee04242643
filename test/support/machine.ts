/** The objects that the machine's tests run, and small hands for tests over them. */
import { readFileSync } from 'node:fs'
import type { MachineCollection } from '../../src/machine/index.js'
import { type ObjectSpec, parseObject } from '../../src/object/index.js'

/** The bytes of one of the objects, named without the `.bpf.o`. */
export function objectBytes(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../../src/machine/testdata/${name}.bpf.o`, import.meta.url)))
}

/** Reads a fresh spec of one of the objects. */
export function object(name: string): ObjectSpec {
  return parseObject(objectBytes(name), { name })
}

/** Runs a program that reports through `ctx->ret`, and gives that. */
export function call(app: MachineCollection, name: string, ctx: Record<string, unknown> = {}, cpu = 0): number {
  const program = app.programs[name]
  if (!program) throw new Error(`no program ${name}`)
  const { retval, fields } = program.run({ ctx, cpu })
  if (retval !== 0) throw new Error(`${name} gave ${retval}`)
  return Number(fields?.ret)
}
