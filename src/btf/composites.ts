/**
 * Structs, unions and data sections in memory, as objects. Members of anonymous structs and unions belong to the one
 * around them, as in C. A union reads as all its members; writing takes the member that is meant, or several that say
 * the same, so that a value that was read can be written back.
 */
import type { BtfTypeOf } from './kinds.js'
import { badValue, describe, layPlain, type Memory, type Place, scalarPlace, toBigInt } from './scalars.js'
import type { Btf, BtfMember } from './types.js'

/** A member where it stands: byte offset and how to read it. Anonymous ones have the names of what is inside. */
interface Slot {
  readonly name: string
  readonly offset: number
  readonly place: Place
  /** A member whose own members are seen from outside. */
  readonly inner: Composite | undefined
}

interface Composite extends Place {
  readonly names: ReadonlySet<string>
  /** Reads into an object that is being made. */
  gather(memory: Memory, at: number, out: Record<string, unknown>): void
  /** Writes what `value` has of these names; the bytes have been cleared. */
  spread(memory: Memory, at: number, value: Record<string, unknown>, path: string): void
}

/** The place of a struct or union. */
export function compositePlace(btf: Btf, type: BtfTypeOf<'struct'>, placeOf: (id: number) => Place): Place {
  return composite(btf, type, placeOf)
}

function composite(btf: Btf, type: BtfTypeOf<'struct'>, placeOf: (id: number) => Place): Composite {
  const slots = type.members.flatMap((member) => slotOf(btf, member, placeOf))
  const word = `${type.kind} ${type.name || '(anonymous)'}`
  return object(slots, type.size, word, type.kind === 'union')
}

/** The place of a data section: variables by name. Functions that stand there (`.ksyms`) have no value. */
export function sectionPlace(btf: Btf, type: BtfTypeOf<'datasec'>, placeOf: (id: number) => Place): Place {
  const slots = type.vars.flatMap(({ type: id, offset }): Slot[] => {
    const variable = btf.type(id)
    if (variable.kind !== 'var') return []
    return [{ name: variable.name, offset, place: placeOf(variable.type), inner: undefined }]
  })
  const end = Math.max(type.size, ...slots.map((slot) => slot.offset + slot.place.size), 0)
  return object(slots, end, `section ${type.name}`, false)
}

function slotOf(btf: Btf, member: BtfMember, placeOf: (id: number) => Place): Slot[] {
  const { name, type: id, bitOffset, bitSize } = member
  const type = btf.resolve(id)
  if (name === '') {
    if (type.kind !== 'struct' && type.kind !== 'union') return []
    const inner = composite(btf, type, placeOf)
    return [{ name, offset: bitOffset / 8, place: inner, inner }]
  }
  const old = type.kind === 'int' && type.bits + type.bitOffset !== type.size * 8
  if (bitSize === 0 && !old && bitOffset % 8 === 0) {
    return [{ name, offset: bitOffset / 8, place: placeOf(id), inner: undefined }]
  }
  if (type.kind !== 'int' && type.kind !== 'enum' && type.kind !== 'enum64') return []
  const bits = bitSize || (type.kind === 'int' ? type.bits : type.size * 8)
  const start = bitOffset + (type.kind === 'int' ? type.bitOffset : 0)
  const place = scalarPlace(type, { bitOffset: start % 8, bits })
  return [{ name, offset: Math.floor(start / 8), place: { ...place, size: 0 }, inner: undefined }]
}

