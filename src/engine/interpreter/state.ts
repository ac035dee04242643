/**
 * What the main loop works on: views of the machine's memory and the routines that calls reach. Nothing here changes while
 * programs run, but for the views, which are made anew when the memory has grown.
 */
import { MACHINE, MACHINE_AT } from '../../runtime/layout.js'

/** A helper or kfunc: reads R1 to R5 of the task and writes its R0. Gives 0, or 1 where it must be tried again later. */
export type Shim = (task: number) => number

/** Stands in where an unverified program has written over its own text and calls a routine that does not exist. */
export const missingShim: Shim = () => {
  throw new WebAssembly.RuntimeError('there is no such routine')
}

/** The interpreter's view of one machine. */
export interface State {
  readonly memory: WebAssembly.Memory
  words: Int32Array
  bytes: DataView
  /** Routines by the number in word 1 of a call. */
  readonly shims: Shim[]
}

/** Reasons to trap, by the number in `TASK.trapCode`. */
export const trapReasons = {
  1: ['bad-address', 'memory is accessed where nothing is mapped'],
  2: ['bad-opcode', 'there is no instruction with this opcode and these fields'],
  3: ['misaligned-atomic', 'an atomic operation needs an address that is a multiple of its size'],
  4: ['stack-overflow', 'more than 8 functions are active at once'],
  5: ['bad-function', 'the register called does not hold the address of a function'],
  /** Of compiled code only, which cannot wait. */
  6: ['would-block', 'a lock or a running callback is in the way, and compiled code cannot wait for it'],
} as const

/** Number of a trap. */
export type TrapNumber = keyof typeof trapReasons

/** Makes the views anew if the memory has grown; says whether it had. */
export function refresh(state: State): boolean {
  if (state.words.buffer === state.memory.buffer) return false
  state.words = new Int32Array(state.memory.buffer)
  state.bytes = new DataView(state.memory.buffer)
  return true
}

/** Adds a number of executed instructions to a 64-bit counter at an address. */
export function count(words: Int32Array, address: number, executed: number): void {
  const at = address >> 2
  const low = ((words[at] as number) + executed) | 0
  if (low >>> 0 < executed) words[at + 1] = ((words[at + 1] as number) + 1) | 0
  words[at] = low
}

/** Moves the machine's clock on: an instruction takes 1 ns. */
export function tick(words: Int32Array, executed: number): void {
  count(words, MACHINE_AT + MACHINE.clock, executed)
}
