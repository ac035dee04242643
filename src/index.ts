/** Workerbee: eBPF for TypeScript. The public face; everything else is reached through subpaths of the package. */
export { BpfError, type ErrorDetail, ParseError } from './bits/index.js'
export type {
  BpfMap,
  Collection,
  Host,
  LoadOptions,
  Program,
  RunOptions,
  RunResult,
  SettleOptions,
} from './host/index.js'
export {
  type FieldState,
  type Idle,
  type Kfunc,
  type KfuncFlags,
  type KfuncImpl,
  type KfuncPointer,
  type KfuncResult,
  kfunc,
  Machine,
  type MachineCollection,
  type MachineLoadOptions,
  type MachineOptions,
  type MachineProgram,
  type MachineRunOptions,
  ms,
  type PendingWork,
  type Step,
  s,
  type TaskIdentity,
  type TimelineEvent,
  TrapError,
  us,
} from './machine/index.js'
export {
  type ExternSpec,
  type KconfigValues,
  type MapSpec,
  type ObjectSpec,
  type ParseObjectOptions,
  type ProgramSpec,
  parseObject,
} from './object/index.js'
export { type KernelVersion, kernelVersions } from './profile/index.js'
export {
  type Diagnostic,
  type ProgramReport,
  renderText,
  type Verdict,
  type VerificationReport,
  VerifierError,
} from './report/index.js'
export { type AttachType, ErrnoError, errnoName, errnos, type MapType, type ProgramType } from './uapi/index.js'
export { type VerifyOptions, verify } from './verifier/index.js'
