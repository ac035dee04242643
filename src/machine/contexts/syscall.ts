/**
 * The context of a syscall program: bytes of the user's own making, copied in and out (up to 65535, Linux 6.18). There is no
 * packet and no repeat. Member by member where the program's argument is a pointer to a struct that its BTF describes.
 */
import { BpfError } from '../../bits/index.js'
import type { RunOptions } from '../../host/index.js'
import { type ContextProgram, type ContextType, testRunError } from './context.js'

const maxContext = 65535

function contextBytes(given: RunOptions['ctx'], program: ContextProgram): Uint8Array {
  if (given === undefined) return new Uint8Array()
  if (given instanceof Uint8Array) return given
  if (program.argument) return program.argument.write(given)
  if (Object.keys(given).length === 0) return new Uint8Array()
  throw new BpfError('bad-context', 'the argument is no pointer to a struct: give the context as bytes', {
    place: `program ${program.name}`,
  })
}

/** syscall: `ctx` in and out; a run without one has R1 = NULL. */
export const syscall: ContextType = (options: RunOptions, program: ContextProgram) => {
  if (options.data) throw testRunError('EINVAL', 'a syscall program takes no packet')
  if ((options.repeat ?? 1) !== 1) throw testRunError('EINVAL', 'a syscall program cannot be repeated')
  const bytes = contextBytes(options.ctx, program)
  if (bytes.length > maxContext) throw testRunError('EINVAL', `the context is longer than ${maxContext} bytes`)
  if (bytes.length < program.contextBytes) {
    throw testRunError('EINVAL', `the program reads ${program.contextBytes} bytes of context, not ${bytes.length}`)
  }
  return {
    ctxSize: bytes.length,
    packetSize: 0,
    place(memory, ctx) {
      new Uint8Array(memory, ctx, bytes.length).set(bytes)
      return { packet: 0, packetEnd: 0 }
    },
    finish(memory, ctx) {
      if (bytes.length === 0) return {}
      const out = new Uint8Array(memory, ctx, bytes.length).slice()
      const fields = program.argument && out.length >= program.argument.size ? program.argument.read(out) : undefined
      return { ctx: out, ...(isRecord(fields) ? { fields } : {}) }
    },
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
