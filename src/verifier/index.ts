export type { LogLevel } from './log/log.js'
export { type VerifyOptions, verify } from './verify.js'
export { type ProgramOptions, type ProgramVerification, verifyProgram } from './verify-program.js'
