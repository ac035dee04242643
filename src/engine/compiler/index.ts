export { type Compiler, type CompilerOptions, compilerOptions, createCompiler, type Drained } from './compiler.js'
export { BATCH } from './module.js'