function object(slots: readonly Slot[], size: number, word: string, union: boolean): Composite {
  const names = new Set(slots.flatMap((slot) => (slot.inner ? [...slot.inner.names] : [slot.name])))
  // A union hides special fields from the kernel too: there they are plain bytes.
  const opaque = !union && slots.some((slot) => slot.place.opaque)

  const gather = (memory: Memory, at: number, out: Record<string, unknown>): void => {
    for (const { name, offset, place, inner } of slots) {
      if (inner) inner.gather(memory, at + offset, out)
      else out[name] = place.read(memory, at + offset)
    }
  }
  const lay: Place['lay'] = opaque ? (memory, at, source) => layAround(slots, size, memory, at, source) : layPlain(size)
  const writeSlot = (slot: Slot, memory: Memory, at: number, value: Record<string, unknown>, path: string): void => {
    const { name, offset, place, inner } = slot
    if (inner) inner.spread(memory, at + offset, value, path)
    else if (has(value, [name])) place.write(memory, at + offset, value[name], `${path}.${name}`)
  }
  const spread = (memory: Memory, at: number, value: Record<string, unknown>, path: string): void => {
    if (!union) {
      for (const slot of slots) writeSlot(slot, memory, at, value, path)
      return
    }
    const given = slots.filter(({ name, inner }) => has(value, inner ? inner.names : [name]))
    const proposals = given.map((slot) => {
      const bytes = new Uint8Array(size)
      const proposal = { bytes, view: new DataView(bytes.buffer) }
      writeSlot(slot, proposal, 0, value, path)
      return proposal
    })
    const agreed = proposals.find((proposal) => given.every((slot) => shows(slot, proposal, value)))
    const first = agreed ?? (given.length === 1 ? proposals[0] : undefined)
    if (first) memory.bytes.set(first.bytes, at)
    else if (given.length > 1) {
      const words = given.map(({ name, inner }) => name || [...(inner?.names ?? [])].join(', '))
      throw badValue(path, `${word} holds one member at a time, and ${words.join(' and ')} say different things`)
    }
  }
  return {
    size,
    opaque,
    names,
    gather,
    spread,
    lay,
    read(memory, at) {
      const out: Record<string, unknown> = {}
      gather(memory, at, out)
      return out
    },
    write(memory, at, value, path) {
      if (value instanceof Uint8Array) {
        if (value.length !== size) throw badValue(path, `${word} takes ${size} bytes, ${value.length} are given`)
        return lay(memory, at, value)
      }
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        throw badValue(path, `${describe(value)} is not an object with the members of ${word}`)
      }
      const members = value as Record<string, unknown>
      for (const name of Object.keys(members)) {
        if (!names.has(name)) throw badValue(`${path}.${name}`, `${word} has no member '${name}'`)
      }
      lay(memory, at, undefined)
      return spread(memory, at, members, path)
    },
  }
}

/** Lays bytes over a struct; members with opaque fields decide for themselves. */
function layAround(
  slots: readonly Slot[],
  size: number,
  { bytes, view }: Memory,
  at: number,
  source: Uint8Array | undefined,
): void {
  let from = 0
  const plain = (to: number): void => {
    if (to <= from) return
    if (source) bytes.set(source.subarray(from, to), at + from)
    else bytes.fill(0, at + from, at + to)
  }
  for (const { offset, place } of slots.filter(({ place }) => place.opaque).sort((a, b) => a.offset - b.offset)) {
    plain(offset)
    place.lay({ bytes, view }, at + offset, source?.subarray(offset, offset + place.size))
    from = offset + place.size
  }
  plain(size)
}

function has(value: Record<string, unknown>, names: Iterable<string>): boolean {
  for (const name of names) if (Object.hasOwn(value, name) && value[name] !== undefined) return true
  return false
}

/** Whether reading a member gives what the user says that it is. */
function shows(slot: Slot, memory: Memory, value: Record<string, unknown>): boolean {
  if (!slot.inner) return equal(slot.place.read(memory, slot.offset), value[slot.name])
  const out: Record<string, unknown> = {}
  slot.inner.gather(memory, slot.offset, out)
  return Object.keys(out).every((name) => !has(value, [name]) || equal(out[name], value[name]))
}

/** The same value, as far as `given` says something. */
function equal(read: unknown, given: unknown): boolean {
  if (Object.is(read, given)) return true
  if (typeof read === 'number' || typeof read === 'bigint') return toBigInt(read) === toBigInt(given)
  if (typeof read !== 'object' || typeof given !== 'object' || read === null || given === null) return false
  const known = new Map(Object.entries(read))
  return Object.entries(given).every(([name, value]) => known.has(name) && equal(known.get(name), value))
}
