/** Asks the verifier before anything is made. */
import type { ObjectSpec, ProgramSpec } from '../object/spec.js'
import { VerifierError } from '../report/index.js'
import { verifyProgram } from '../verifier/index.js'
import type { KfuncSet } from './kfuncs.js'

/** Verifies the chosen programs; throws `VerifierError`, its report with the log, where one is not accepted. */
export function verifyPrograms(spec: ObjectSpec, programs: readonly ProgramSpec[], { profile }: KfuncSet): void {
  const { kernel } = profile
  for (const program of programs) {
    const { verdict } = verifyProgram(spec, program, { profile, logLevel: 0 })
    if (verdict === 'accept') continue
    // Writing the log costs more than verifying: only the refused program is asked again.
    throw new VerifierError({ kernel, verdict, programs: [verifyProgram(spec, program, { profile, logLevel: 1 })] })
  }
}
