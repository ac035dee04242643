/**
 * Types as C spells them: `struct foo *`, `int (*handler)(void *, int)`. A declaration is built from the name outwards,
 * as a compiler reads it. What stands between the braces of an anonymous struct is the business of the caller: messages
 * leave it out, a dump writes it down.
 */
import { BpfError } from '../bits/index.js'
import { isModifier } from './kinds.js'
import type { Btf, BtfType } from './types.js'

/** How the base of a declaration is written: a struct, an enum, a typedef, an int. */
export type BaseSpeller = (type: BtfType) => string

/** A declaration of `name` (may be '') with this type, in C. */
export function declare(btf: Btf, id: number, name: string, base: BaseSpeller = baseName): string {
  return declarator(btf, id, name, [], base)
}

/** The type's name in C: `const char *`, `struct bpf_wq`, `int (*)(int)`. */
export function typeName(btf: Btf, id: number): string {
  return declare(btf, id, '')
}

/**
 * The prototype of a function by its FUNC: `int bpf_wq_start(struct bpf_wq *wq, unsigned int flags)`. Throws `BpfError`
 * (`btf-not-a-function`).
 */
export function functionPrototype(btf: Btf, id: number): string {
  const type = btf.type(id)
  if (type.kind !== 'func') throw new BpfError('btf-not-a-function', `[${id}] is a ${type.kind}`)
  return declare(btf, type.type, type.name)
}

/** Names a type without what is inside; nameless ones say so. */
export function baseName(type: BtfType): string {
  switch (type.kind) {
    case 'void':
      return 'void'
    case 'struct':
    case 'union':
      return `${type.kind} ${type.name || '(anonymous)'}`
    case 'enum':
    case 'enum64':
      return `enum ${type.name || '(anonymous)'}`
    case 'fwd':
      return `${type.union ? 'union' : 'struct'} ${type.name}`
    default:
      return type.name
  }
}

/** `qualifiers` still want a place: on a pointer after its star, on an array with its elements, else before the base. */
function declarator(btf: Btf, id: number, inner: string, qualifiers: readonly string[], base: BaseSpeller): string {
  const type = btf.type(id)
  switch (type.kind) {
    case 'const':
    case 'volatile':
    case 'restrict': {
      const more = qualifiers.includes(type.kind) ? qualifiers : [...qualifiers, type.kind]
      return declarator(btf, type.type, inner, more, base)
    }
    case 'type_tag':
      return declarator(btf, type.type, join(`__attribute__((btf_type_tag("${type.name}")))`, inner), qualifiers, base)
    case 'ptr': {
      const star = `*${join(qualifiers.join(' '), inner)}`
      return declarator(btf, type.type, needsParentheses(btf, type.type) ? `(${star})` : star, [], base)
    }
    case 'array':
      return declarator(btf, type.type, `${inner}[${type.length}]`, qualifiers, base)
    case 'func_proto': {
      const params = type.params.map((param, i) =>
        i === type.params.length - 1 && param.type === 0 && param.name === ''
          ? '...'
          : declarator(btf, param.type, param.name, [], base),
      )
      return declarator(btf, type.returnType, `${inner}(${params.join(', ') || 'void'})`, [], base)
    }
    case 'func':
      return declarator(btf, type.type, inner || type.name, [], base)
    case 'var':
      return declarator(btf, type.type, inner || type.name, qualifiers, base)
    default:
      // `restrict` is for pointers only.
      return join(...qualifiers.filter((word) => word !== 'restrict'), base(type), inner)
  }
}

function needsParentheses(btf: Btf, id: number): boolean {
  let type = btf.type(id)
  while (isModifier(type) && type.kind !== 'typedef') type = btf.type(type.type)
  return type.kind === 'array' || type.kind === 'func_proto'
}

function join(...words: readonly string[]): string {
  return words.filter((word) => word !== '').join(' ')
}
