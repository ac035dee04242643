/**
 * Optimised code at once, in Node. V8 runs a new WebAssembly function in quickly made code first (2 to 11 times slower) and
 * replaces it after some milliseconds, between two calls: a loop that is entered once never gets faster. Two undocumented
 * flags of V8 make it compile with its optimising compiler in the first place, which costs a millisecond or so a program. They
 * hold for the whole process, so they are set for the length of one compilation only. Browsers have nothing of the kind.
 */
import { setFlagsFromString } from 'node:v8'

/** On, then off again: the default of Node 20 to 26 is the second of each. */
const flags = [
  ['--no-liftoff', '--liftoff'],
  ['--no-wasm-lazy-compilation', '--wasm-lazy-compilation'],
] as const

/**
 * Compiles a module with V8's optimising compiler: `new Machine({ engine: 'compiler', compile: optimiseNow })`. Node 20 or
 * later. Throws `WebAssembly.CompileError` for bytes that are no module.
 */
export function optimiseNow(bytes: Uint8Array<ArrayBuffer>): WebAssembly.Module {
  for (const [on] of flags) setFlagsFromString(on)
  try {
    return new WebAssembly.Module(bytes)
  } finally {
    for (const [, off] of flags) setFlagsFromString(off)
  }
}
