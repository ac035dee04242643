/**
 * Precision: a scalar matters where its value decided something - which way a jump went, whether an access was inside.
 * Only such scalars are compared when states are pruned. When one is found to matter, the path is walked backwards to
 * everything that it was computed from, and the registers and slots of the remembered states on the way are marked. A walk
 * that loses its trail marks everything, which costs pruning and nothing else.
 */
import type { Env } from './env.js'
import { historyEntry, previousInsn } from './history.js'
import { formatFrame } from './log/format.js'
import { flowFlags, isLocalCall } from './prepare/flow.js'
import type { Reg } from './registers.js'
import { formatSlots } from './stack-liveness.js'
import { emptySlot, frameAt, type HistoryEntry, mainCallsite, regAt, type State } from './state.js'

/** What still has to be traced: per frame a mask of registers and a mask of slots. */
interface Wanted {
  frame: number
  readonly regs: number[]
  readonly slots: bigint[]
}

const args = 0b111110

/** Registers and slots to start from; slot numbers index `Frame.stack`. */
export interface Roots {
  readonly frame: number
  readonly regs?: readonly number[]
  readonly slots?: readonly number[]
}

/** The value of register `n` of the current frame decides something here. */
export function markPrecise(env: Env, n: number): void {
  if (env.reg(n).type !== 'scalar') return
  const frame = env.state.frames.length - 1
  walk(env, env.state, [{ frame, regs: [n] }])
}

/** The scalar that is spilled in slot `slot` of frame `frame` decides something here. */
export function markSlotPrecise(env: Env, frame: number, slot: number): void {
  walk(env, env.state, [{ frame, slots: [slot] }])
}

/** The current path was pruned because it equals `old`: what mattered there matters on this path, too. */
export function propagatePrecision(env: Env, old: State): void {
  const roots: Roots[] = []
  for (let number = old.frames.length - 1; number >= 0; number--) {
    const frame = frameAt(old, number)
    const regs = frame.regs.flatMap((reg, n) => (reg.type === 'scalar' && reg.precise && n < 10 ? [n] : []))
    const slots = frame.stack.flatMap((slot, i) =>
      slot.types[7] === 'r' && slot.spilled.type === 'scalar' && slot.spilled.precise ? [i] : [],
    )
    if (env.log.level === 2 && (regs.length || slots.length)) {
      const names = [...regs.map((n) => `r${n}`), ...slots.map((i) => `fp${-8 * (i + 1)}`)]
      const [first, ...rest] = names
      env.log.write(`frame ${number}: propagating ${first}${rest.map((name) => `,${name}`).join('')}\n`)
    }
    roots.push({ frame: number, regs, slots })
  }
  walk(env, env.state, roots)
}

/** Forgets every mark: a fresh state starts imprecise, the marks that matter are in its parents. */
export function forgetPrecision(state: State): void {
  setPrecision(state, false)
}

function setPrecision(state: State, precise: boolean): void {
  const change = (reg: Reg): Reg => (reg.type === 'scalar' && reg.precise !== precise ? { ...reg, precise } : reg)
  for (const frame of state.frames) {
    for (let n = 0; n < 10; n++) frame.regs[n] = change(regAt(frame, n))
    for (const [i, slot] of frame.stack.entries()) {
      if (slot.types[7] !== 'r') continue
      const spilled = change(slot.spilled)
      if (spilled !== slot.spilled) frame.stack[i] = { types: slot.types, spilled }
    }
  }
}

/** The trail was lost: everything that led here counts. */
function markEverything(env: Env, start: State): void {
  if (env.log.level === 2) {
    const { number } = frameAt(start, start.frames.length - 1)
    env.log.write(`mark_precise: frame${number}: falling back to forcing all scalars precise\n`)
  }
  for (let state = start.parent; state; state = state.parent) setPrecision(state, true)
}

function isEmpty(wanted: Wanted): boolean {
  for (let frame = wanted.frame; frame >= 0; frame--) if (wanted.regs[frame] || wanted.slots[frame]) return false
  return true
}

function walk(env: Env, start: State, roots: readonly Roots[]): void {
  const wanted: Wanted = { frame: start.frames.length - 1, regs: [], slots: [] }
  for (const { frame, regs = [], slots = [] } of roots) {
    wanted.regs[frame] = regs.reduce((mask, n) => mask | (1 << n), 0)
    wanted.slots[frame] = slots.reduce((mask, i) => mask | (1n << BigInt(i)), 0n)
  }
  if (isEmpty(wanted)) return
  let state = start
  let last = env.insn
  let first = start.firstInsn
  let later = -1
  let isFirst = true
  for (;;) {
    if (env.log.level === 2) {
      env.log.write(`mark_precise: frame${wanted.frame}: last_idx ${last} first_idx ${first} subseq_idx ${later} \n`)
    }
    if (last < 0) {
      atFunctionEntry(state, wanted)
      return
    }
    let at = last
    let end = state.history.length
    for (;;) {
      if (isFirst) isFirst = false
      else if (!stepBack(env, at, later, historyEntry(state, end, at), wanted)) {
        markEverything(env, start)
        return
      }
      if (isEmpty(wanted)) return
      later = at
      const previous = previousInsn(state, at, end)
      if (!previous) break
      at = previous.insn
      end = previous.end
    }
    const { parent } = state
    if (!parent) break
    markInState(env, parent, wanted)
    if (isEmpty(wanted)) return
    later = first
    last = parent.lastInsn
    first = parent.firstInsn
    state = parent
  }
  markEverything(env, start)
}

