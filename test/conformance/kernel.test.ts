/** Both engines against the running kernel on arbitrary programs. */
import { closeSync } from 'node:fs'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { bareProgram, createCompiler, createInterpreter } from '../../src/engine/index.js'
import { assemble, disassemble, encode, type Insn } from '../../src/isa/index.js'
import { testRun, tryLoadProgram } from '../../src/linux/index.js'
import { programTypes } from '../../src/uapi/index.js'
import { closedProgram } from '../support/closed-program.js'
import { noReference, skipped } from '../support/reference.js'

const skip = skipped('arbitrary programs on both engines and the kernel', noReference())

/** The low 32 bits of R0 in the kernel; throws with its last words where it refuses the program. */
function kernelResult(insns: readonly Insn[]): number {
  const load = { type: programTypes.xdp, insns: encode(insns), license: 'GPL' }
  const { result } = tryLoadProgram(load)
  if (result < 0)
    throw new Error(
      tryLoadProgram({ ...load, logLevel: 1 })
        .log.split('\n')
        .slice(-4)
        .join('\n'),
    )
  try {
    return testRun(result, programTypes.xdp, { data: new Uint8Array(64) }, 'closed').retval
  } finally {
    closeSync(result)
  }
}

it.skipIf(skip)('leaves in R0 what the running kernel leaves there, both halves', () => {
  const upper = assemble('r0 >>= 32\nexit')
  fc.assert(
    fc.property(closedProgram, (insns) => {
      const [interpreted, compiled] = [createInterpreter, createCompiler].map((engine) =>
        bareProgram(insns, { engine }).run(10_000),
      )
      const kernel = (BigInt(kernelResult([...insns.slice(0, -1), ...upper])) << 32n) | BigInt(kernelResult(insns))
      expect({ interpreted, compiled }, disassemble(insns)).toEqual({ interpreted: kernel, compiled: kernel })
    }),
    { numRuns: 300 },
  )
})
