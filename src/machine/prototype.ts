/** Prototypes of kfuncs in BTF: naming the parameters that clang left nameless, and libbpf's test for compatibility. */
import { BpfError } from '../bits/index.js'
import type { Btf, BtfType } from '../btf/index.js'

/** A FUNC and the BTF that it is in. */
export interface Prototype {
  readonly btf: Btf
  readonly func: number
}

type FuncProto = Extract<BtfType, { kind: 'func_proto' }>

/** The FUNC_PROTO of a FUNC. Throws `BpfError` (`kfunc-prototype`). */
export function protoOf({ btf, func }: Prototype, name: string): FuncProto {
  const type = btf.type(func)
  const proto = type.kind === 'func' ? btf.type(type.type) : type
  if (proto.kind === 'func_proto') return proto
  throw new BpfError('kfunc-prototype', 'its declaration is no function', { place: `kfunc ${name}` })
}

/**
 * The same prototype with names for its parameters: a BTF of two types more. Throws `BpfError` (`kfunc-prototype`) where the
 * numbers differ.
 */
export function withNames(prototype: Prototype, name: string, names: readonly string[]): Prototype {
  const { btf, func } = prototype
  const proto = protoOf(prototype, name)
  if (proto.params.length !== names.length) {
    throw new BpfError(
      'kfunc-prototype',
      `it has ${proto.params.length} parameters, ${names.length} names were given`,
      {
        place: `kfunc ${name}`,
      },
    )
  }
  const next = btf.types.length
  const declared = btf.type(func)
  const params = proto.params.map((param, i) => ({ ...param, name: names[i] ?? param.name }))
  const named: BtfType[] = [
    { kind: 'func', id: next, name, type: next + 1, linkage: declared.kind === 'func' ? declared.linkage : 'extern' },
    { ...proto, id: next + 1, params },
  ]
  const added = (id: number): BtfType | undefined => named[id - next]
  const larger: Btf = {
    ...btf,
    types: [...btf.types, ...named],
    type: (id) => added(id) ?? btf.type(id),
    resolve: (id) => added(id) ?? btf.resolve(id),
    find: (wanted, kind) => btf.find(wanted, kind),
    sizeOf: (id) => btf.sizeOf(id),
  }
  return { btf: larger, func: next }
}

/** Pointers are followed this deep (libbpf: 32). */
const maxDepth = 32

/**
 * Whether a program's declaration can stand for the kernel's function, as libbpf decides it: the same kinds all the way, names
 * and sizes aside (3.5).
 */
export function compatible(a: Prototype, b: Prototype, name: string): boolean {
  return sameKinds(a.btf, protoOf(a, name).id, b.btf, protoOf(b, name).id, 0)
}

function sameKinds(btfA: Btf, idA: number, btfB: Btf, idB: number, depth: number): boolean {
  if (depth > maxDepth) return false
  const [a, b] = [btfA.resolve(idA), btfB.resolve(idB)]
  if (isEnum(a) && isEnum(b)) return true
  if (a.kind === 'ptr' && b.kind === 'ptr') return sameKinds(btfA, a.type, btfB, b.type, depth + 1)
  if (a.kind === 'array' && b.kind === 'array') return sameKinds(btfA, a.type, btfB, b.type, depth + 1)
  if (a.kind === 'int' && b.kind === 'int') return a.bitOffset === 0 && b.bitOffset === 0
  if (a.kind !== 'func_proto' || b.kind !== 'func_proto') return a.kind === b.kind
  if (a.params.length !== b.params.length) return false
  const same = (x: number, y: number) => sameKinds(btfA, x, btfB, y, depth + 1)
  return a.params.every((param, i) => same(param.type, b.params[i]?.type ?? 0)) && same(a.returnType, b.returnType)
}

function isEnum({ kind }: BtfType): boolean {
  return kind === 'enum' || kind === 'enum64'
}
