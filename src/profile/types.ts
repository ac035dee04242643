/**
 * What one kernel offers, as data: helper and kfunc prototypes, who may call them, what a context holds, which map goes
 * with which helper. Names are the kernel's own (`ARG_CONST_MAP_PTR` is `const_map_ptr`). What is a fact about the running
 * kernel was recorded from it by `scripts/record-profile.mjs`; prototypes are written by hand and checked against it.
 */
import type { Btf } from '../btf/index.js'
import type { AttachType, MapType, ProgramType } from '../uapi/index.js'

/** What a helper expects in one of R1 to R5: `enum bpf_arg_type` in lower case, `_or_null` where NULL may be passed. */
export type HelperArgType =
  | 'anything'
  | 'const_map_ptr'
  | 'map_key'
  | 'map_value'
  | 'map_value_or_null'
  /** The value buffer is written: lookups that copy. */
  | 'uninit_map_value'
  /** Memory that is read; the next argument is its size. */
  | 'mem'
  | 'mem_or_null'
  /** Memory that is written and need not be initialised; the next argument is its size. */
  | 'uninit_mem'
  /** Memory that is read and written; the next argument is its size. */
  | 'mem_write'
  /** Memory of the fixed size in `size`. */
  | 'fixed_mem'
  | 'fixed_mem_write'
  | 'const_size'
  | 'const_size_or_zero'
  /** A constant that is the size of what is returned. */
  | 'const_alloc_size_or_zero'
  | 'ctx'
  | 'ctx_or_null'
  | 'spin_lock'
  | 'timer'
  | 'func'
  | 'stack_or_null'
  | 'const_str'
  | 'ringbuf_mem'
  | 'sock_common'
  | 'btf_id_sock_common'
  | 'btf_id_sock_common_or_null'
  | 'socket'
  | 'btf_id'
  | 'btf_id_or_null'
  | 'percpu_btf_id'
  | 'kptr_xchg_dest'
  | 'dynptr'
  | 'uninit_dynptr'

/** One argument of a helper. */
export interface HelperArg {
  readonly type: HelperArgType
  /** `fixed_mem`: its size in bytes. */
  readonly size?: number
  /** `btf_id`: the name of the kernel's struct. */
  readonly struct?: string
  /** The object is given back: what it refers to must not be used afterwards. */
  readonly release?: boolean
}

/** What R0 is after a helper: `enum bpf_return_type` in lower case. */
export type HelperReturn =
  | 'integer'
  | 'void'
  | 'map_value'
  | 'map_value_or_null'
  | 'sock_or_null'
  | 'tcp_sock_or_null'
  | 'sock_common_or_null'
  | 'ringbuf_mem_or_null'
  | 'dynptr_mem_or_null'
  | 'mem_or_btf_id'
  | 'mem_or_btf_id_or_null'
  | 'btf_id'
  | 'btf_id_or_null'

/** A helper function as the verifier sees it. */
export interface HelperPrototype {
  readonly name: string
  readonly id: number
  readonly args: readonly HelperArg[]
  readonly returns: HelperReturn
  /** Only programs with a GPL-compatible licence may call it. */
  readonly gplOnly: boolean
  /** Only code that may sleep may call it. */
  readonly mightSleep: boolean
  /** Pointers into the packet may be passed as memory. */
  readonly pktAccess: boolean
  /** Pointers into the packet are invalid afterwards. */
  readonly changesPacket: boolean
  /** The result is a reference that must be given back. */
  readonly acquires: boolean
}

/** A kfunc's properties (`KF_*` in the kernel). Absent means no. */
export interface KfuncFlags {
  readonly acquire?: boolean
  readonly release?: boolean
  readonly retNull?: boolean
  readonly sleepable?: boolean
  readonly trustedArgs?: boolean
  readonly destructive?: boolean
  /** Arguments may be RCU-protected instead of trusted. */
  readonly rcu?: boolean
  /** May only be called inside an RCU read section. */
  readonly rcuProtected?: boolean
  /** Clobbers R0 only, and only if arguments need it. */
  readonly fastcall?: boolean
}

/** Types of a kfunc: the FUNC in a BTF. */
export interface KfuncTypes {
  readonly btf: Btf
  readonly func: number
}

