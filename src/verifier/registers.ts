/**
 * What the verifier knows about one register: immutable objects, so that states share them and a change is a new object.
 * Every variant has the same common part. As in Linux, a pointer is a base (its type) plus a fixed offset (`off`) plus an
 * unknown part (`value`), and a scalar uses `value` alone; `id` ties registers that hold the same unknown (scalars with
 * equal values, copies of one maybe-NULL pointer, packet pointers with one variable part).
 */
import type { MapView } from './program.js'
import { constant, type Scalar, unknownScalar } from './scalar/index.js'

/** The part that every register has. */
export interface RegCommon {
  /** Fixed offset of a pointer in bytes; of a scalar with `idAdd`, its distance from the scalar that `id` names. */
  readonly off: number
  /** A scalar's value, or the variable part of a pointer's offset. */
  readonly value: Scalar
  /** Equal ids mean the same unknown; 0 for none. */
  readonly id: number
  /** The scalar equals the one that `id` names plus `off`, in so many bits (kernel: BPF_ADD_CONST); 0: the same value. */
  readonly idAdd: 0 | 32 | 64
  /** The reference that must be released, 0 for none. */
  readonly refId: number
  /** Scalars: pruning must compare the value; otherwise any scalar matches. */
  readonly precise: boolean
}

/** Never written, or clobbered by a call. */
export interface NotInitReg extends RegCommon {
  readonly type: 'not_init'
}
/** A number. */
export interface ScalarReg extends RegCommon {
  readonly type: 'scalar'
}
/** The program's context. */
export interface CtxReg extends RegCommon {
  readonly type: 'ctx'
}
/** A map itself. `mapUid` tells inner maps apart: 0, or the id of the lookup that gave it. */
export interface MapPtrReg extends RegCommon {
  readonly type: 'map_ptr'
  readonly map: MapView
  readonly mapUid: number
  readonly orNull: boolean
}
/** The value of a map element. */
export interface MapValueReg extends RegCommon {
  readonly type: 'map_value'
  readonly map: MapView
  readonly mapUid: number
  readonly orNull: boolean
}
/** The key of a map element, given to callbacks. */
export interface MapKeyReg extends RegCommon {
  readonly type: 'map_key'
  readonly map: MapView
  readonly mapUid: number
}
/** The stack of frame number `frame`. */
export interface StackReg extends RegCommon {
  readonly type: 'fp'
  readonly frame: number
}
/** Packet data; `range` bytes from `off` zero on are known to be there. Negative: -1 at the end, -2 beyond it. */
export interface PacketReg extends RegCommon {
  readonly type: 'pkt' | 'pkt_meta' | 'pkt_end'
  readonly range: number
}
/** A function of this program, by its number. */
export interface FuncReg extends RegCommon {
  readonly type: 'func'
  readonly subprogram: number
}
/** Memory of known size: helper results, arguments of global functions. */
export interface MemReg extends RegCommon {
  readonly type: 'mem'
  readonly size: number
  readonly readOnly: boolean
  readonly orNull: boolean
}
/** A kernel object typed by the kernel's BTF; `flags` as the log prints them before `ptr_`. */
export interface BtfReg extends RegCommon {
  readonly type: 'btf_ptr'
  readonly typeId: number
  readonly typeName: string
  readonly flags: '' | 'trusted_' | 'rcu_' | 'untrusted_'
  readonly orNull: boolean
}

/** What a register holds. */
export type Reg =
  | NotInitReg
  | ScalarReg
  | CtxReg
  | MapPtrReg
  | MapValueReg
  | MapKeyReg
  | StackReg
  | PacketReg
  | FuncReg
  | MemReg
  | BtfReg

/** The kinds of registers, in the words of the kernel's log (`fp` is PTR_TO_STACK). */
export type RegType = Reg['type']

const zero = constant(0n)
const common: RegCommon = { off: 0, value: zero, id: 0, idAdd: 0, refId: 0, precise: false }

/** The register that was never written. */
export const notInit: NotInitReg = Object.freeze({ ...common, type: 'not_init', value: unknownScalar })

/** A scalar of which nothing is known. */
export const anyScalar: ScalarReg = Object.freeze({ ...common, type: 'scalar', value: unknownScalar })

