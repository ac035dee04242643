export { type Compiler, type CompilerOptions, compilerOptions, createCompiler, type Drained } from './compiler.js'
export { cfgToDot, describeCfg } from './describe-cfg.js'
export { describeWasm } from './describe-wasm.js'
export { BATCH } from './module.js'
