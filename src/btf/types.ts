/**
 * BTF types as plain data, one variant a kind (`BTF_KIND_*`, Documentation/bpf/btf.rst). Ids are indices into
 * `Btf.types`; 0 is void. Names are '' where BTF has none.
 */

/** A member of a struct or union; offsets and sizes in bits. `bitSize` is 0 unless the member is a bit field. */
export interface BtfMember {
  readonly name: string
  readonly type: number
  readonly bitOffset: number
  readonly bitSize: number
}

/** A variable's place in a data section: byte offset and size. */
export interface BtfSectionVar {
  readonly type: number
  readonly offset: number
  readonly size: number
}

/** A parameter; the last one with name '' and type 0 stands for `...`. */
export interface BtfParam {
  readonly name: string
  readonly type: number
}

/** One BTF type. Sizes in bytes. */
export type BtfType =
  | { readonly kind: 'void'; readonly id: 0; readonly name: '' }
  | {
      readonly kind: 'int'
      readonly id: number
      readonly name: string
      readonly size: number
      readonly bits: number
      readonly bitOffset: number
      readonly signed: boolean
      readonly char: boolean
      readonly bool: boolean
    }
  | { readonly kind: 'ptr'; readonly id: number; readonly name: ''; readonly type: number }
  | {
      readonly kind: 'array'
      readonly id: number
      readonly name: ''
      readonly type: number
      readonly indexType: number
      readonly length: number
    }
  | {
      readonly kind: 'struct' | 'union'
      readonly id: number
      readonly name: string
      readonly size: number
      readonly members: readonly BtfMember[]
    }
  | {
      readonly kind: 'enum' | 'enum64'
      readonly id: number
      readonly name: string
      readonly size: number
      readonly signed: boolean
      readonly values: readonly { readonly name: string; readonly value: bigint }[]
    }
  | { readonly kind: 'fwd'; readonly id: number; readonly name: string; readonly union: boolean }
  | {
      readonly kind: 'typedef' | 'volatile' | 'const' | 'restrict' | 'type_tag'
      readonly id: number
      readonly name: string
      readonly type: number
    }
  | {
      readonly kind: 'func'
      readonly id: number
      readonly name: string
      readonly type: number
      readonly linkage: 'static' | 'global' | 'extern'
    }
  | {
      readonly kind: 'func_proto'
      readonly id: number
      readonly name: ''
      readonly returnType: number
      readonly params: readonly BtfParam[]
    }
  | {
      readonly kind: 'var'
      readonly id: number
      readonly name: string
      readonly type: number
      readonly linkage: 'static' | 'global' | 'extern'
    }
  | {
      readonly kind: 'datasec'
      readonly id: number
      readonly name: string
      readonly size: number
      readonly vars: readonly BtfSectionVar[]
    }
  | { readonly kind: 'float'; readonly id: number; readonly name: string; readonly size: number }
  | {
      readonly kind: 'decl_tag'
      readonly id: number
      readonly name: string
      readonly type: number
      /** -1 tags the type itself, else the index of the member or parameter. */
      readonly component: number
    }

/** The kinds of BTF, in the kernel's words. */
export type BtfKind = BtfType['kind']

/** A parsed BTF blob: reading it is pure, and every id in it is known to lie inside. */
export interface Btf {
  /** All types, index = id; `types[0]` is void. A split BTF counts on from its base. */
  readonly types: readonly BtfType[]
  /** The type with this id. Throws `ParseError` (`btf-bad-id`) where there is none. */
  type(id: number): BtfType
  /** Ids of all types of that name (and kind, if given), in order. */
  find(name: string, kind?: BtfKind): readonly number[]
  /** Follows typedef, const, volatile, restrict and type_tag to the type that they stand for. */
  resolve(id: number): BtfType
  /** Size in bytes; throws `BpfError` (`btf-no-size`) for void, functions and forward declarations. */
  sizeOf(id: number): number
  /** The text at an offset of the string section (a base's strings come first). Throws `ParseError` (`btf-bad-string`). */
  string(offset: number): string
  /** Length of the string section, the base's included: where a split BTF's own strings begin. */
  readonly stringsEnd: number
  /** The base that a split BTF stands on. */
  readonly base: Btf | undefined
  /** Id of the first type of this blob: 1, or the number of types in the base. */
  readonly firstId: number
  /** The blob that was parsed, for handing to the kernel. */
  readonly raw: Uint8Array
}
