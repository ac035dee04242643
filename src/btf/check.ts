/**
 * Proves of freshly read types what everyone after relies on, as the kernel does before it takes a blob
 * (`btf_check_all_metas`, `btf_check_all_types`): every id exists and is of a kind that fits there; nothing contains
 * itself by value, and no chain of pointers, modifiers and prototypes comes back to itself; sizes fit in 32 bits;
 * members lie inside their struct. Nesting is bounded.
 *
 * Two things stay open because clang leaves them to the loader: a data section may still have size 0 and variables at
 * offset 0, and `.ksyms` lists functions beside variables.
 */
import { ParseError } from '../bits/index.js'
import { isModifier } from './kinds.js'
import type { BtfKind, BtfType } from './types.js'

/** How deep types may nest. Linux allows 32 (`MAX_RESOLVE_DEPTH`) but never resolves its own types, which go deeper. */
export const MAX_NESTING = 64
const MAX_SIZE = 0xffffffff
const POINTER_SIZE = 8
const UNSIZED = -1

/** Kinds that declare something rather than being a type; only a few places may name them. */
const DECLARATIONS: ReadonlySet<BtfKind> = new Set<BtfKind>(['func', 'var', 'datasec', 'decl_tag'])
const INT_SIZES = new Set([1, 2, 4, 8, 16])
const BIT_FIELDS: ReadonlySet<BtfKind> = new Set<BtfKind>(['int', 'enum', 'enum64'])
const FLOAT_SIZES = new Set([2, 4, 8, 12, 16])

/**
 * Checks all types from `firstId` on and gives the size of each by id, -1 where it has none. `startOf` gives a type's
 * offset in the blob, for errors. Throws `ParseError`: `btf-bad-id`, `btf-bad-kind`, `btf-bad-size`, `btf-bad-member`,
 * `btf-loop`, `btf-too-deep`.
 */
export function checkTypes(types: readonly BtfType[], firstId: number, startOf: (id: number) => number): Float64Array {
  const fail = (code: string, id: number, sentence: string): never => {
    const type = types[id]
    const place = `BTF type [${id}]${type ? ` ${type.kind} ${type.name}`.trimEnd() : ''}`
    throw new ParseError(code, sentence, startOf(id), { place })
  }
  for (let id = firstId; id < types.length; id++) checkReferences(types, id, fail)
  const sizes = measure(types, firstId, fail)
  checkChains(types, firstId, fail)
  return sizes
}

type Fail = (code: string, id: number, sentence: string) => never

/** Ids exist and are of a kind that may stand there; numbers of the type itself make sense. */
function checkReferences(types: readonly BtfType[], id: number, fail: Fail): void {
  const type = types[id] as BtfType
  const kindOf = (of: number): BtfKind =>
    types[of]?.kind ?? fail('btf-bad-id', id, `refers to type [${of}], of ${types.length}`)
  const aType = (of: number): void => {
    const kind = kindOf(of)
    if (DECLARATIONS.has(kind)) fail('btf-bad-kind', id, `uses [${of}], a ${kind}, as a type`)
  }
  switch (type.kind) {
    case 'int':
      if (!INT_SIZES.has(type.size)) fail('btf-bad-size', id, `an int of ${type.size} bytes`)
      if (type.bits === 0 || type.bits > 128 || type.bits + type.bitOffset > type.size * 8) {
        fail('btf-bad-size', id, `${type.bits} bits at bit ${type.bitOffset} of ${type.size} bytes`)
      }
      return
    case 'float':
      if (!FLOAT_SIZES.has(type.size)) fail('btf-bad-size', id, `a float of ${type.size} bytes`)
      return
    case 'enum':
    case 'enum64':
      if (!INT_SIZES.has(type.size) || type.size > 8) fail('btf-bad-size', id, `an enum of ${type.size} bytes`)
      return
    case 'ptr':
    case 'typedef':
    case 'volatile':
    case 'const':
    case 'restrict':
    case 'type_tag':
    case 'var':
      aType(type.type)
      return
    case 'array':
      aType(type.type)
      aType(type.indexType)
      return
    case 'struct':
    case 'union':
      for (const member of type.members) aType(member.type)
      return
    case 'func_proto':
      aType(type.returnType)
      for (const param of type.params) aType(param.type)
      return
    case 'func':
      if (kindOf(type.type) !== 'func_proto') fail('btf-bad-kind', id, `[${type.type}] is not a func_proto`)
      return
    case 'datasec':
      for (const { type: of, offset, size } of type.vars) {
        const kind = kindOf(of)
        if (kind !== 'var' && kind !== 'func') fail('btf-bad-kind', id, `[${of}], a ${kind}, stands in a data section`)
        if (type.size > 0 && offset + size > type.size) {
          fail('btf-bad-member', id, `[${of}] ends at ${offset + size}, the section at ${type.size}`)
        }
      }
      return
    case 'decl_tag':
      checkTag(types, id, type.type, type.component, kindOf, fail)
  }
}

function checkTag(
  types: readonly BtfType[],
  id: number,
  of: number,
  component: number,
  kindOf: (id: number) => BtfKind,
  fail: Fail,
): void {
  const kind = kindOf(of)
  if (kind === 'decl_tag' || kind === 'datasec' || kind === 'void') fail('btf-bad-kind', id, `tags [${of}], a ${kind}`)
  if (component === -1) return
  const target = types[of]
  const proto = target?.kind === 'func' ? types[target.type] : undefined
  const parts =
    target?.kind === 'struct' || target?.kind === 'union'
      ? target.members.length
      : proto?.kind === 'func_proto'
        ? proto.params.length
        : 0
  if (component < 0 || component >= parts) {
    fail('btf-bad-member', id, `tags component ${component} of [${of}], which has ${parts}`)
  }
}

