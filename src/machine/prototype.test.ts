import { expect, it } from 'vitest'
import { btfBuilder, parseBtf } from '../btf/index.js'
import { compatible, type Prototype, protoOf, withNames } from './prototype.js'

type Shape = (b: ReturnType<typeof btfBuilder>) => { returns: number; params: number[] }

/** A FUNC of this shape in a BTF of its own. */
function prototype(shape: Shape): Prototype {
  const builder = btfBuilder()
  const { returns, params } = shape(builder)
  const type = builder.add({
    kind: 'func_proto',
    name: '',
    returnType: returns,
    params: params.map((param) => ({ name: '', type: param })),
  })
  const func = builder.add({ kind: 'func', name: 'f', type, linkage: 'extern' })
  return { btf: parseBtf(builder.finish()), func }
}

const kernel = prototype((b) => {
  const int = b.int('int', 4, { signed: true })
  const wq = b.add({
    kind: 'struct',
    name: 'bpf_wq',
    size: 4,
    members: [{ name: 'x', type: int, bitOffset: 0, bitSize: 0 }],
  })
  return { returns: int, params: [b.pointer(wq), b.int('unsigned int', 4), b.pointer(0)] }
})

it('takes other sizes and names, as libbpf does', () => {
  const declared = prototype((b) => {
    const long = b.int('long', 8, { signed: true })
    const mine = b.add({ kind: 'struct', name: 'mine', size: 0, members: [] })
    const alias = b.add({ kind: 'typedef', name: 'u32', type: b.int('u', 4) })
    return { returns: long, params: [b.pointer(mine), alias, b.pointer(0)] }
  })
  expect(compatible(declared, kernel, 'f')).toBe(true)
})

it.each<[string, Shape]>([
  ['a parameter less', (b) => ({ returns: b.int('int', 4), params: [b.pointer(0), b.int('u', 4)] })],
  [
    'a pointer to something else',
    (b) => ({ returns: b.int('int', 4), params: [b.pointer(b.int('x', 4)), b.int('u', 4), b.pointer(0)] }),
  ],
  ['void in place of int', (b) => ({ returns: 0, params: [b.pointer(0), b.int('u', 4), b.pointer(0)] })],
  [
    'a struct in place of void behind the pointer (3.5)',
    (b) => {
      const any = b.add({ kind: 'struct', name: 's', size: 0, members: [] })
      return { returns: b.int('int', 4), params: [b.pointer(any), b.int('u', 4), b.pointer(any)] }
    },
  ],
])('refuses %s', (_what, shape) => {
  expect(compatible(prototype(shape), kernel, 'f')).toBe(false)
})

it('names parameters without touching the BTF', () => {
  const named = withNames(kernel, 'f', ['wq', 'flags', 'aux__prog'])
  expect(protoOf(named, 'f').params.map(({ name }) => name)).toEqual(['wq', 'flags', 'aux__prog'])
  expect(protoOf(kernel, 'f').params.map(({ name }) => name)).toEqual(['', '', ''])
  expect(named.btf.resolve(protoOf(named, 'f').params[0]?.type ?? 0).kind).toBe('ptr')
  expect(() => withNames(kernel, 'f', ['one'])).toThrow(/kfunc f: it has 3 parameters, 1 names were given/)
})
