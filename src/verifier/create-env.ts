/** The `Env` of one verification: what rules see, over the state of exploration. */
import { disassembleInsn, type Names, type OpcodeRow } from '../isa/index.js'
import type { Profile } from '../profile/index.js'
import type { Env } from './env.js'
import { Rejection, Unsupported } from './errors.js'
import { recordHistory } from './history.js'
import { formatFrame } from './log/format.js'
import type { Log } from './log/log.js'
import type { SourceLines } from './log/source.js'
import type { FlowError } from './prepare/flow.js'
import type { Program } from './program.js'
import { anyScalar, notInit, type Reg } from './registers.js'
import type { StackLiveness } from './stack-liveness.js'
import { copyState, currentFrame, type Frame, mapRegs, maxFrames, newFrame, newState, type State } from './state.js'

/** A path that waits to be explored. */
export interface Pending {
  readonly state: State
  readonly insn: number
  readonly prevInsn: number
  /** Length of the log when it was pushed. */
  readonly logPosition: number
}

/** The most paths that may wait (BPF_COMPLEXITY_LIMIT_JMP_SEQ). */
export const maxPending = 8192

/** What an `Env` is made of. */
export interface EnvParts {
  readonly program: Program
  readonly profile: Profile
  readonly log: Log
  readonly lines: SourceLines
  readonly rows: readonly (OpcodeRow | undefined)[]
  readonly flags: Uint8Array
  readonly liveRegs: Uint16Array
  readonly loops: Uint32Array
  readonly stackLiveness: StackLiveness
}

/** The parts of an `Env` that only exploration uses. */
export interface Exploration extends Env {
  readonly pending: Pending[]
  readonly lines: SourceLines
  /** Functions that were bound as asynchronous callbacks. */
  readonly asyncRoots: Set<number>
  /** The last id that was given out. */
  lastId: number
  /** What is said after every path was explored. */
  atEnd: FlowError | undefined
  /** No history entry was made for the current instruction yet. */
  freshHistory: boolean
  /** Whether anything was touched since the state was printed last. */
  touched(): boolean
  /** Where the text of the current instruction begins and ends in the log. */
  textEnd: number
  textLength: number
}

/** Names for the disassembler: kfuncs with their ids, maps by name. */
export function insnNames(program: Program, profile: Profile): Names {
  return {
    call: (insn, index) => {
      const reference = program.references.get(index)
      if (insn.src !== 2 || reference?.kind !== 'kfunc') return undefined
      return `${reference.name}#${profile.kfunc(reference.name)?.kernelId ?? insn.imm}`
    },
    imm64: (insn, upper, index) => {
      if (insn.src === 4) return `0x${(insn.imm >>> 0).toString(16)}`
      const reference = program.references.get(index)
      if (reference?.kind === 'map') return `map[${reference.name}]`
      if (reference?.kind === 'map_value') return `map[${reference.name}][0]+${upper.imm >>> 0}`
      return reference ? reference.name : undefined
    },
  }
}

const nothing = { code: 0, dst: 0, src: 0, off: 0, imm: 0 }

