/**
 * When a path may be pruned: the state where it stands promises at least what an explored state promised that was safe.
 * Registers and slots that nobody reads later do not count, imprecise scalars match any scalar, and ids only have to be
 * consistent. `exact` asks for sameness instead, to find loops that go nowhere.
 */
import { type Reg, scalarReg } from './registers.js'
import { sameScalar, subsumes, unknownScalar } from './scalar/index.js'
import { emptySlot, type Frame, regAt, type Slot, type State } from './state.js'

/** How states are compared. */
export type Comparison = 'safe' | 'range' | 'exact'

/** Pairs of ids that were met so far: a bijection. */
export interface IdMap {
  readonly old: number[]
  readonly cur: number[]
  /** Makes ids for scalars that have none, so that two unrelated scalars cannot match two related ones. */
  fresh: number
}

/** Nothing is paired yet; `lastId` is the highest id in use. */
export function noIds(lastId = 0): IdMap {
  return { old: [], cur: [], fresh: lastId }
}

function checkIds(old: number, cur: number, ids: IdMap): boolean {
  if ((old === 0) !== (cur === 0)) return false
  if (old === 0) return true
  for (let i = 0; i < ids.old.length; i++) {
    if (ids.old[i] === old) return ids.cur[i] === cur
    if (ids.cur[i] === cur) return false
  }
  ids.old.push(old)
  ids.cur.push(cur)
  return true
}

function checkScalarIds(old: number, cur: number, ids: IdMap): boolean {
  return checkIds(old || ++ids.fresh, cur || ++ids.fresh, ids)
}

function sameIds(old: Reg, cur: Reg, ids: IdMap): boolean {
  return checkIds(old.id, cur.id, ids) && checkIds(old.refId, cur.refId, ids)
}

/** What distinguishes two pointers of one type, apart from offsets and ids. */
function sameBase(old: Reg, cur: Reg): boolean {
  switch (old.type) {
    case 'map_ptr':
    case 'map_value':
      return old.type === cur.type && old.map === cur.map && old.mapUid === cur.mapUid && old.orNull === cur.orNull
    case 'map_key':
      return old.type === cur.type && old.map === cur.map && old.mapUid === cur.mapUid
    case 'fp':
      return old.type === cur.type && old.frame === cur.frame
    case 'func':
      return old.type === cur.type && old.subprogram === cur.subprogram
    case 'mem':
      return (
        old.type === cur.type && old.size === cur.size && old.readOnly === cur.readOnly && old.orNull === cur.orNull
      )
    case 'btf_ptr':
      return old.type === cur.type && old.typeId === cur.typeId && old.flags === cur.flags && old.orNull === cur.orNull
    case 'pkt':
    case 'pkt_meta':
    case 'pkt_end':
      return old.type === cur.type && old.range === cur.range
    default:
      return old.type === cur.type
  }
}

/** Whether both hold exactly the same, ids being paired by `ids`. */
export function sameReg(old: Reg, cur: Reg, ids: IdMap): boolean {
  return (
    sameBase(old, cur) &&
    old.off === cur.off &&
    old.idAdd === cur.idAdd &&
    sameScalar(old.value, cur.value) &&
    sameIds(old, cur, ids)
  )
}

/** Whether what was safe with `old` is safe with `cur`. */
function regSafe(old: Reg, cur: Reg, ids: IdMap, how: Comparison): boolean {
  if (how === 'exact') return sameReg(old, cur, ids)
  if (old.type === 'not_init') return true
  if (old.type !== cur.type) return false
  switch (old.type) {
    case 'scalar':
      if (!old.precise && how === 'safe') return true
      if (!subsumes(old.value, cur.value)) return false
      // A scalar that was tied to nothing was safe alone; ties that the current one has only add to what is known.
      if (!old.id) return true
      if (old.idAdd !== cur.idAdd || (old.idAdd && old.off !== cur.off)) return false
      return checkScalarIds(old.id, cur.id, ids)
    case 'map_key':
    case 'map_value':
    case 'mem':
      return sameBase(old, cur) && old.off === cur.off && subsumes(old.value, cur.value) && sameIds(old, cur, ids)
    case 'pkt':
    case 'pkt_meta':
      if (cur.type !== old.type) return false
      if (old.range < 0 || cur.range < 0 ? old.range !== cur.range : old.range > cur.range) return false
      return old.off === cur.off && checkIds(old.id, cur.id, ids) && subsumes(old.value, cur.value)
    default:
      return sameReg(old, cur, ids)
  }
}

