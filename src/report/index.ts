export type * from './diagnostic.js'
export { programJson, renderProgram, renderText } from './render.js'
export { VerifierError } from './verifier-error.js'