/** The start of a function that is verified on its own: its arguments are what the caller may give. */
function atFunctionEntry(state: State, wanted: Wanted): void {
  const frame = frameAt(state, 0)
  if (frame.callsite !== mainCallsite) return
  for (let n = 1; n <= 5; n++) {
    const reg = regAt(frame, n)
    if ((wanted.regs[0] ?? 0) & (1 << n) && reg.type === 'scalar') frame.regs[n] = { ...reg, precise: true }
  }
}

/** Marks what is wanted in a remembered state; what is marked already, or is no scalar, needs no more tracing. */
function markInState(env: Env, state: State, wanted: Wanted): void {
  for (let number = wanted.frame; number >= 0; number--) {
    const frame = frameAt(state, number)
    let regs = wanted.regs[number] ?? 0
    for (let n = 0; n < 10; n++) {
      if (!(regs & (1 << n))) continue
      const reg = regAt(frame, n)
      if (reg.type !== 'scalar' || reg.precise) regs &= ~(1 << n)
      else frame.regs[n] = { ...reg, precise: true }
    }
    let slots = wanted.slots[number] ?? 0n
    for (let i = 0, rest = slots; rest; i++, rest >>= 1n) {
      if (!(rest & 1n)) continue
      const { types, spilled } = frame.stack[i] ?? emptySlot
      if (types[7] !== 'r' || spilled.type !== 'scalar' || spilled.precise) slots &= ~(1n << BigInt(i))
      else frame.stack[i] = { types, spilled: { ...spilled, precise: true } }
    }
    wanted.regs[number] = regs
    wanted.slots[number] = slots
    if (env.log.level !== 2) continue
    const names = `regs=${formatRegs(regs)} stack=${formatSlots(slots)}`
    env.log.write(`mark_precise: frame${number}: parent state ${names}: ${formatFrame(state, frame)}`)
  }
}

function formatRegs(mask: number): string {
  const names: string[] = []
  for (let n = 0; n < 11; n++) if (mask & (1 << n)) names.push(`r${n}`)
  return names.join(',')
}

/** Undoes one instruction: what it set is replaced by what it was set from. False where the trail is lost. */
function stepBack(env: Env, at: number, later: number, entry: HistoryEntry | undefined, wanted: Wanted): boolean {
  // The second half of a wide load.
  if (env.program.insns[at]?.code === 0) return true
  if (env.log.level === 2) {
    const names = `regs=${formatRegs(wanted.regs[wanted.frame] ?? 0)} stack=${formatSlots(wanted.slots[wanted.frame] ?? 0n)}`
    env.log.write(`mark_precise: frame${wanted.frame}: ${names} before ${at}: ${env.insnText(at)}\n`)
  }
  followLinks(entry, wanted)
  const traced = traceInsn(env, at, later, entry, wanted)
  if (traced === 'lost') return false
  if (traced === 'used') followLinks(entry, wanted)
  return true
}

/** If one of the registers that share an id is wanted, all are: they got their ranges from each other. */
function followLinks(entry: HistoryEntry | undefined, wanted: Wanted): void {
  if (!entry?.linked) return
  const isWanted = entry.linked.some(({ frame, reg, slot }) =>
    slot < 0 ? (wanted.regs[frame] ?? 0) & (1 << reg) : (wanted.slots[frame] ?? 0n) & (1n << BigInt(slot)),
  )
  if (!isWanted) return
  for (const { frame, reg, slot } of entry.linked) {
    if (slot < 0) wanted.regs[frame] = (wanted.regs[frame] ?? 0) | (1 << reg)
    else wanted.slots[frame] = (wanted.slots[frame] ?? 0n) | (1n << BigInt(slot))
  }
}

