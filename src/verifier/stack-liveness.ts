/**
 * Which stack slots may still be read, at each instruction, for each chain of calls: collected while paths are explored,
 * brought up to date when a path ends (Linux 6.18; earlier kernels kept marks in states). A chain of calls is one
 * `Instance` per depth, and an inner function's effect on its callers' frames is carried to the call. Slots are bits of a
 * 64-bit mask, kept as two 32-bit halves; slot 0 is fp-8.
 */
import { frameAt, mainCallsite, type State } from './state.js'

/** Slots of one frame at one instruction. */
interface Marks {
  /** Read by the instruction on some path. */
  read: bigint
  /** Written as a whole by the instruction on every path so far. */
  written: bigint
  /** Written between here and the exit whatever happens. */
  writtenLater: bigint
  /** May be read later: what this is all about. */
  live: bigint
}

/** One function, reached through one chain of calls. */
interface Instance {
  readonly start: number
  readonly callsites: readonly number[]
  /** Functions called from here, by the call and the function that was called. */
  readonly inner: Map<number, Instance>
  /** By depth, then by instruction. */
  readonly frames: (Map<number, Marks> | undefined)[]
  /** Instructions whose writes were recorded at least once. */
  readonly committed: Set<number>
  changed: boolean
  /** Something that was always written no longer is: earlier conclusions are void. */
  dropped: boolean
}

/** What the analysis needs to know about the program. */
export interface LivenessProgram {
  readonly successors: (insn: number) => readonly number[]
  /** Start of the function with this number. */
  readonly start: (subprogram: number) => number
  readonly postorder: (start: number) => readonly number[]
  /** States are compared here: the log mentions only these, function entries and instructions that access the stack. */
  readonly isPrunePoint: (insn: number) => boolean
  /** The call runs a callback and is executed again after each run. */
  readonly callsBack: (insn: number) => boolean
  /** Writes a line of the level 2 log; absent at lower levels. */
  readonly log: ((text: string) => void) | undefined
}

/** Records accesses and answers whether a slot is live. */
export interface StackLiveness {
  /** An instruction is about to be executed. */
  begin(state: State, insn: number): void
  /** It was executed. */
  commit(): void
  /** Entered or left a function: what was written belongs to no instruction of the other. */
  leave(): void
  read(state: State, frame: number, insn: number, slots: bigint): void
  /** The current instruction overwrites these slots as a whole. */
  written(frame: number, slots: bigint): void
  /** A path ended: bring all instances of its call chain up to date. */
  update(state: State): void
  /** May the slot be read later, seen from where `state` is? */
  isLive(state: State, insns: readonly number[], frame: number, slot: number): boolean
}

const all = (1n << 64n) - 1n

/** `-8,-16`: the slots of a mask. */
export function formatSlots(mask: bigint): string {
  const slots: number[] = []
  for (let i = 0, rest = mask; rest; i++, rest >>= 1n) if (rest & 1n) slots.push(-8 * (i + 1))
  return slots.join(',')
}

