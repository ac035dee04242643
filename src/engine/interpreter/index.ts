export { createInterpreter, type InterpreterOptions } from './interpreter.js'
export type { Shim } from './state.js'
