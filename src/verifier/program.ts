/**
 * The program as the verifier looks at it: instructions with their references resolved to maps and kfuncs, and what is
 * known about each map. Made once per program by `load.ts`; nothing here changes while paths are explored.
 */
import type { Btf } from '../btf/types.js'
import type { Insn } from '../isa/insn.js'
import type { LineInfo, MapSpec, ProgramSpec, Reference } from '../object/spec.js'

/** A field of a map value that programs may only use through its helpers: `bpf_wq`, `bpf_timer`, `bpf_spin_lock`. */
export interface SpecialField {
  /** The name of its struct. */
  readonly kind: string
  /** Bytes from the start of the value. */
  readonly offset: number
  readonly size: number
}

/** A map as the verifier sees it. */
export interface MapView {
  /** As the kernel knows it: at most 15 characters. */
  readonly name: string
  readonly spec: MapSpec
  /** Value and key are described by BTF. */
  readonly hasBtf: boolean
  /** By offset. */
  readonly fields: readonly SpecialField[]
  /** The shape of the maps in a map of maps. */
  readonly inner: MapView | undefined
  /** Bytes that cannot change any more: a frozen map that programs cannot write. */
  readonly constantBytes: Uint8Array | undefined
}

/** A function of the program. */
export interface Subprogram {
  readonly name: string
  /** First instruction and the one after the last. */
  readonly start: number
  readonly end: number
  /** BTF id of its FUNC, 0 where the object has no func_info. */
  readonly typeId: number
  readonly global: boolean
  /** It, or something that it calls, may move the packet; may sleep. */
  readonly changesPacket: boolean
  readonly mightSleep: boolean
}

/** One program, ready to be verified. */
export interface Program {
  readonly spec: ProgramSpec
  readonly insns: readonly Insn[]
  readonly subprograms: readonly Subprogram[]
  readonly lines: readonly LineInfo[]
  readonly license: string
  readonly btf: Btf | undefined
  /** What an instruction refers to, by its index. */
  readonly references: ReadonlyMap<number, Reference>
  /** Instructions that a CO-RE relocation would change. */
  readonly relocated: ReadonlySet<number>
  /** The maps that ld_imm64 instructions load, by instruction index. */
  readonly maps: ReadonlyMap<number, MapView>
}

/** The special field of this kind in a map's values. */
export function specialField(map: MapView, kind: string): SpecialField | undefined {
  return map.fields.find((field) => field.kind === kind)
}
