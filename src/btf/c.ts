/**
 * BTF as C declarations, in the shape of `bpftool btf dump format c`: everything that is contained by value stands before
 * what contains it, the rest is declared forward, and the result compiles with clang to the same layout. A name that
 * occurs twice gets `___2`, which CO-RE ignores.
 */
import { BpfError } from '../bits/index.js'
import { type Alignment, alignments, isPacked, naturalOffset, padding, roundUp } from './c-layout.js'
import { baseName, declare } from './c-names.js'
import type { BtfTypeOf } from './kinds.js'
import type { Btf, BtfType } from './types.js'

type Struct = BtfTypeOf<'struct'>
type Enum = BtfTypeOf<'enum'>

/** Members that one dump may write: three times what the kernel's own BTF needs. Nested anonymous structs can double. */
const MOST_MEMBERS = 500_000
const DEEPEST_ANONYMOUS = 64
/** clang knows these itself (and for BPF gives them another size than the kernel's compiler did). */
const BUILTIN = new Set(['__builtin_va_list'])

/** Options of {@link cDeclarations}. */
export interface CDeclarationOptions {
  /** Only these types and what they need; default: all. */
  ids?: Iterable<number>
}

/**
 * C declarations of all structs, unions, enums and typedefs. Throws `BpfError` (`btf-too-long`) where anonymous structs
 * nest so that the text would explode.
 */
export function cDeclarations(btf: Btf, options: CDeclarationOptions = {}): string {
  const dump = dumper(btf)
  for (const id of options.ids ?? btf.types.keys()) dump.emit(id)
  return dump.text()
}

interface Dumper {
  emit(id: number): void
  text(): string
}

function dumper(btf: Btf): Dumper {
  const out: string[] = []
  const defined = new Set<number>()
  const emitted = new Set<number>()
  const declaredForward = new Set<string>()
  const walkedWeakly = new Set<number>()
  const alignOf = alignments(btf)
  const names = spellings(btf)
  const body = bodies(btf, names, alignOf)

  const forward = (word: 'struct' | 'union', name: string): void => {
    const line = `${word} ${name};`
    if (!declaredForward.has(line)) out.push(line, '')
    declaredForward.add(line)
  }
  /** Makes a type usable: complete (`whole`), or just known by name, which is enough behind a pointer. */
  const need = (id: number, whole: boolean): void => {
    if (defined.has(id) && (whole || emitted.has(id) || btf.type(id).name === '')) return
    if (!whole && walkedWeakly.has(id)) return
    const type = btf.type(id)
    switch (type.kind) {
      case 'ptr':
        need(type.type, false)
        return
      case 'const':
      case 'volatile':
      case 'restrict':
      case 'type_tag':
      case 'var':
        need(type.type, whole)
        return
      case 'array':
        need(type.type, true)
        return
      case 'func':
        need(type.type, false)
        return
      case 'func_proto':
        need(type.returnType, false)
        for (const param of type.params) need(param.type, false)
        return
      case 'fwd':
        forward(type.union ? 'union' : 'struct', names(type))
        return
      case 'enum':
      case 'enum64':
        if (type.name === '') return
        defined.add(id)
        emitted.add(id)
        out.push(`${body(type)};`, '')
        return
      case 'typedef':
        needTypedef(type, whole)
        return
      case 'struct':
      case 'union':
        needStruct(type, whole)
        return
      default:
        return
    }
  }
  const needTypedef = (type: BtfTypeOf<'typedef'>, whole: boolean): void => {
    need(type.type, whole)
    if (walkedWeakly.has(type.id) || BUILTIN.has(type.name)) return
    walkedWeakly.add(type.id)
    out.push(`typedef ${declare(btf, type.type, names(type), body.base)};`, '')
  }
  const needStruct = (type: Struct, whole: boolean): void => {
    if (type.name !== '' && !whole) {
      forward(type.kind, names(type))
      return
    }
    defined.add(type.id)
    for (const member of type.members) need(member.type, true)
    if (type.name === '') return
    out.push(`${body(type)};`, '')
    emitted.add(type.id)
    declaredForward.add(`${type.kind} ${names(type)};`)
  }
  return {
    emit(id) {
      const type = btf.type(id)
      const open = type.name === '' && (type.kind === 'enum' || type.kind === 'enum64')
      if (open && !defined.has(id)) {
        defined.add(id)
        if (!names.usedInside.has(id)) out.push(`${body(type)};`, '')
      } else if (type.name !== '' && DUMPED.has(type.kind)) need(id, true)
    },
    text: () => (out.length ? `${out.join('\n').trimEnd()}\n` : ''),
  }
}

const DUMPED: ReadonlySet<BtfType['kind']> = new Set(['struct', 'union', 'enum', 'enum64', 'typedef', 'fwd'])

/** Spells types whose name may have been taken before. */
interface Spelling {
  (type: BtfType): string
  /** An enumerator's name. */
  constant(type: Enum, index: number): string
  /** Anonymous enums that another type writes out. */
  readonly usedInside: ReadonlySet<number>
}

