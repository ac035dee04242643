/**
 * What an object file asks for, as editable data: a blueprint that is the same on every machine. Hosts make programs and
 * maps of it. Nothing here depends on a kernel.
 */
import type { Btf } from '../btf/types.js'
import type { Insn } from '../isa/insn.js'
import type { AttachType, MapType, ProgramType } from '../uapi/index.js'

/**
 * What one instruction refers to. The instruction keeps the pseudo source register of the kernel's interface; the host
 * fills in the number (a file descriptor, an address, a BTF id) when it loads.
 *
 * - `map`: ld_imm64, `src` = BPF_PSEUDO_MAP_FD (1)
 * - `map_value`: ld_imm64, `src` = BPF_PSEUDO_MAP_VALUE (2), the byte offset in the second slot's `imm`
 * - `kfunc`: call, `src` = BPF_PSEUDO_KFUNC_CALL (2)
 * - `ksym`: ld_imm64, `src` = BPF_PSEUDO_BTF_ID (3), a `__ksym` variable or the address of a kfunc
 *
 * Calls and callbacks within the program need none: linking has resolved them (`BPF_PSEUDO_CALL` 1, `BPF_PSEUDO_FUNC` 4,
 * relative to the instruction).
 */
export interface Reference {
  readonly kind: 'map' | 'map_value' | 'kfunc' | 'ksym'
  /** The map's, kfunc's or symbol's name in the object. */
  readonly name: string
  /** A weak extern may stay unresolved. */
  readonly weak: boolean
  /** BTF id in the object of the extern's FUNC or VAR (kfunc, ksym); 0 where there is none. */
  readonly typeId: number
}

/** A function of a linked program: the entry is at index 0, subprograms follow. */
export interface FunctionInfo {
  readonly name: string
  /** Instruction index of its first instruction in the linked program. */
  readonly start: number
  /** BTF id of its FUNC; 0 where the object has no func_info for it. */
  readonly typeId: number
}

/** One `.BTF.ext` line record in the linked program. */
export interface LineInfo {
  /** Instruction index. */
  readonly insn: number
  readonly file: string
  /** The text of the source line. */
  readonly text: string
  readonly line: number
  readonly column: number
}

/** A CO-RE relocation record (parsed; applied in a later version). */
export interface CoreRelocation {
  /** Instruction index in the linked program. */
  readonly insn: number
  readonly typeId: number
  /** Access string such as `0:1:2`. */
  readonly access: string
  /** `enum bpf_core_relo_kind`. */
  readonly kind: number
}

/** One program, linked with the subprograms that it calls. */
export interface ProgramSpec {
  readonly name: string
  /** The section it stands in, as written, without the `?`. */
  readonly section: string
  /** `undefined` where the section name says nothing (libbpf would refuse to load it without being told). */
  type: ProgramType | undefined
  attachType: AttachType | undefined
  /** What follows the slash in the section name: a function, a tracepoint, an interface. */
  attachTo: string | undefined
  /** `.s` sections: loaded with BPF_F_SLEEPABLE. */
  sleepable: boolean
  /** Other load flags (`BPF_F_XDP_HAS_FRAGS` for `xdp.frags`). */
  flags: number
  /** `false` for `SEC("?...")`. */
  autoload: boolean
  /** Main function, then its subprograms in the order in which they are first called. */
  readonly insns: readonly Insn[]
  /** By instruction index. */
  readonly references: ReadonlyMap<number, Reference>
  readonly functions: readonly FunctionInfo[]
  readonly lines: readonly LineInfo[]
  readonly coreRelocations: readonly CoreRelocation[]
}

/** One map. Sizes in bytes. */
export interface MapSpec {
  readonly name: string
  type: MapType
  keySize: number
  valueSize: number
  maxEntries: number
  /** `BPF_F_*` of map creation. */
  flags: number
  /** BTF ids of key and value in the object's BTF; 0 where there is none. For global data the value is the DATASEC. */
  readonly keyTypeId: number
  readonly valueTypeId: number
  numaNode: number
  mapExtra: bigint
  pinning: 'none' | 'by_name'
  /** For maps of maps: the shape of the maps inside. */
  readonly innerMap: MapSpec | undefined
  /** `__array(values, ...)` initialisers: index to the name of a map or program. */
  readonly initialValues: ReadonlyMap<number, string>
  /** Global data: the section's bytes (edited through `ObjectSpec.variables`); else `undefined`. */
  readonly contents: Uint8Array | undefined
  /** Global data: the section that it came from. */
  readonly section: string | undefined
  /** Frozen after its contents are written (`.rodata`, `.kconfig`). */
  readonly frozen: boolean
}

/** An `extern` that a program uses and the object does not define. */
export interface ExternSpec {
  readonly name: string
  readonly kind: 'kfunc' | 'ksym' | 'kconfig'
  readonly weak: boolean
  readonly typeId: number
}

/** An object file, read. */
export interface ObjectSpec {
  /** File name, for messages. */
  readonly name: string
  readonly license: string
  readonly kernelVersion: number
  readonly btf: Btf | undefined
  readonly programs: Readonly<Record<string, ProgramSpec>>
  readonly maps: Readonly<Record<string, MapSpec>>
  /**
   * Global variables by name, read and written as values by BTF: `spec.variables.interval_ms = 50`. Writing one that does
   * not exist throws `BpfError` (`unknown-variable`); a value that does not fit its type throws `bad-value`.
   */
  readonly variables: Record<string, unknown>
  readonly externs: readonly ExternSpec[]
  /** What loads, as with libbpf, and is hardly meant: one sentence each, its place first. */
  readonly warnings: readonly string[]
}