/** An empty record for one program. */
export function stackLiveness(program: LivenessProgram): StackLiveness {
  const roots = new Map<number, Instance>()
  let current: Instance | undefined
  let at = -1
  let writes: bigint[] = []

  const make = (among: Map<number, Instance>, key: number, start: number, callsites: readonly number[]): Instance => {
    const made: Instance = {
      start,
      callsites,
      inner: new Map(),
      frames: [],
      committed: new Set(),
      changed: false,
      dropped: false,
    }
    among.set(key, made)
    return made
  }

  const instanceOf = (state: State, depth: number): Instance => {
    const root = program.start(frameAt(state, 0).subprogram)
    let instance = roots.get(root) ?? make(roots, root, root, [])
    for (let number = 1; number <= depth; number++) {
      const { callsite, subprogram } = frameAt(state, number)
      const start = program.start(subprogram)
      // A call that runs callbacks may enter several functions.
      const key = callsite * 0x100000 + start
      instance = instance.inner.get(key) ?? make(instance.inner, key, start, [...instance.callsites, callsite])
    }
    return instance
  }

  const marksAt = (instance: Instance, frame: number, insn: number): Marks => {
    let frameMarks = instance.frames[frame]
    if (!frameMarks) {
      frameMarks = new Map()
      instance.frames[frame] = frameMarks
    }
    let marks = frameMarks.get(insn)
    if (!marks) {
      marks = { read: 0n, written: 0n, writtenLater: 0n, live: 0n }
      frameMarks.set(insn, marks)
    }
    return marks
  }

  const markRead = (instance: Instance, frame: number, insn: number, slots: bigint): void => {
    const marks = marksAt(instance, frame, insn)
    if ((marks.read | slots) === marks.read) return
    marks.read |= slots
    if (slots & ~marks.live) instance.changed = true
  }

  const commitWrites = (instance: Instance, insn: number, masks: readonly bigint[]): void => {
    const known = instance.committed.has(insn)
    for (let frame = 0; frame <= instance.callsites.length; frame++) {
      const mask = masks[frame] ?? 0n
      if (!known && !mask) continue
      const marks = instance.frames[frame]?.get(insn)
      const before = marks?.written ?? 0n
      const after = known ? before & mask : mask
      if (before === after) continue
      const changed = marksAt(instance, frame, insn)
      changed.written = after
      if (before & ~after) instance.dropped = true
      if (before & ~after || after & ~changed.writtenLater) instance.changed = true
    }
    instance.committed.add(insn)
  }

  const logChange = (instance: Instance, what: string, frame: number, insn: number, old: bigint, now: bigint): void => {
    if (!program.log || old === now) return
    const chain = `(${[...instance.callsites, instance.start].join(',')})`
    const gained = now & ~old
    const lost = old & ~now
    let text = `${chain} frame ${frame} insn ${insn} `
    if (gained) text += `+${what} ${formatSlots(gained)} `
    if (lost) text += `-${what} ${formatSlots(lost)} `
    program.log(`${text}\n`)
  }

  const updateInsn = (instance: Instance, frame: number, insn: number): boolean => {
    const marks = marksAt(instance, frame, insn)
    let later = 0n
    let writtenLater = all
    const next = program.successors(insn)
    for (const to of next) {
      const other = instance.frames[frame]?.get(to)
      later |= other?.live ?? 0n
      writtenLater &= other?.writtenLater ?? 0n
    }
    if (!next.length) writtenLater = 0n
    writtenLater |= marks.written
    const live = (later & ~marks.written) | marks.read
    if (live === marks.live && writtenLater === marks.writtenLater) return false
    if (marks.read || marks.written || insn === instance.start || program.isPrunePoint(insn)) {
      logChange(instance, 'live', frame, insn, marks.live, live)
      logChange(instance, 'written', frame, insn, marks.writtenLater, writtenLater)
    }
    marks.live = live
    marks.writtenLater = writtenLater
    return true
  }

  const updateInstance = (instance: Instance): void => {
    if (!instance.changed) return
    instance.changed = false
    if (instance.dropped) {
      instance.dropped = false
      for (const frame of instance.frames) {
        for (const marks of frame?.values() ?? []) {
          marks.writtenLater = 0n
          marks.live = 0n
        }
      }
    }
    const order = program.postorder(instance.start)
    let rounds = 0
    for (let changed = true; changed; rounds++) {
      changed = false
      for (let frame = 0; frame <= instance.callsites.length; frame++) {
        if (!instance.frames[frame]) continue
        for (const insn of order) if (updateInsn(instance, frame, insn)) changed = true
      }
    }
    const chain = `(${[...instance.callsites, instance.start].join(',')})`
    program.log?.(`${chain} live stack update done in ${rounds} iterations\n`)
  }

  /** What the function reads and writes in its callers' frames, read and written by the call. */
  const propagate = (instance: Instance, outer: Instance): void => {
    const callsite = instance.callsites[instance.callsites.length - 1] ?? mainCallsite
    const masks: bigint[] = []
    for (let frame = 0; frame < instance.callsites.length; frame++) {
      const entry = instance.frames[frame]?.get(instance.start)
      masks.push(entry?.writtenLater ?? 0n)
      if (entry?.live) markRead(outer, frame, callsite, entry.live)
    }
    commitWrites(outer, callsite, masks)
  }

  const liveBefore = (instance: Instance, insn: number, frame: number, slot: bigint): boolean =>
    ((instance.frames[frame]?.get(insn)?.live ?? 0n) & slot) !== 0n

  return {
    begin(state, insn) {
      current = instanceOf(state, state.frames.length - 1)
      at = insn
      writes = []
    },
    commit() {
      if (current) commitWrites(current, at, writes)
    },
    leave() {
      current = undefined
    },
    read(state, frame, insn, slots) {
      markRead(current ?? instanceOf(state, state.frames.length - 1), frame, insn, slots)
    },
    written(frame, slots) {
      writes[frame] = (writes[frame] ?? 0n) | slots
    },
    update(state) {
      current = undefined
      for (let depth = state.frames.length - 1; depth >= 0; depth--) {
        const instance = instanceOf(state, depth)
        const hadChanged = instance.changed
        updateInstance(instance)
        if (depth > 0 && hadChanged) propagate(instance, instanceOf(state, depth - 1))
      }
    },
    isLive(state, insns, frame, slot) {
      const bit = 1n << BigInt(slot)
      const innermost = state.frames.length - 1
      if (liveBefore(instanceOf(state, innermost), insns[innermost] ?? 0, frame, bit)) return true
      for (let depth = frame; depth < innermost; depth++) {
        // Behind the call, or at the call where it may run its callback again.
        const callsite = insns[depth] ?? 0
        const next = program.callsBack(callsite) ? callsite : callsite + 1
        if (liveBefore(instanceOf(state, depth), next, frame, bit)) return true
      }
      return false
    },
  }
}
