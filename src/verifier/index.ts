export type { LogLevel } from './log/log.js'
export { type VerifyOptions, verify } from './verify.js'
export { type ProgramOptions, verifyProgram } from './verify-program.js'