/** Makes the view for rules. */
export function createEnv(parts: EnvParts): Exploration {
  const { program, profile, log, lines } = parts
  const names = insnNames(program, profile)
  const starts = new Map(program.subprograms.map((each, number) => [each.start, number]))
  let touchedRegs = 0x7ff
  let touchedSlots = (1n << 64n) - 1n

  const frame = (): Frame => currentFrame(env.state)
  const checkNumber = (n: number): void => {
    touchedRegs |= 1 << n
    if (n > 10) env.reject('EINVAL', `R${n} is invalid`)
  }
  const push = (state: State, insn: number): void => {
    env.pending.push({ state, insn, prevInsn: env.insn, logPosition: log.position })
  }

  const env: Exploration = {
    ...parts,
    state: newState(0, false),
    insn: 0,
    prevInsn: -1,
    notes: program.insns.map(() => ({ map: undefined, pointer: undefined, seen: false, jumps: false, falls: false })),
    pending: [],
    asyncRoots: new Set(),
    lastId: 0,
    atEnd: undefined,
    freshHistory: true,
    textEnd: -1,
    textLength: 0,
    stackDepths: program.subprograms.map(() => 0),
    calledGlobals: new Set(),
    contextBytes: 0,

    reject(errno, message) {
      log.write(`${message}\n`)
      throw new Rejection(errno, message)
    },
    refuseAtEnd(errno, message) {
      env.atEnd ??= { errno, message, insn: env.insn }
    },
    unsupported(what) {
      throw new Unsupported(what)
    },
    note(text) {
      log.write(`${text}\n`)
    },
    insnText: (index) => disassembleInsn(program.insns, index, names),
    noteSource: () => lines.write(env.insn),

    reg: (n) => frame().regs[n] ?? notInit,
    setReg(n, reg) {
      frame().regs[n] = reg
    },
    readReg(n) {
      checkNumber(n)
      const reg = env.reg(n)
      if (reg.type === 'not_init') env.reject('EACCES', `R${n} !read_ok`)
      return reg
    },
    checkWritable(n) {
      checkNumber(n)
      if (n === 10) env.reject('EACCES', 'frame pointer is read only')
    },
    clobberCallerSaved() {
      touchedRegs |= 0b111111
      const { regs } = frame()
      for (let n = 0; n <= 5; n++) regs[n] = notInit
    },
    frame,
    newId: () => ++env.lastId,

    touchSlot(index) {
      touchedSlots |= 1n << BigInt(index)
    },
    touchAll() {
      touchedRegs = 0x7ff
      touchedSlots = (1n << 64n) - 1n
    },
    touched: () => touchedRegs !== 0 || touchedSlots !== 0n,
    printTouched() {
      if (!log.level) return
      // Goes behind the instruction if nothing was written since.
      if (env.textEnd > 0 && env.textEnd === log.position) {
        log.truncate(env.textEnd - 1)
        log.write(`${' '.repeat(padding(env.textLength))};`)
      } else log.write(`${env.insn}:`)
      const regs = touchedRegs
      const slots = touchedSlots
      log.write(
        formatFrame(env.state, frame(), {
          reg: (n) => (regs & (1 << n)) !== 0,
          slot: (i) => ((slots >> BigInt(i)) & 1n) !== 0n,
        }),
      )
      touchedRegs = 0
      touchedSlots = 0n
    },
    record(what) {
      recordHistory(env.state, env.insn, env.prevInsn, what, env.freshHistory)
      env.freshHistory = false
    },
    pushBranch(insn) {
      const copy = copyState(env.state)
      push(copy, insn)
      if (copy.parent) copy.parent.branches++
      if (env.pending.length > maxPending) {
        env.note(`The sequence of ${env.pending.length} jumps is too complex.`)
        throw new Rejection('EFAULT', `The sequence of ${env.pending.length} jumps is too complex.`)
      }
      return copy
    },

    acquireReference() {
      const id = env.newId()
      env.state.references.push({ kind: 'pointer', id, insn: env.insn, owner: undefined })
      return id
    },
    releaseReference(id) {
      const { references } = env.state
      const index = references.findIndex((each) => each.kind === 'pointer' && each.id === id)
      if (index < 0) return false
      references.splice(index, 1)
      // For root, what was a pointer to it is just a number now.
      mapRegs(env.state, (reg: Reg) => (reg.refId === id ? anyScalar : reg))
      return true
    },

    subprogramAt: (insn) => starts.get(insn),
    subprogram(number) {
      const found = program.subprograms[number]
      if (!found) throw new RangeError(`no function ${number}`)
      return found
    },
    get sleepable() {
      return env.state.sleepable
    },
    pushAsyncCallback(subprogram, { sleepable, returns }) {
      const state = newState(subprogram, sleepable)
      env.asyncRoots.add(subprogram)
      const root = currentFrame(state)
      root.inAsyncCallback = true
      root.asyncEntryCount = frame().asyncEntryCount + 1
      root.callbackReturn = returns
      state.firstInsn = 0
      state.lastInsn = 0
      push(state, env.subprogram(subprogram).start)
      if (env.pending.length > maxPending) {
        const text = `The sequence of ${env.pending.length} jumps is too complex for async cb.`
        const kfunc = program.references.get(env.insn)
        if (kfunc?.kind !== 'kfunc') env.reject('EFAULT', text)
        env.note(text)
        const called = names.call?.(program.insns[env.insn] ?? nothing, env.insn) ?? kfunc.name
        env.reject('EFAULT', `kfunc ${called} failed callback verification`)
      }
      return root
    },
    pushCallback(subprogram, setUp) {
      const depth = env.state.frames.length
      if (depth >= maxFrames) env.reject('E2BIG', `the call stack of ${depth + 1} frames is too deep`)
      const inside = env.pushBranch(env.subprogram(subprogram).start)
      inside.callbackUnrollDepth++
      const caller = currentFrame(inside)
      caller.callbackDepth++
      frame().callbackDepth = 0
      const entered = newFrame(env.insn, depth, subprogram)
      entered.asyncEntryCount = caller.asyncEntryCount
      entered.inCallback = true
      setUp(entered, caller)
      inside.frames.push(entered)
      env.touchAll()
    },
  }
  return env
}

/** Spaces between the text of an instruction (its length with number and newline) and the `;` before its registers. */
function padding(length: number): number {
  const column = Math.max(length + 4, 40)
  return Math.ceil(column / 8) * 8 - length - 1
}