/** A kfunc: the kernel's own, or one that the user supplies. */
export interface KfuncRow {
  readonly name: string
  /** BTF id of its FUNC in the kernel that was recorded (the log prints it); 0 for one that the user supplies. */
  readonly kernelId: number
  /** Whether `flags` are known; calls of others cannot be judged. */
  readonly described: boolean
  readonly flags: KfuncFlags
  /** Program types that may call it. */
  readonly programTypes: 'all' | readonly ProgramType[]
  /** Its prototype as the verifier uses it, decoded when first asked for. */
  types(): KfuncTypes
  /** Last parameters of the prototype that programs do not pass: the verifier fills them in (Linux 7.0). */
  readonly hiddenParams?: number
}

/** What a load from a context gives. */
export type ContextValue =
  | 'scalar'
  | 'pkt'
  | 'pkt_end'
  | 'pkt_meta'
  | 'sock_common_or_null'
  | 'sock_or_null'
  | 'sock'
  | 'flow_keys'
  | 'other'

/** Accesses that a program type may make to its context: every `step` bytes from `from` to `to`, `size` bytes each. */
export interface ContextRow {
  readonly access: 'read' | 'write'
  readonly size: 1 | 2 | 4 | 8
  readonly from: number
  /** The last offset, inclusive. */
  readonly to: number
  readonly step: number
  /** What a load gives; `scalar` for writes. */
  readonly value: ContextValue
}

/** One program type's side of things. */
export interface ProgramRow {
  readonly type: ProgramType
  /** The context's struct as programs see it (`__sk_buff`); undefined where it depends on the attach point. */
  readonly contextStruct: string | undefined
  /** `undefined`: not recorded, the context is plain memory (syscall) or depends on the attach point. */
  readonly context: readonly ContextRow[] | undefined
  /** What R0 must be at exit, inclusive; `undefined`: anything. */
  readonly returns: readonly [min: bigint, max: bigint] | undefined
  /** Pointers in the context lead to a packet that programs may write. */
  readonly packetWrite: boolean
  /** Tracing programs, which may not use maps with some special fields. */
  readonly tracing: boolean
  /** May it be loaded as sleepable; must it be. */
  readonly sleepable: 'no' | 'may' | 'must'
}

/** One kernel. */
export interface Profile {
  /** `6.18` */
  readonly kernel: string
  /**
   * The helper with this number, as programs of this type see it; `undefined` where the kernel has none, or this table no
   * prototype: see {@link hasHelper}.
   */
  helper(id: number, type?: ProgramType): HelperPrototype | undefined
  /** Whether the kernel has a helper with this number. */
  hasHelper(id: number): boolean
  /** Whether a program of this type may call the helper. */
  helperAllowed(id: number, type: ProgramType, attachType?: AttachType): boolean
  /** The kfunc of this name. */
  kfunc(name: string): KfuncRow | undefined
  /** The kfunc with this BTF id in the recorded kernel; `'no function'` where the id is that of a type. */
  kfuncById(id: number): KfuncRow | 'no function' | undefined
  /** All kfuncs by name. */
  readonly kfuncs: ReadonlyMap<string, KfuncRow>
  kfuncAllowed(row: KfuncRow, type: ProgramType): boolean
  /** Where this kernel lacks the kfunc: what to do about it, in a sentence; `undefined` where nothing is known. */
  kfuncHint(name: string): string | undefined
  /** The rules of a program type; what it may return may depend on where it is attached. */
  program(type: ProgramType, attachType?: AttachType): ProgramRow
  /** What an access to the context gives; `undefined` where the kernel refuses it. */
  contextAccess(type: ProgramType, access: 'read' | 'write', offset: number, size: number): ContextValue | undefined
  /** Whether the helper takes maps of this type (the kernel: `cannot pass map_type …`). */
  mapAllowed(helper: number, map: MapType): boolean
  /** Special fields (`bpf_wq`, …) which maps of tracing programs (kprobe, perf_event, …) must not have. */
  readonly tracingForbids: readonly string[]
  /** How many CPUs the kernel may have at most: bounds bpf_get_smp_processor_id. */
  readonly cpus: number
  /** The kernel's types, pruned to contexts and kfunc prototypes; decoded when first asked for. */
  btf(): Btf
}