/** Sizes by id, along what a type contains by value. Memoised, so linear in the blob. */
function measure(types: readonly BtfType[], firstId: number, fail: Fail): Float64Array {
  const sizes = new Float64Array(types.length)
  const heights = new Uint8Array(types.length)
  const open = new Uint8Array(types.length)

  const inside = (id: number, of: number, depth: number): number => {
    const size = visit(of, depth + 1)
    const height = (heights[of] ?? 0) + 1
    if (height > (heights[id] ?? 0)) heights[id] = height
    return size
  }
  const sizeOf = (type: BtfType, depth: number): number => {
    switch (type.kind) {
      case 'int':
      case 'float':
      case 'enum':
      case 'enum64':
      case 'datasec':
        return type.size
      case 'ptr':
        return POINTER_SIZE
      case 'typedef':
      case 'volatile':
      case 'const':
      case 'restrict':
      case 'type_tag':
      case 'var':
        return inside(type.id, type.type, depth)
      case 'array': {
        const element = inside(type.id, type.type, depth)
        if (element < 0) fail('btf-bad-size', type.id, `an array of [${type.type}], which has no size`)
        if (element * type.length > MAX_SIZE)
          fail('btf-bad-size', type.id, `${type.length} elements of ${element} bytes`)
        return element * type.length
      }
      case 'struct':
      case 'union':
        for (const { name, type: of, bitOffset, bitSize } of type.members) {
          const size = inside(type.id, of, depth)
          if (size < 0) fail('btf-bad-member', type.id, `member '${name}' has no size`)
          const width = bitSize > 0 ? bitSize : (intBits(types, of) ?? size * 8)
          if (bitOffset + width > type.size * 8) {
            fail('btf-bad-member', type.id, `member '${name}' ends at bit ${bitOffset + width} of ${type.size * 8}`)
          }
          if (!mayStartAnywhere(types, of, bitSize) && bitOffset % 8) {
            fail('btf-bad-member', type.id, `member '${name}' begins inside a byte`)
          }
          if (bitSize > 0 && !BIT_FIELDS.has(plainKind(types, of))) {
            fail('btf-bad-member', type.id, `member '${name}' is a bit field of a ${plainKind(types, of)}`)
          }
          if (bitSize > size * 8) fail('btf-bad-member', type.id, `member '${name}' has more bits than its type`)
          if (type.kind === 'union' && bitSize === 0 && bitOffset !== 0) {
            fail('btf-bad-member', type.id, `member '${name}' of a union begins at bit ${bitOffset}`)
          }
        }
        return type.size
      default:
        return UNSIZED
    }
  }
  const visit = (id: number, depth: number): number => {
    if (open[id]) return fail('btf-loop', id, 'contains itself')
    if (heights[id]) return sizes[id] ?? UNSIZED
    if (depth > MAX_NESTING) return fail('btf-too-deep', id, `nests deeper than ${MAX_NESTING}`)
    open[id] = 1
    const size = sizeOf(types[id] as BtfType, depth)
    open[id] = 0
    if (!heights[id]) heights[id] = 1
    if ((heights[id] ?? 0) > MAX_NESTING) fail('btf-too-deep', id, `nests deeper than ${MAX_NESTING}`)
    sizes[id] = size
    return size
  }
  sizes[0] = UNSIZED
  heights[0] = 1
  for (let id = firstId; id < types.length; id++) visit(id, 1)
  return sizes
}

/** The kind behind typedefs and qualifiers; called on types whose nesting is already known to end. */
function plainKind(types: readonly BtfType[], id: number): BtfKind {
  let type = types[id] as BtfType
  while (isModifier(type)) type = types[type.type] as BtfType
  return type.kind
}

function mayStartAnywhere(types: readonly BtfType[], id: number, bitSize: number): boolean {
  return bitSize > 0 || intBits(types, id) !== undefined
}

/** The width of an old-style bit field: an int that has fewer bits than its bytes could hold. */
function intBits(types: readonly BtfType[], id: number): number | undefined {
  const type = types[id]
  return type?.kind === 'int' && (type.bits !== type.size * 8 || type.bitOffset > 0)
    ? type.bits + type.bitOffset
    : undefined
}

/** What a type's name in C is made of: pointers, modifiers, elements, prototypes. No such chain may close. */
function checkChains(types: readonly BtfType[], firstId: number, fail: Fail): void {
  const heights = new Uint8Array(types.length)
  const open = new Uint8Array(types.length)
  const visit = (id: number, depth: number): number => {
    if (open[id]) return fail('btf-loop', id, 'refers to itself without a struct between')
    const known = heights[id]
    if (known) return known
    if (depth > MAX_NESTING) return fail('btf-too-deep', id, `refers on more than ${MAX_NESTING} times`)
    open[id] = 1
    const height = 1 + below(types[id] as BtfType, (of) => visit(of, depth + 1))
    open[id] = 0
    if (height > MAX_NESTING) fail('btf-too-deep', id, `refers on more than ${MAX_NESTING} times`)
    heights[id] = height
    return height
  }
  for (let id = firstId; id < types.length; id++) visit(id, 1)
}

function below(type: BtfType, visit: (id: number) => number): number {
  switch (type.kind) {
    case 'ptr':
    case 'typedef':
    case 'volatile':
    case 'const':
    case 'restrict':
    case 'type_tag':
    case 'var':
    case 'func':
    case 'array':
      return visit(type.type)
    case 'func_proto': {
      let most = visit(type.returnType)
      for (const param of type.params) most = Math.max(most, visit(param.type))
      return most
    }
    default:
      return 0
  }
}
