import { expect, it } from 'vitest'
import { type BtfBuilder, btfBuilder, parseBtf, specialFields } from './index.js'

interface Kit {
  readonly b: BtfBuilder
  readonly u64: number
  readonly wq: number
  readonly timer: number
  readonly lock: number
}

/** What is found in the type that `make` builds: `kind@offset`, or the errno that Linux keeps to itself. */
function found(make: (kit: Kit) => number): string {
  const b = btfBuilder()
  const u64 = b.int('unsigned long long', 8)
  const cell = (name: string) => b.struct(name, 16, [['__opaque', b.array(u64, 2), 0]])
  const lock = b.struct('bpf_spin_lock', 4, [['val', b.int('unsigned int', 4), 0]])
  const id = make({ b, u64, wq: cell('bpf_wq'), timer: cell('bpf_timer'), lock })
  const { fields, swallowed } = specialFields(parseBtf(b.finish()), id)
  return swallowed?.errno ?? fields.map(({ kind, offset, size }) => `${kind}@${offset}+${size}`).join(' ')
}

it('2.5: finds a direct member, a nested one, an array of one, and several kinds side by side', () => {
  expect(
    found(({ b, u64, wq }) =>
      b.struct('v', 24, [
        ['n', u64, 0],
        ['w', wq, 8],
      ]),
    ),
  ).toBe('bpf_wq@8+16')
  expect(
    found(({ b, u64, wq }) => {
      const inner = b.struct('inner', 24, [
        ['n', u64, 0],
        ['w', wq, 8],
      ])
      return b.struct('v', 32, [
        ['n', u64, 0],
        ['i', inner, 8],
      ])
    }),
  ).toBe('bpf_wq@16+16')
  expect(found(({ b, wq }) => b.struct('v', 16, [['w', b.array(wq, 1), 0]]))).toBe('bpf_wq@0+16')
  expect(
    found(({ b, wq, timer, lock }) =>
      b.struct('v', 40, [
        ['l', lock, 0],
        ['w', wq, 24],
        ['t', timer, 8],
      ]),
    ),
  ).toBe('bpf_spin_lock@0+4 bpf_timer@8+16 bpf_wq@24+16')
})

it('2.5: finds a global variable of that type, by its place in the section', () => {
  expect(
    found(({ b, u64, wq }) => {
      const vars = [
        { type: b.add({ kind: 'var', name: 'n', type: u64, linkage: 'global' }), offset: 0, size: 8 },
        { type: b.add({ kind: 'var', name: 'w', type: wq, linkage: 'global' }), offset: 8, size: 16 },
      ]
      return b.add({ kind: 'datasec', name: '.bss', size: 24, vars })
    }),
  ).toBe('bpf_wq@8+16')
})

it.each<[string, (kit: Kit) => number]>([
  ['the value type itself', ({ wq }) => wq],
  ['at 4 mod 8', ({ b, wq }) => b.struct('v', 24, [['w', wq, 4]])],
  [
    'inside a union',
    ({ b, wq }) =>
      b.struct('v', 16, [
        [
          'u',
          b.add({ kind: 'union', name: 'u', size: 16, members: [{ name: 'w', type: wq, bitOffset: 0, bitSize: 0 }] }),
          0,
        ],
      ]),
  ],
  [
    'behind a typedef',
    ({ b, wq }) => b.struct('v', 16, [['w', b.add({ kind: 'typedef', name: 'wq_t', type: wq }), 0]]),
  ],
  ['const', ({ b, wq }) => b.struct('v', 16, [['w', b.add({ kind: 'const', name: '', type: wq }), 0]])],
  ['a pointer', ({ b, wq }) => b.struct('v', 8, [['w', b.pointer(wq), 0]])],
  ['an array of none', ({ b, wq }) => b.struct('v', 16, [['w', b.array(wq, 0), 0]])],
  [
    'a struct of that name and another size',
    ({ b, u64 }) => b.struct('v', 8, [['w', b.struct('bpf_wq', 8, [['x', u64, 0]]), 0]]),
  ],
  ['a value that is no struct', ({ u64 }) => u64],
  ['no type at all', () => 9999],
])('2.5: does not recognise %s', (_, make) => {
  expect(found(make)).toBe('')
})

it('2.5: has no field where Linux swallows an error: twice, in an array of two, overlapping', () => {
  expect(
    found(({ b, wq }) =>
      b.struct('v', 32, [
        ['a', wq, 0],
        ['b', wq, 16],
      ]),
    ),
  ).toBe('E2BIG')
  expect(found(({ b, wq }) => b.struct('v', 32, [['a', b.array(wq, 2), 0]]))).toBe('EINVAL')
  expect(found(({ b, wq }) => b.struct('v', 32, [['a', b.array(b.struct('i', 16, [['w', wq, 0]]), 2), 0]]))).toBe(
    'EINVAL',
  )
  expect(
    found(({ b, wq, timer }) =>
      b.struct('v', 24, [
        ['a', wq, 0],
        ['b', timer, 8],
      ]),
    ),
  ).toBe('EEXIST')
})

it('2.5: takes the last of two that hide in different structs, as 6.18 does', () => {
  expect(
    found(({ b, u64, wq }) => {
      const one = b.struct('one', 16, [['w', wq, 0]])
      const two = b.struct('two', 24, [
        ['n', u64, 0],
        ['w', wq, 8],
      ])
      return b.struct('v', 40, [
        ['a', one, 0],
        ['b', two, 16],
      ])
    }),
  ).toBe('bpf_wq@24+16')
})

it('names kernel pointers by their tags and counts an array of them', () => {
  expect(
    found(({ b }) => {
      const task = b.add({ kind: 'fwd', name: 'task_struct', union: false })
      const kptr = b.pointer(b.add({ kind: 'type_tag', name: 'kptr', type: task }))
      const rcu = b.pointer(b.add({ kind: 'type_tag', name: 'rcu', type: task }))
      return b.struct('v', 32, [
        ['r', rcu, 0],
        ['k', kptr, 8],
        ['more', b.array(kptr, 2), 16],
      ])
    }),
  ).toBe('kptr@8+8 kptr@16+8 kptr@24+8')
})
