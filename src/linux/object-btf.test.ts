import { expect, it } from 'vitest'
import { type Btf, btfBuilder, parseBtf } from '../btf/index.js'
import { btfBlob, sanitizeBtf } from './object-btf.js'

function object(): { btf: Btf; data: number } {
  const btf = btfBuilder()
  const int = btf.int('int', 4, { signed: true })
  const proto = btf.add({ kind: 'func_proto', name: '', returnType: int, params: [{ name: '', type: int }] })
  const kfunc = btf.add({ kind: 'func', name: 'bpf_wq_start', type: proto, linkage: 'extern' })
  const variable = btf.add({ kind: 'var', name: 'counter', type: int, linkage: 'global' })
  btf.add({ kind: 'datasec', name: '.ksyms', size: 0, vars: [{ type: kfunc, offset: 0, size: 0 }] })
  const data = btf.add({ kind: 'datasec', name: '.data', size: 4, vars: [{ type: variable, offset: 0, size: 4 }] })
  return { btf: parseBtf(btf.finish()), data }
}

it('keeps every id and what maps are made of, and replaces what Linux refuses', () => {
  const { btf, data } = object()
  const clean = sanitizeBtf(btf, new Set([data]))
  expect(clean.map(({ id }) => id)).toEqual(btf.types.map(({ id }) => id))
  expect(clean[data]).toEqual(btf.type(data))
  expect(clean.some((type) => type.kind === 'datasec' && type.name === '.ksyms')).toBe(false)
  const func = clean.find((type) => type.kind === 'func')
  expect(func).toMatchObject({ name: 'bpf_wq_start', linkage: 'global' })
  const proto = clean.find((type) => type.kind === 'func_proto')
  expect(proto).toMatchObject({ params: [{ name: 'arg0' }] })
})

it('adds strings behind those of the types, each once', () => {
  const blob = btfBlob(sanitizeBtf(object().btf, new Set()))
  const first = blob.string('return 0;')
  expect(blob.string('')).toBe(0)
  expect(blob.string('heartbeat.bpf.c')).toBeGreaterThan(first)
  expect(blob.string('return 0;')).toBe(first)
  const bytes = blob.finish()
  const view = new DataView(bytes.buffer)
  const strings = view.getUint32(4, true) + view.getUint32(16, true)
  expect(new TextDecoder().decode(bytes.subarray(strings + first, strings + first + 10))).toBe('return 0;\0')
  expect(parseBtf(bytes).find('counter')).toHaveLength(1)
})
