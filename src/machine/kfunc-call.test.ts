import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { valueCodec } from '../btf/values.js'
import { parseObject } from '../object/index.js'
import { type Kfunc, type KfuncPointer, kfunc } from './kfunc.js'
import { callKfunc, type KfuncMemory, planKfunc } from './kfunc-call.js'
import { withNames } from './prototype.js'

const object = parseObject(new Uint8Array(readFileSync(new URL('testdata/kfunc.bpf.o', import.meta.url))))

function plan(name: string, declared: Kfunc) {
  const { btf } = object
  const [id] = btf?.find(name, 'func') ?? []
  if (!btf || id === undefined) throw new Error(`no ${name}`)
  const { parameters } = declared.flags
  const prototype = parameters ? withNames({ btf, func: id }, name, parameters) : { btf, func: id }
  return planKfunc(name, declared, prototype.btf, prototype.func, (type) => valueCodec(btf, type))
}

function memoryOf(bytes: Uint8Array): KfuncMemory {
  return {
    read: (address, size) => bytes.slice(address, address + size),
    write: (address, written) => bytes.set(written, address),
    map: () => undefined,
  }
}

function call(name: string, declared: Kfunc, registers: bigint[], memory = new Uint8Array(64)) {
  const started = callKfunc(plan(name, declared), declared, registers, memoryOf(memory))
  return { r0: started.finish(started.result), memory }
}

it('passes scalars by their type in BTF and cuts the result to its size', () => {
  const seen: unknown[] = []
  const sum = kfunc({}, (...args: [bigint, number, boolean]) => {
    seen.push(...args)
    return -1n
  })
  expect(call('test_sum', sum, [2n ** 64n - 1n, 0x1_ffff_fffbn, 0x101n]).r0).toBe(2n ** 64n - 1n)
  expect(seen).toEqual([2n ** 64n - 1n, -5, true])
  expect(
    call(
      'test_wait',
      kfunc({}, () => -22),
      [0n],
    ).r0,
  ).toBe(0xffff_ffean)
})

const sized = { parameters: ['buf', 'buf__sz'] }

it('lends a buffer with its size and writes back only what was changed', () => {
  const memory = Uint8Array.from({ length: 64 }, (_, i) => i)
  const fill = kfunc(sized, (buffer: Uint8Array, size: number) => {
    expect([...buffer]).toEqual([8, 9, 10, 11])
    memory[11] = 99 // somebody else, meanwhile
    buffer[1] = 0x55
    return size
  })
  expect(call('test_fill', fill, [8n, 4n], memory).r0).toBe(4n)
  expect([...memory.subarray(7, 13)]).toEqual([7, 8, 0x55, 10, 99, 12])
  expect(
    call(
      'test_fill',
      kfunc(sized, (buffer: null) => (buffer === null ? 1 : 0)),
      [0n, 4n],
    ).r0,
  ).toBe(1n)
})

it('gives typed pointers as values and leaves what points to const alone', () => {
  const memory = new Uint8Array(new Int32Array([0, 0, 1, 2, 10, 20]).buffer)
  const move = kfunc({}, (p: KfuncPointer, by: KfuncPointer) => {
    const [a, b] = [p.value as { x: number; y: number }, by.value as { x: number; y: number }]
    p.value = { x: a.x + b.x, y: a.y + b.y }
    by.value = { x: 0, y: 0 }
    return 0
  })
  call('test_move', move, [8n, 16n], memory)
  expect([...new Int32Array(memory.buffer)]).toEqual([0, 0, 11, 22, 10, 20])
})

it('refuses at load what BTF and the function disagree about, and at run time a result that does not fit', () => {
  const three = kfunc({}, (_a: number, _b: number, _c: number) => 0)
  expect(() => plan('test_wait', three)).toThrow(/kfunc test_wait: the function takes 3 arguments.*has 1/)
  expect(() =>
    call(
      'test_wait',
      kfunc({}, () => 1.5),
      [0n],
    ),
  ).toThrow(expect.objectContaining({ code: 'kfunc-result' }))
  expect(() =>
    call(
      'test_wait',
      kfunc({}, () => undefined),
      [0n],
    ),
  ).toThrow(/must return a whole number/)
  expect(() =>
    call(
      'test_fill',
      kfunc({}, () => 0),
      [1n << 40n, 1n],
    ),
  ).toThrow(expect.objectContaining({ code: 'bad-address' }))
})
