import { expect, it } from 'vitest'
import { ByteWriter, ParseError } from '../bits/index.js'
import { btfBuilder } from '../btf/index.js'
import { scanSymbols } from './kernel.js'

/** BTF with one of almost every kind before what is looked for, so that a wrong size would lose the way. */
function blob() {
  const btf = btfBuilder()
  const int = btf.int('int', 4, { signed: true })
  btf.add({ kind: 'enum', name: 'e', size: 4, signed: false, values: [{ name: 'A', value: 1n }] })
  btf.add({ kind: 'enum64', name: 'e64', size: 8, signed: false, values: [{ name: 'B', value: 1n }] })
  btf.array(int, 3)
  btf.add({ kind: 'fwd', name: 'later', union: false })
  btf.add({ kind: 'float', name: 'double', size: 8 })
  const task = btf.struct('task_struct', 8, [
    ['pid', int, 0],
    ['tgid', int, 4],
  ])
  btf.add({ kind: 'decl_tag', name: 'tag', type: task, component: -1 })
  const proto = btf.add({ kind: 'func_proto', name: '', returnType: int, params: [{ name: 'task', type: task }] })
  const func = btf.add({ kind: 'func', name: 'bpf_wq_init', type: proto, linkage: 'static' })
  const variable = btf.add({ kind: 'var', name: 'runqueues', type: int, linkage: 'global' })
  btf.add({ kind: 'datasec', name: '.data', size: 4, vars: [{ type: variable, offset: 0, size: 4 }] })
  const typedef = btf.add({ kind: 'typedef', name: 'btf_trace_sys_enter', type: proto })
  return { bytes: btf.finish(), task, func, variable, typedef }
}

it('finds ids by name without reading whole types', () => {
  const { bytes, task, func, variable, typedef } = blob()
  const symbols = scanSymbols(bytes)
  expect(symbols.struct.get('task_struct')).toBe(task)
  expect(symbols.func.get('bpf_wq_init')).toBe(func)
  expect(symbols.var.get('runqueues')).toBe(variable)
  expect(symbols.typedef.get('btf_trace_sys_enter')).toBe(typedef)
  expect(symbols.func.get('runqueues')).toBeUndefined()
})

it('refuses what is damaged', () => {
  const { bytes } = blob()
  expect(() => scanSymbols(new Uint8Array(4))).toThrow(ParseError)
  expect(() => scanSymbols(bytes.subarray(0, 40))).toThrow(ParseError)
  const unknown = new ByteWriter().u16(0xeb9f).u8(1).u8(0).u32(24).u32(0).u32(12).u32(12).u32(1)
  expect(() => scanSymbols(unknown.u32(0).u32(0x1e000000).u32(0).u8(0).finish())).toThrow(/kind 30/)
})
