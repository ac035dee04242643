/**
 * What a kfunc's BTF prototype says about its parameters. Linux reads conventions out of parameter names: `p__map` is a map,
 * `buf__sz` the size of the parameter before it, `aux__prog` is filled in by the verifier (wq-semantics 3.3). Names in the
 * program's own declaration count only for kfuncs that the kernel does not have: those of the user.
 */
import type { Btf, BtfType } from '../../btf/index.js'
import type { KfuncRow } from '../../profile/index.js'

/** A parameter: the C type behind qualifiers and typedefs, and what it points to. */
export interface KfuncParam {
  readonly name: string
  readonly type: BtfType
  /** What a pointer points to, behind qualifiers and typedefs. */
  readonly target: BtfType | undefined
}

/** A kfunc's prototype, read. */
export interface KfuncPrototype {
  readonly btf: Btf
  readonly params: readonly KfuncParam[]
  readonly returns: BtfType
}

const prototypes = new WeakMap<KfuncRow, KfuncPrototype | undefined>()

/** The prototype; `undefined` where the row's type is no function. */
export function kfuncPrototype(row: KfuncRow): KfuncPrototype | undefined {
  if (!prototypes.has(row)) prototypes.set(row, readPrototype(row))
  return prototypes.get(row)
}

function readPrototype(row: KfuncRow): KfuncPrototype | undefined {
  const { btf, func } = row.types()
  const type = btf.type(func)
  const proto = type.kind === 'func' ? btf.type(type.type) : type
  if (proto.kind !== 'func_proto') return undefined
  const params = proto.params.map(({ name, type: id }): KfuncParam => {
    const resolved = btf.resolve(id)
    return { name, type: resolved, target: resolved.kind === 'ptr' ? btf.resolve(resolved.type) : undefined }
  })
  return { btf, params, returns: btf.resolve(proto.returnType) }
}

/** Whether a parameter's name ends in this convention: `hasSuffix(param, '__map')`. */
export function hasSuffix({ name }: KfuncParam, suffix: string): boolean {
  return name.length > suffix.length && name.endsWith(suffix)
}

/** Whether values of the type are numbers to the verifier. */
export function isScalarType(type: BtfType): boolean {
  return type.kind === 'int' || type.kind === 'enum' || type.kind === 'enum64'
}

/** A struct made of numbers, arrays of numbers and such structs: memory that may be filled with anything. */
export function isScalarStruct(btf: Btf, type: BtfType, depth = 0): boolean {
  if (type.kind !== 'struct' || depth > 3) return false
  return type.members.every((member) => {
    let inner = btf.resolve(member.type)
    if (inner.kind === 'struct') return isScalarStruct(btf, inner, depth + 1)
    if (inner.kind === 'array') inner = btf.resolve(inner.type)
    return isScalarType(inner)
  })
}

/** `struct`, `union`, …: how messages call a kind of type. */
export function kindName(type: BtfType): string {
  const names: Partial<Record<BtfType['kind'], string>> = {
    void: 'UNKNOWN',
    int: 'INT',
    ptr: 'PTR',
    array: 'ARRAY',
    fwd: 'FWD',
  }
  return names[type.kind] ?? type.kind.toUpperCase()
}
