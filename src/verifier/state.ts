/**
 * What the verifier knows at one point of one path. A `State` is a few mutable arrays over immutable registers and stack
 * slots: copying one at a branch copies references only. `explore.ts` forks states, `prune.ts` compares them,
 * `precision.ts` walks back along `parent`.
 */
import { notInit, type Reg, stackPointer } from './registers.js'

/**
 * Eight bytes of stack. `types` has one letter a byte, as the kernel prints them - `r` spilled register, `m` misc, `0`
 * zero, `?` never written - with the byte at the highest address first. `spilled` is the register of a slot whose last
 * letter is `r`.
 */
export interface Slot {
  readonly types: string
  readonly spilled: Reg
}

/** A slot that nothing was written to. */
export const emptySlot: Slot = Object.freeze({ types: '????????', spilled: notInit })

/** The most stack that one frame may use, in bytes. */
export const maxStack = 512

/** One function call in progress. */
export interface Frame {
  /** Instruction index of the call that made it; `mainCallsite` for a root. */
  readonly callsite: number
  readonly number: number
  readonly subprogram: number
  /** R0 to R10. */
  regs: Reg[]
  /** Index 0 is fp-8, index 1 fp-16; as long as the lowest slot that was used. */
  stack: Slot[]
  /** A callback that a helper calls synchronously. */
  inCallback: boolean
  /** A workqueue, timer or task work callback: the root of its own exploration. */
  inAsyncCallback: boolean
  /** How many async callbacks were entered when this one was: tells entries apart in the search for endless loops. */
  asyncEntryCount: number
  /** What the callback may return, inclusive. */
  callbackReturn: readonly [min: bigint, max: bigint]
  /** How often the callback of the current call was entered. */
  callbackDepth: number
}

/** The deepest chain of calls, the entry included (MAX_CALL_FRAMES). */
export const maxFrames = 8

/** `Frame.callsite` of a program's or callback's outermost frame. */
export const mainCallsite = -1

/** A resource that must be given back, or a lock that is held. */
export interface Reference {
  readonly kind: 'pointer' | 'lock' | 'res_lock' | 'irq'
  readonly id: number
  /** Where it was acquired. */
  readonly insn: number
  /** Locks: identity of the object that holds the lock (map and lookup id). */
  readonly owner: object | undefined
}

/** One executed instruction, for walking back: see `precision.ts`. */
export interface HistoryEntry {
  readonly insn: number
  readonly prevInsn: number
  /** It spilled to or filled from this slot; undefined otherwise. */
  readonly stack: { readonly frame: number; readonly slot: number } | undefined
  /** Which operands of a comparison were stack pointers. */
  readonly stackPointers: { readonly src: boolean; readonly dst: boolean } | undefined
  /** Registers and slots that received a new range because they were equal to a compared one. */
  readonly linked: readonly LinkedReg[] | undefined
}

/** A register or spilled register that shares an id with others: `slot` < 0 for registers. */
export interface LinkedReg {
  readonly frame: number
  readonly reg: number
  readonly slot: number
}

/** Everything known at one point of one path. */
export interface State {
  frames: Frame[]
  /** Acquired references and locks, in order. */
  references: Reference[]
  /** Nesting of bpf_rcu_read_lock and bpf_preempt_disable. */
  rcuLocks: number
  preemptLocks: number
  /** Id of the innermost bpf_local_irq_save, 0 for none. */
  irqId: number
  /** May the code that runs here sleep? */
  sleepable: boolean
  /** The remembered state that this path left from. */
  parent: State | undefined
  /** Paths that left from here and have not ended; 0 once everything below was explored. */
  branches: number
  /** Where this state was remembered. */
  insn: number
  /** First and last instruction since the parent. */
  firstInsn: number
  lastInsn: number
  history: HistoryEntry[]
  depth: number
  callbackUnrollDepth: number
  mayGotoDepth: number
  /** Dead registers and slots were forgotten (remembered states only). */
  cleaned: boolean
}

/** The innermost frame. */
export function currentFrame(state: State): Frame {
  return frameAt(state, state.frames.length - 1)
}

/** The frame with this number. */
export function frameAt(state: State, number: number): Frame {
  const frame = state.frames[number]
  if (!frame) throw new RangeError(`state has no frame ${number}`)
  return frame
}

/** Register `n` of a frame. */
export function regAt(frame: Frame, n: number): Reg {
  return frame.regs[n] ?? notInit
}

/** A frame in which nothing is known but its own stack pointer. */
export function newFrame(callsite: number, number: number, subprogram: number): Frame {
  const regs: Reg[] = new Array(11).fill(notInit)
  regs[10] = stackPointer(number)
  return {
    callsite,
    number,
    subprogram,
    regs,
    stack: [],
    inCallback: false,
    inAsyncCallback: false,
    asyncEntryCount: 0,
    callbackReturn: [0n, 0n],
    callbackDepth: 0,
  }
}

/** A state with one frame, at the start of function `subprogram`. */
export function newState(subprogram: number, sleepable: boolean): State {
  return {
    frames: [newFrame(mainCallsite, 0, subprogram)],
    references: [],
    rcuLocks: 0,
    preemptLocks: 0,
    irqId: 0,
    sleepable,
    parent: undefined,
    branches: 1,
    insn: -1,
    firstInsn: -1,
    lastInsn: -1,
    history: [],
    depth: 0,
    callbackUnrollDepth: 0,
    mayGotoDepth: 0,
    cleaned: false,
  }
}

/** A copy that can be changed without changing the original. */
export function copyState(state: State): State {
  return {
    ...state,
    frames: state.frames.map((frame) => ({ ...frame, regs: frame.regs.slice(), stack: frame.stack.slice() })),
    references: state.references.slice(),
    history: state.history.slice(),
  }
}

/** Where frame `number` stands: at its call, or in the innermost frame at the current instruction. */
export function insnOfFrame(state: State, insn: number, number: number): number {
  return number === state.frames.length - 1 ? insn : frameAt(state, number + 1).callsite
}

/** Replaces every register (spilled ones too, in all frames) by what `change` makes of it. */
export function mapRegs(state: State, change: (reg: Reg) => Reg): void {
  for (const frame of state.frames) {
    for (let n = 0; n < frame.regs.length; n++) {
      const reg = regAt(frame, n)
      if (reg.type !== 'not_init') frame.regs[n] = change(reg)
    }
    for (let i = 0; i < frame.stack.length; i++) {
      const slot = frame.stack[i] ?? emptySlot
      if (slot.types[7] !== 'r') continue
      const spilled = change(slot.spilled)
      if (spilled !== slot.spilled) frame.stack[i] = { types: slot.types, spilled }
    }
  }
}
