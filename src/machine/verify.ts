/** Asks the verifier before anything of a program is made. */
import type { ObjectSpec, ProgramSpec } from '../object/spec.js'
import { VerifierError } from '../report/index.js'
import { verifyProgram } from '../verifier/index.js'
import type { KfuncSet } from './kfuncs.js'

/**
 * Verifies the chosen programs; throws `VerifierError`, its report with the log, where one is not accepted. Gives the bytes of
 * context that each program needs.
 */
export function verifyPrograms(
  spec: ObjectSpec,
  programs: readonly ProgramSpec[],
  { profile }: KfuncSet,
): Map<ProgramSpec, number> {
  const { kernel } = profile
  const needs = new Map<ProgramSpec, number>()
  for (const program of programs) {
    const { verdict, contextBytes = 0 } = verifyProgram(spec, program, { profile, logLevel: 0 })
    needs.set(program, contextBytes)
    if (verdict === 'accept') continue
    // Writing the log costs more than verifying: only the refused program is asked again.
    const report = verifyProgram(spec, program, { profile, logLevel: 1 })
    throw new VerifierError({ kernel, verdict, programs: [report] })
  }
  return needs
}
