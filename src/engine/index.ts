export { type BareOptions, type BareProgram, bareProgram } from './bare.js'
export {
  BATCH,
  type Compiler,
  type CompilerOptions,
  cfgToDot,
  compilerOptions,
  createCompiler,
  type Drained,
  describeCfg,
  describeModule,
  describeWasm,
  LIMIT_CALL,
} from './compiler/index.js'
export type { CallTarget, Code, Engine, Stop, TrapInfo } from './engine.js'
export { controls } from './interpreter/control.js'
export { createInterpreter, type InterpreterOptions, runtimeOptions, type Shim } from './interpreter/index.js'
