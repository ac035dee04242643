export { createInterpreter, type InterpreterOptions, runtimeOptions } from './interpreter.js'
export type { Shim } from './state.js'
