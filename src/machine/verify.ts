/** Asks the verifier before anything of a program is made. */
import type { ObjectSpec, ProgramSpec } from '../object/spec.js'
import type { Profile } from '../profile/index.js'
import { type Diagnostic, type ProgramReport, VerifierError } from '../report/index.js'
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
    throw new VerifierError({ kernel, verdict, programs: [hinted(report, program, profile)] })
  }
  return needs
}

/** A report whose problem is a kfunc that this kernel lacks says what to do about that. */
function hinted(report: ProgramReport, { references }: ProgramSpec, profile: Profile): ProgramReport {
  const diagnostics = report.diagnostics.map((diagnostic): Diagnostic => {
    const reference = diagnostic.insn === undefined ? undefined : references.get(diagnostic.insn)
    if (diagnostic.hint || reference?.kind !== 'kfunc' || profile.kfunc(reference.name)) return diagnostic
    const hint =
      profile.kfuncHint(reference.name) ??
      `Linux ${profile.kernel} has no kfunc ${reference.name}; it can be supplied in TypeScript: load(spec, { kfuncs })`
    return { ...diagnostic, hint }
  })
  return { ...report, diagnostics }
}