const unboundScalar = scalarReg(unknownScalar)

/** The scalar that a load of the whole slot gives, where that is what counts. */
function scalarOf({ types, spilled }: Slot): Reg | undefined {
  if (types === 'rrrrrrrr') return spilled.type === 'scalar' ? spilled : undefined
  // Nothing that is known, or never written: for root a load gives an unbound scalar.
  for (let i = 0; i < 8; i++) if (types[i] !== 'm' && types[i] !== '?') return undefined
  return unboundScalar
}

function stackSafe(old: Frame, cur: Frame, ids: IdMap, how: Comparison): boolean {
  for (let i = 0; i < old.stack.length; i++) {
    const was = old.stack[i] ?? emptySlot
    const now = cur.stack[i]
    // Only where everything that matters is known may a slot hold something else than it did.
    if (how !== 'safe') {
      if (!now || was.types !== now.types) return false
      if (was.types[7] === 'r' && !regSafe(was.spilled, now.spilled, ids, how)) return false
      continue
    }
    if (!slotSafe(was, now, ids, how)) return false
  }
  return true
}

function slotSafe(was: Slot, now: Slot | undefined, ids: IdMap, how: Comparison): boolean {
  for (let byte = 0; byte < 8; byte++) {
    const old = was.types[byte]
    if (old === '?' || old === 'm') continue
    if (!now) return false
    const oldScalar = scalarOf(was)
    const nowScalar = scalarOf(now)
    if (oldScalar && nowScalar) return regSafe(oldScalar, nowScalar, ids, how)
    if (old !== now.types[byte]) return false
    if (byte === 7 && old === 'r' && !regSafe(was.spilled, now.spilled, ids, how)) return false
    // Saved irq flags: which save they belong to decides where they may be restored.
    if (byte === 7 && old === 'f' && !checkIds(was.spilled.refId, now.spilled.refId, ids)) return false
  }
  return true
}

function referencesSafe(old: State, cur: State, ids: IdMap): boolean {
  return (
    old.references.length === cur.references.length &&
    old.rcuLocks === cur.rcuLocks &&
    old.preemptLocks === cur.preemptLocks &&
    checkIds(old.irqId, cur.irqId, ids) &&
    old.references.every((reference, i) => {
      const other = cur.references[i]
      return (
        other !== undefined &&
        reference.kind === other.kind &&
        reference.owner === other.owner &&
        checkIds(reference.id, other.id, ids)
      )
    })
  )
}

/**
 * Whether `cur` is covered by `old`. `liveAt` gives the mask of registers that are live in frame `number`, `lastId` the
 * highest id in use.
 */
export function statesEqual(
  old: State,
  cur: State,
  how: Comparison,
  liveAt: (number: number) => number,
  lastId: number,
): boolean {
  if (old.frames.length !== cur.frames.length || old.sleepable !== cur.sleepable) return false
  const ids = noIds(lastId)
  if (!referencesSafe(old, cur, ids)) return false
  for (let number = 0; number < old.frames.length; number++) {
    const was = old.frames[number]
    const now = cur.frames[number]
    if (!was || !now || was.callsite !== now.callsite || was.callbackDepth > now.callbackDepth) return false
    const live = liveAt(number)
    for (let n = 0; n < 10; n++) {
      if (live & (1 << n) && !regSafe(regAt(was, n), regAt(now, n), ids, how)) return false
    }
    if (!stackSafe(was, now, ids, how)) return false
  }
  return true
}

/** A cheap first look for loops that go nowhere: all registers of the innermost frame are the same. */
export function maybeLooping(old: State, cur: State): boolean {
  const was = old.frames[old.frames.length - 1]
  const now = cur.frames[cur.frames.length - 1]
  if (!was || !now || old.frames.length !== cur.frames.length) return false
  return was.regs.every((reg, n) => {
    const other = regAt(now, n)
    return (
      reg.type === other.type &&
      reg.off === other.off &&
      reg.id === other.id &&
      reg.idAdd === other.idAdd &&
      reg.refId === other.refId &&
      sameBase(reg, other) &&
      sameScalar(reg.value, other.value)
    )
  })
}