/** A scalar with this value and no history. */
export function scalarReg(value: Scalar, precise = false): ScalarReg {
  return { type: 'scalar', off: 0, value, id: 0, idAdd: 0, refId: 0, precise }
}

/** How a scalar is tied to others: equal to the one that `id` names, or `off` away from it. */
export type Tie = Pick<ScalarReg, 'id' | 'idAdd' | 'off'>

/** Tied to nothing. */
export const noTie: Tie = Object.freeze({ id: 0, idAdd: 0, off: 0 })

/** The scalar with another value, tied to nothing unless a tie is given. */
export function changed(reg: ScalarReg, value: Scalar, { id, idAdd, off }: Tie = noTie): ScalarReg {
  return { type: 'scalar', off, value, id, idAdd, refId: reg.refId, precise: reg.precise }
}

/** A scalar with a known value. */
export function constantReg(value: bigint): ScalarReg {
  return scalarReg(constant(value))
}

/** The context pointer. */
export const ctxReg: CtxReg = Object.freeze({ ...common, type: 'ctx' })

/** A pointer to a map. */
export function mapPtr(map: MapView, mapUid = 0): MapPtrReg {
  return { ...common, type: 'map_ptr', map, mapUid, orNull: false }
}

/** A pointer to the value of an element; `id` is needed while it may be NULL. */
export function mapValue(map: MapView, options: { mapUid?: number; orNull?: boolean; id?: number; off?: number } = {}) {
  const { mapUid = 0, orNull = false, id = 0, off = 0 } = options
  return { ...common, type: 'map_value', map, mapUid, orNull, id, off } satisfies MapValueReg
}

/** A pointer to the key of an element. */
export function mapKey(map: MapView, mapUid = 0): MapKeyReg {
  return { ...common, type: 'map_key', map, mapUid }
}

/** A pointer into the stack of a frame: `fp` plus `off`. */
export function stackPointer(frame: number, off = 0): StackReg {
  return { ...common, type: 'fp', frame, off }
}

/** A packet pointer of which nothing is known to be readable yet. */
export function packetPointer(type: PacketReg['type'], id = 0): PacketReg {
  return { ...common, type, id, range: 0 }
}

/** A pointer to a function of this program. */
export function funcPointer(subprogram: number): FuncReg {
  return { ...common, type: 'func', subprogram }
}

/** A pointer to `size` bytes of memory. */
export function memPointer(
  size: number,
  options: { readOnly?: boolean; orNull?: boolean; id?: number; refId?: number } = {},
): MemReg {
  const { readOnly = false, orNull = false, id = 0, refId = 0 } = options
  return { ...common, type: 'mem', size, readOnly, orNull, id, refId }
}

/** A pointer to a kernel object. */
export function btfPointer(
  typeId: number,
  typeName: string,
  options: { flags?: BtfReg['flags']; orNull?: boolean; id?: number; refId?: number } = {},
): BtfReg {
  const { flags = '', orNull = false, id = 0, refId = 0 } = options
  return { ...common, type: 'btf_ptr', typeId, typeName, flags, orNull, id, refId }
}

/** Whether the register is a pointer (a maybe-NULL one counts). */
export function isPointer(reg: Reg): boolean {
  return reg.type !== 'scalar' && reg.type !== 'not_init'
}

/** Whether the register is a pointer that may be NULL. */
export function mayBeNull(reg: Reg): boolean {
  return 'orNull' in reg && reg.orNull
}

/** The pointer as if it had been compared with NULL and is not. */
export function asNotNull(reg: Reg): Reg {
  return 'orNull' in reg && reg.orNull ? { ...reg, orNull: false } : reg
}

/** Whether this is the scalar 0. */
export function isNullScalar(reg: Reg): boolean {
  return reg.type === 'scalar' && reg.value.tnum.mask === 0n && reg.value.tnum.value === 0n
}

/** The type as the kernel's messages name it: `map_value_or_null`, `ptr_task_struct`. */
export function typeName(reg: Reg): string {
  if (reg.type === 'not_init') return '?'
  if (reg.type === 'btf_ptr') return `${reg.flags}ptr_${reg.orNull ? 'or_null_' : ''}`
  const prefix = reg.type === 'mem' && reg.readOnly ? 'rdonly_' : ''
  return `${prefix}${reg.type}${mayBeNull(reg) ? '_or_null' : ''}`
}
