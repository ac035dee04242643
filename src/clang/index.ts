export { type CompileOptions, compile, includeDirectory } from './compile.js'
export { type Clang, clangNames, findClang } from './find.js'
