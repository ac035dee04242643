import { expect, it } from 'vitest'
import { btfBuilder, cDeclarations, declare, functionPrototype, parseBtf, typeName } from './index.js'

function kit() {
  const b = btfBuilder()
  const int = b.int('int', 4, { signed: true })
  const char = b.int('char', 1, { signed: true })
  const qualified = (kind: 'const' | 'volatile', type: number) => b.add({ kind, name: '', type })
  const proto = (returnType: number, ...params: [string, number][]) =>
    b.add({ kind: 'func_proto', name: '', returnType, params: params.map(([name, type]) => ({ name, type })) })
  const alias = (name: string, type: number) => b.add({ kind: 'typedef', name, type })
  return { b, int, char, qualified, proto, alias, done: () => parseBtf(b.finish()) }
}

it('names types as C does, from the name outwards', () => {
  const { b, int, char, qualified, proto, alias, done } = kit()
  const text = b.pointer(qualified('const', char))
  const callback = b.pointer(proto(int, ['map', b.pointer(0)], ['key', b.pointer(int)]))
  const table = b.array(b.array(int, 3), 2)
  const tagged = b.pointer(
    b.add({ kind: 'type_tag', name: 'kptr', type: b.add({ kind: 'fwd', name: 'task_struct', union: false }) }),
  )
  const ids = {
    text,
    fixed: qualified('const', b.pointer(int)),
    names: qualified('const', b.array(text, 4)),
    callback,
    callbacks: b.array(callback, 5),
    row: b.pointer(table),
    log: proto(0, ['fmt', text], ['', 0]),
    plain: proto(int),
    size: alias('size_t', b.int('unsigned long', 8)),
    tagged,
  }
  const btf = done()
  expect(Object.fromEntries(Object.entries(ids).map(([name, id]) => [name, declare(btf, id, name)]))).toEqual({
    text: 'const char *text',
    fixed: 'int *const fixed',
    names: 'const char *const names[4]',
    callback: 'int (*callback)(void *map, int *key)',
    callbacks: 'int (*callbacks[5])(void *map, int *key)',
    row: 'int (*row)[2][3]',
    log: 'void log(const char *fmt, ...)',
    plain: 'int plain(void)',
    size: 'size_t size',
    tagged: 'struct task_struct __attribute__((btf_type_tag("kptr"))) *tagged',
  })
  expect(typeName(btf, callback)).toBe('int (*)(void *map, int *key)')
})

it('spells the prototype of a kfunc', () => {
  const { b, int, proto, done } = kit()
  const wq = b.pointer(b.add({ kind: 'fwd', name: 'bpf_wq', union: false }))
  const start = b.add({
    kind: 'func',
    name: 'bpf_wq_start',
    type: proto(int, ['wq', wq], ['flags', b.int('unsigned int', 4)]),
    linkage: 'extern',
  })
  const btf = done()
  expect(functionPrototype(btf, start)).toBe('int bpf_wq_start(struct bpf_wq *wq, unsigned int flags)')
  expect(() => functionPrototype(btf, int)).toThrow(expect.objectContaining({ code: 'btf-not-a-function' }))
})

it('puts what is contained before what contains it, and only declares what is pointed to', () => {
  const { b, int, alias, done } = kit()
  const list = b.reserve()
  const list_t = alias('list_t', list)
  const item = b.struct('item', 4, [['n', int, 0]])
  b.define(list, {
    kind: 'struct',
    name: 'list',
    size: 24,
    members: [
      { name: 'next', type: b.pointer(list_t), bitOffset: 0, bitSize: 0 },
      { name: 'item', type: item, bitOffset: 64, bitSize: 0 },
      {
        name: 'owner',
        type: b.pointer(b.add({ kind: 'fwd', name: 'owner', union: false })),
        bitOffset: 128,
        bitSize: 0,
      },
    ],
  })
  expect(cDeclarations(done())).toBe(`struct list;

typedef struct list list_t;

struct item {
	int n;
};

struct owner;

struct list {
	list_t *next;
	struct item item;
	struct owner *owner;
};
`)
})

it('makes a compiler lay it out alike: padding, packed, bit fields, the end', () => {
  const { b, int, char, done } = kit()
  b.struct('gap', 16, [
    ['a', char, 0],
    ['b', int, 8],
  ])
  b.struct('tight', 5, [
    ['a', char, 0],
    ['b', int, 1],
  ])
  b.add({
    kind: 'struct',
    name: 'bits',
    size: 4,
    members: [
      { name: 'a', type: int, bitOffset: 0, bitSize: 3 },
      { name: 'b', type: int, bitOffset: 13, bitSize: 5 },
    ],
  })
  expect(cDeclarations(done())).toBe(
    `struct gap {
	char a;
	char: 8;
	short: 16;
	int: 32;
	int b;
	int: 32;
};

struct tight {
	char a;
	int b;
} __attribute__((packed));

struct bits {
	int a: 3;
	char: 5;
	char: 5;
	int b: 5;
};
`,
  )
})

it('gives a second definition of a name a suffix that CO-RE ignores, and writes anonymous types where they are used', () => {
  const { b, int, done } = kit()
  const choice = b.add({ kind: 'enum', name: '', size: 4, signed: false, values: [{ name: 'ON', value: 1n }] })
  const inner = b.add({
    kind: 'union',
    name: '',
    size: 4,
    members: [
      { name: 'x', type: int, bitOffset: 0, bitSize: 0 },
      { name: 'mode', type: choice, bitOffset: 0, bitSize: 0 },
    ],
  })
  b.struct('twin', 4, [['', inner, 0]])
  b.struct('twin', 8, [
    ['a', int, 0],
    ['b', int, 4],
  ])
  expect(cDeclarations(done())).toBe(`struct twin {
	union {
		int x;
		enum {
			ON = 1,
		} mode;
	};
};

struct twin___2 {
	int a;
	int b;
};
`)
})

it('stops where anonymous types would double without end', { timeout: 60_000 }, () => {
  const { b, int, done } = kit()
  let inner = int
  for (let i = 0; i < 25; i++)
    inner = b.pointer(
      b.struct('', 16, [
        ['a', inner, 0],
        ['b', inner, 8],
      ]),
    )
  b.struct('outer', 8, [['top', inner, 0]])
  expect(() => cDeclarations(done())).toThrow(expect.objectContaining({ code: 'btf-too-long' }))
})
