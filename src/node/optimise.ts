/**
 * Optimised code at once, in Node. V8 runs a new WebAssembly function in quickly made code first (2 to 11 times slower) and
 * replaces it after some milliseconds, between two calls: a loop that is entered once never gets faster. Two undocumented
 * flags of V8 make it compile with its optimising compiler in the first place, which costs about 1 ms a program. They hold
 * for the whole process, so they are set for the length of one call only; browsers have nothing of the kind.
 */
import { setFlagsFromString } from 'node:v8'

/** On, then off again: the default of Node 20 to 26 is the second of each. */
const flags = [
  ['--no-liftoff', '--liftoff'],
  ['--no-wasm-lazy-compilation', '--wasm-lazy-compilation'],
] as const

let depth = 0

/**
 * Does something during which all WebAssembly is compiled with the optimising compiler: `await optimiseNow(() =>
 * machine.load(spec))`. Other work of the process that happens meanwhile is compiled so too. Node 20 or later.
 */
export async function optimiseNow<T>(act: () => Promise<T> | T): Promise<T> {
  if (depth++ === 0) for (const [on] of flags) setFlagsFromString(on)
  try {
    return await act()
  } finally {
    if (--depth === 0) for (const [, off] of flags) setFlagsFromString(off)
  }
}
