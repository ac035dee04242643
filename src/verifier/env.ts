/**
 * What a rule sees while one instruction is checked.
 *
 * How a call rule is written. A rule family is a file; it exports one function that is given the `Env` and changes
 * `env.state`, or ends the verification with `env.reject(errno, message)` where the kernel refuses, or with
 * `env.unsupported(what)` where this verifier does not know. Messages stand where the rule is, in the kernel's words:
 *
 * ```ts
 * export function checkTimerStart(env: Env, call: HelperCall): void {
 *   const reg = env.reg(1)
 *   if (reg.type !== 'map_value') env.reject('EACCES', `R1 type=${typeName(reg)} expected=map_value`)
 * }
 * ```
 *
 * `env.note(text)` writes a line before the last one. The seam: `insns/call.ts` calls
 * `checkHelperCall(env, insn)` of `calls/helper-call.ts` for `call` with src 0, `checkKfuncCall(env, insn)` of
 * `calls/kfunc-call.ts` for src 2. Both check R1 to R5, apply effects, call `env.clobberCallerSaved()` and set R0.
 * Calls that enter a callback use `env.pushAsyncCallback` (its own root, explored after this path) or
 * `env.pushCallback` (a synchronous callback: bpf_loop, bpf_for_each_map_elem).
 *
 * Shared by rules, each in its own file:
 * - `memory/access.ts`: `checkMemory(env, reg number, offset, size, 'read' | 'write')` for one load or store
 * - `memory/helper-memory.ts`: `checkHelperMemory(env, n, size, access, { zeroAllowed })` for a pointer that a call reads
 *   or writes; `checkMemoryAndSize(env, pointer n, size n, access, { zeroAllowed })` for a pointer and its length
 * - `memory/pointer.ts`: `checkPointerOffset(env, n)`: the pointer must be unmodified ("dereference of modified ...")
 * - `precision.ts`: `markPrecise(env, n)`: the value of a scalar decides; pruning must compare it
 */
import type { OpcodeRow } from '../isa/index.js'
import type { Insn } from '../isa/insn.js'
import type { Profile } from '../profile/index.js'
import type { ErrnoName } from '../uapi/index.js'
import type { Log } from './log/log.js'
import type { MapView, Program, Subprogram } from './program.js'
import type { Reg } from './registers.js'
import type { StackLiveness } from './stack-liveness.js'
import type { Frame, LinkedReg, State } from './state.js'

/** What exploration remembers about one instruction across paths. */
export interface InsnNotes {
  /** The map that this call used on every path so far; `'several'` when they differ. */
  map: MapView | 'several' | undefined
  /** The type of pointer that this load or store used; other types may not meet it on another path. */
  pointer: string | undefined
  /** Some path executes it. */
  seen: boolean
  /** A conditional jump: some path takes it, some path does not. */
  jumps: boolean
  falls: boolean
}

/** The view of a rule: the program, the current path, and what rules may do. */
export interface Env {
  readonly program: Program
  readonly profile: Profile
  readonly log: Log
  /** The row of each instruction in the opcode table. */
  readonly rows: readonly (OpcodeRow | undefined)[]
  /** `flowFlags` of each instruction. */
  readonly flags: Uint8Array
  /** Masks of live registers before each instruction. */
  readonly liveRegs: Uint16Array
  /** The loop that each instruction belongs to, 0 for none. */
  readonly loops: Uint32Array
  /** Which stack slots are still read later. */
  readonly stackLiveness: StackLiveness
  /** The current path. */
  state: State
  /** Index of the instruction under check, and of the one before it on this path. */
  insn: number
  prevInsn: number
  /** Per instruction, shared by all paths. */
  readonly notes: InsnNotes[]

  /** Ends the verification: the kernel refuses the program. Writes the message as a log line. */
  reject(errno: ErrnoName, message: string): never
  /** The kernel refuses the program, but only after every path was found to be fine. The first such complaint counts. */
  refuseAtEnd(errno: ErrnoName, message: string): void
  /** Ends the verification: this verifier cannot judge the program. Say what is missing in a few words. */
  unsupported(what: string): never
  /** Writes one line to the log. */
  note(text: string): void
  /** Text of the instruction at an index, as the log prints it. */
  insnText(index: number): string
  /** Writes the source line of the current instruction, if the log does not show it already. */
  noteSource(): void

  /** Register `n` of the current frame. */
  reg(n: number): Reg
  setReg(n: number, reg: Reg): void
  /** Register `n` is about to be read: rejects `R2 !read_ok` where it was never written. */
  readReg(n: number): Reg
  /** Register `n` is about to be written: rejects R10 and registers that do not exist. */
  checkWritable(n: number): void
  /** R0 to R5 hold nothing any more, as after any call. */
  clobberCallerSaved(): void
  /** The innermost frame. */
  frame(): Frame
  /** A number that no register uses as its id. */
  newId(): number
  /** Slot `index` of the current frame takes part in this instruction: the log prints it. */
  touchSlot(index: number): void
  /** The current frame changed as a whole: the log prints all of it. */
  touchAll(): void
  /** Prints what this instruction touched, at level 1 and 2. */
  printTouched(): void
  /** Remembers something about this instruction for walking back (`precision.ts`). */
  record(what: RecordedAccess): void
  /** Saves a copy of the current path, to be explored later from `insn`; gives the copy. */
  pushBranch(insn: number): State

  /** Something must be released from here on; gives its id. */
  acquireReference(): number
  /** It was released: every register that holds it becomes a mere number. False where it was not held. */
  releaseReference(id: number): boolean

  /** The number of the function that starts at an instruction. */
  subprogramAt(insn: number): number | undefined
  subprogram(number: number): Subprogram
  /** Deepest stack use of each function so far, in bytes. */
  readonly stackDepths: number[]
  /** Global functions that were called and must be verified on their own. */
  readonly calledGlobals: Set<number>
  /** How far a syscall program reaches into its context, in bytes. */
  contextBytes: number
  /** May code at this point of this path sleep? */
  readonly sleepable: boolean
  /**
   * Starts the exploration of a workqueue, timer or task work callback: a fresh root with nothing but what the caller then
   * puts into the returned frame's registers.
   */
  pushAsyncCallback(subprogram: number, options: { sleepable: boolean; returns: readonly [bigint, bigint] }): Frame
  /** Enters a callback that this call invokes zero or more times before it returns. */
  pushCallback(subprogram: number, setUp: (frame: Frame, caller: Frame) => void): void
}

/** What is remembered of an instruction beyond its place. */
export interface RecordedAccess {
  /** It read or wrote this slot of this frame as a spilled register. */
  readonly stack?: { readonly frame: number; readonly slot: number }
  /** A comparison whose operand was a pointer to the stack. */
  readonly stackPointers?: { readonly src: boolean; readonly dst: boolean }
  readonly linked?: readonly LinkedReg[]
}

/** What checking one instruction leads to. */
export type Step = 'next' | 'moved' | 'exit'

/** A rule for one kind of instruction: checks it, changes the state, says where the path goes on. */
export type InsnRule = (env: Env, insn: Insn, row: OpcodeRow) => Step
