export { type Compiler, type CompilerOptions, compilerOptions, createCompiler } from './compiler.js'
export { BATCH } from './module.js'