function traceInsn(
  env: Env,
  at: number,
  later: number,
  entry: HistoryEntry | undefined,
  wanted: Wanted,
): 'used' | 'unused' | 'lost' {
  const insn = env.program.insns[at]
  const row = env.rows[at]
  if (!insn || !row) return 'unused'
  const { frame } = wanted
  let regs = wanted.regs[frame] ?? 0
  const dst = 1 << insn.dst
  const src = insn.src === 10 ? 0 : 1 << insn.src
  const set = (mask: number): 'used' => {
    wanted.regs[frame] = mask
    return 'used'
  }
  switch (row.kind) {
    case 'alu':
      if (!(regs & dst)) return 'unused'
      if (row.op === 'neg') return 'unused'
      if (row.op === 'mov' || row.op === 'movsx') regs &= ~dst
      return set(row.source === 'reg' ? regs | src : regs)
    case 'load':
      return regs & dst ? traceFill(regs & ~dst, entry, wanted) : 'unused'
    case 'imm64':
      return regs & dst ? set(regs & ~dst) : 'unused'
    case 'packet':
      return regs & dst || regs & 1 ? 'lost' : 'unused'
    case 'atomic':
      if (row.op === 'load_acquire') return regs & dst ? traceFill(regs & ~dst, entry, wanted) : 'unused'
      return traceSpill(regs, dst, 1 << insn.src, entry, wanted)
    case 'store':
      return traceSpill(regs, dst, row.source === 'reg' ? 1 << insn.src : 0, entry, wanted)
    case 'if':
      if (row.source !== 'reg') return 'used'
      if (!(regs & (dst | (1 << insn.src)))) return 'unused'
      if (!entry?.stackPointers?.src) regs |= 1 << insn.src
      if (!entry?.stackPointers?.dst) regs |= dst
      return set(regs)
    case 'call':
      return traceCall(env, at, later, wanted)
    case 'exit':
      return traceExit(env, later, wanted)
    default:
      return 'used'
  }
}

/** A load gave a wanted register its value: if it filled a spilled register, that slot is wanted instead. */
function traceFill(regs: number, entry: HistoryEntry | undefined, wanted: Wanted): 'used' | 'unused' {
  wanted.regs[wanted.frame] = regs
  if (!entry?.stack) return 'unused'
  const { frame, slot } = entry.stack
  wanted.slots[frame] = (wanted.slots[frame] ?? 0n) | (1n << BigInt(slot))
  return 'used'
}

/** A store spilled a register to a wanted slot: the register is wanted instead. */
function traceSpill(
  regs: number,
  dst: number,
  src: number,
  entry: HistoryEntry | undefined,
  wanted: Wanted,
): 'used' | 'unused' | 'lost' {
  // A store goes through a pointer; a wanted scalar there means that the trail was lost.
  if (regs & dst) return 'lost'
  if (!entry?.stack) return 'unused'
  const { frame, slot } = entry.stack
  const bit = 1n << BigInt(slot)
  const slots = wanted.slots[frame] ?? 0n
  if (!(slots & bit)) return 'unused'
  wanted.slots[frame] = slots & ~bit
  wanted.regs[wanted.frame] = regs | src
  return 'used'
}

function traceCall(env: Env, at: number, later: number, wanted: Wanted): 'unused' | 'lost' {
  const insn = env.program.insns[at]
  const regs = wanted.regs[wanted.frame] ?? 0
  if (insn && isLocalCall(insn)) {
    const callee = env.subprogramAt(at + insn.imm + 1)
    if (callee === undefined) return 'lost'
    if (env.subprogram(callee).global && at === later - 1) {
      wanted.regs[wanted.frame] = regs & ~1
      return regs & args ? 'lost' : 'unused'
    }
    // Going back over the call leaves the callee: only its arguments come from the caller.
    if (regs & ~args || wanted.slots[wanted.frame] || wanted.frame === 0) return 'lost'
    wanted.regs[wanted.frame] = 0
    wanted.frame--
    wanted.regs[wanted.frame] = (wanted.regs[wanted.frame] ?? 0) | regs
    return 'unused'
  }
  if ((env.flags[at] ?? 0) & flowFlags.callsBack && at !== later - 1) return leaveCallback(wanted)
  wanted.regs[wanted.frame] = regs & ~1
  return regs & args ? 'lost' : 'unused'
}

/** Back from a callback's first instruction to the call that runs it: nothing but the call gives R1 to R5. */
function leaveCallback(wanted: Wanted): 'unused' | 'lost' {
  const regs = wanted.regs[wanted.frame] ?? 0
  if (regs & ~args || wanted.slots[wanted.frame] || wanted.frame === 0) return 'lost'
  wanted.regs[wanted.frame] = 0
  wanted.frame--
  return 'unused'
}

/** Going back over an exit enters the function that returned here; its R0 is wanted if the caller's is. */
function traceExit(env: Env, later: number, wanted: Wanted): 'unused' | 'lost' {
  let regs = wanted.regs[wanted.frame] ?? 0
  if (later >= 0 && (env.flags[later] ?? 0) & flowFlags.callsBack) regs &= ~args
  if (regs & args) return 'lost'
  const call = env.program.insns[later - 1]
  const wantsResult = call !== undefined && isLocalCall(call) && (regs & 1) !== 0
  wanted.regs[wanted.frame] = regs & ~1
  wanted.frame++
  wanted.regs[wanted.frame] = wantsResult ? 1 : 0
  wanted.slots[wanted.frame] = 0n
  return 'unused'
}