/** Gives every definition its name: the first keeps it, others get a suffix. Tags and other names are apart, as in C. */
function spellings(btf: Btf): Spelling {
  const tags = new Map<string, number>()
  const ordinary = new Map<string, number>()
  const given = new Map<number, string>()
  const constants = new Map<number, string[]>()
  const usedInside = new Set<number>()
  const unique = (taken: Map<string, number>, name: string): string => {
    const count = (taken.get(name) ?? 0) + 1
    taken.set(name, count)
    return count === 1 ? name : `${name}___${count}`
  }
  for (const type of btf.types) {
    if (type.kind === 'struct' || type.kind === 'union' || type.kind === 'enum' || type.kind === 'enum64') {
      if (type.name) given.set(type.id, unique(tags, type.name))
    } else if (type.kind === 'typedef') given.set(type.id, unique(ordinary, type.name))
    if (type.kind === 'struct' || type.kind === 'union') {
      for (const member of type.members) noteEnum(btf, member.type, usedInside)
    } else if (type.kind === 'typedef') noteEnum(btf, type.type, usedInside)
    if (type.kind === 'enum' || type.kind === 'enum64') {
      const own = type.values.map((value) => unique(ordinary, value.name))
      constants.set(type.id, own)
    }
  }
  const spell = (type: BtfType): string => given.get(type.id) ?? type.name
  return Object.assign(spell, {
    constant: (type: Enum, index: number) => constants.get(type.id)?.[index] ?? '',
    usedInside,
  })
}

/** An anonymous enum behind a member or typedef is written there and not on its own. */
function noteEnum(btf: Btf, id: number, into: Set<number>): void {
  let type = btf.type(id)
  while (type.kind === 'array' || type.kind === 'const' || type.kind === 'volatile' || type.kind === 'ptr') {
    type = btf.type(type.type)
  }
  if ((type.kind === 'enum' || type.kind === 'enum64') && type.name === '') into.add(type.id)
}

/** Writes a type with what is between its braces. */
interface Body {
  (type: BtfType, depth?: number): string
  /** Names named types, writes anonymous ones out. */
  base(type: BtfType): string
}

function bodies(btf: Btf, names: Spelling, alignOf: Alignment): Body {
  let written = 0
  const base = (type: BtfType, depth: number): string => {
    if (type.name !== '') return baseName({ ...type, name: names(type) } as BtfType)
    return COMPOSITE.has(type.kind) ? body(type, depth + 1) : baseName(type)
  }
  const body = (type: BtfType, depth = 0): string => {
    if (depth > DEEPEST_ANONYMOUS) throw tooLong(type)
    if (type.kind === 'enum' || type.kind === 'enum64') return enumBody(type, depth)
    if (type.kind !== 'struct' && type.kind !== 'union') return base(type, depth)
    return structBody(type, depth)
  }
  const enumBody = (type: Enum, depth: number): string => {
    written += type.values.length
    if (written > MOST_MEMBERS) throw tooLong(type)
    const head = type.name ? `enum ${names(type)}` : 'enum'
    if (type.values.length === 0) return type.name ? head : `${head} { __EMPTY_${type.id} }`
    const tabs = '\t'.repeat(depth + 1)
    const lines = type.values.map(({ value }, i) => `${tabs}${names.constant(type, i)} = ${constant(value, type)},`)
    const wide = type.values.some(({ value }) => value > 0xffffffffn || value < -0x80000000n)
    const mode =
      type.size < 4 ? ' __attribute__((packed))' : type.size === 8 && !wide ? ' __attribute__((mode(word)))' : ''
    return `${head} {\n${lines.join('\n')}\n${'\t'.repeat(depth)}}${mode}`
  }
  const structBody = (type: Struct, depth: number): string => {
    const union = type.kind === 'union'
    const packed = isPacked(btf, type, alignOf)
    const tabs = '\t'.repeat(depth + 1)
    const lines: string[] = []
    let end = 0
    for (const member of type.members) {
      if (++written > MOST_MEMBERS) throw tooLong(type)
      if (!union && naturalOffset(btf, member, end, packed, alignOf) < member.bitOffset) {
        lines.push(...padding(end, member.bitOffset))
      }
      const field = member.bitSize ? `: ${member.bitSize}` : ''
      lines.push(`${declare(btf, member.type, member.name, (of) => base(of, depth))}${field};`)
      const width = member.bitSize || btf.sizeOf(member.type) * 8
      end = union ? Math.max(end, width) : member.bitOffset + width
    }
    const whole = packed ? roundUp(end, 8) : roundUp(end, alignOf(type.id) * 8)
    if (whole < type.size * 8) {
      if (union) lines.push(`unsigned char __size[${type.size}];`)
      else lines.push(...padding(end, type.size * 8))
    }
    const head = type.name ? `${type.kind} ${names(type)}` : type.kind
    const text = lines.length ? `{\n${lines.map((line) => tabs + line).join('\n')}\n${'\t'.repeat(depth)}}` : '{}'
    return `${head} ${text}${packed ? ' __attribute__((packed))' : ''}`
  }
  return Object.assign(body, { base: (type: BtfType) => base(type, -1) })
}

const COMPOSITE: ReadonlySet<BtfType['kind']> = new Set(['struct', 'union', 'enum', 'enum64'])

function constant(value: bigint, type: Enum): string {
  if (type.kind === 'enum') return String(value)
  return value < 0n ? `${value}LL` : `${value}ULL`
}

function tooLong(type: BtfType): BpfError {
  return new BpfError('btf-too-long', 'anonymous types nest so that their text in C would not end', {
    place: `BTF type [${type.id}]`,
  })
}
