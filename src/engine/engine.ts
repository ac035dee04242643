/**
 * The seam between a machine and whatever executes its instructions. An engine is resumable: it runs a task until
 * something needs the machine, and everything that it must remember lies in the task's block in linear memory (see
 * `runtime/layout`), so that a snapshot of the memory is a snapshot of the run.
 */
import type { Insn } from '../isa/insn.js'

/** What a call instruction calls, decided when the program is loaded. */
export type CallTarget =
  /** One indivisible routine of `runtime/`, by its name in the leaf table. It may have to wait (`bpf_spin_lock`). */
  | { readonly kind: 'leaf'; readonly name: string }
  /** Done by the engine itself, since it makes frames: `bpf_loop`. */
  | { readonly kind: 'control'; readonly name: string }
  /** Done by the machine: the engine stops with `host` and `id` in the task's `hostCall`. */
  | { readonly kind: 'host'; readonly id: number }

/** A relocated program, ready for an engine. */
export interface Code {
  readonly name: string
  /** Address of the program's descriptor in linear memory. */
  readonly prog: number
  /** Every ld_imm64 holds its final value, except BPF_PSEUDO_FUNC, which the engine fills in. */
  readonly insns: readonly Insn[]
  /** First instruction of each function, the entry first. */
  readonly functions: readonly { readonly name: string; readonly start: number }[]
  /** Helper and kfunc calls by instruction index. */
  readonly calls: ReadonlyMap<number, CallTarget>
}

/**
 * Why an engine handed control back.
 * - `done`: the entry function returned; its result is in the task's R0
 * - `budget`: as many instructions as allowed were executed; `resume` goes on
 * - `host`: the machine must do the call in the task's `hostCall`, write R0, then `resume`
 * - `blocked`: a lock or a running callback is in the way; `resume` tries the same instruction again
 * - `trap`: the instruction cannot be executed; `trap(task)` says why
 */
export type Stop = 'done' | 'budget' | 'host' | 'blocked' | 'trap'

/** An engine over one machine's memory. */
export interface Engine {
  readonly name: 'interpreter' | 'compiler'
  /**
   * Makes a program executable. Returns one function handle (address of its descriptor, the value that a program sees as
   * a function pointer) for each entry of `functions`.
   */
  prepare(code: Code): readonly number[]
  /** Frees what `prepare` made. */
  release(handles: readonly number[]): void
  /** Readies a task to execute the function from its start; R1 to R5 are already in the task's registers. */
  enter(task: number, handle: number): void
  /** Executes at most `budget` instructions of the task. */
  resume(task: number, budget: number): Stop
  /** What was wrong, after `resume` gave `trap`. */
  trap(task: number): TrapInfo
}

/** Where and why a task trapped. */
export interface TrapInfo {
  /** Stable code: `bad-address`, `bad-opcode`, `misaligned-atomic`, `stack-overflow`, `bad-function`, `would-block`. */
  readonly code: string
  /** One sentence. */
  readonly sentence: string
  /** Name of the program and index of the instruction in it. */
  readonly program: string
  readonly insn: number
}
