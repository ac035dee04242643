import fc from 'fast-check'
import { expect, it } from 'vitest'
import { BpfError, ByteWriter } from '../bits/index.js'
import { btfBuilder, parseBtf, parseBtfExt } from './index.js'

const builder = btfBuilder()
const proto = builder.add({
  kind: 'func_proto',
  name: '',
  returnType: builder.int('int', 4, { signed: true }),
  params: [],
})
const main = builder.add({ kind: 'func', name: 'main_prog', type: proto, linkage: 'global' })
const task = builder.struct('task', 4, [['pid', 1, 0]])
for (const text of ['syscall', '.text', 'beat.bpf.c', 'return 0;', '0:0'])
  builder.add({ kind: 'fwd', name: text, union: false })
const btf = parseBtf(builder.finish())

/** Where a text lies in the string section. */
function at(text: string): number {
  for (let offset = 0; offset < btf.stringsEnd; offset++) if (btf.string(offset) === text) return offset
  throw new Error(text)
}

interface Section {
  readonly name: string
  readonly records: readonly (readonly number[])[]
}

function part(size: number, sections: readonly Section[]): Uint8Array {
  const out = new ByteWriter().u32(size)
  for (const { name, records } of sections) {
    out.u32(at(name)).u32(records.length)
    for (const record of records) for (let i = 0; i < size / 4; i++) out.u32(record[i] ?? 0)
  }
  return out.finish()
}

function ext(functions: Uint8Array, lines: Uint8Array, core: Uint8Array | undefined): Uint8Array<ArrayBuffer> {
  const out = new ByteWriter()
    .u16(0xeb9f)
    .u8(1)
    .u8(0)
    .u32(core ? 32 : 24)
  out.u32(0).u32(functions.length).u32(functions.length).u32(lines.length)
  if (core) out.u32(functions.length + lines.length).u32(core.length)
  return out
    .raw(functions)
    .raw(lines)
    .raw(core ?? [])
    .finish()
}

const functions = part(8, [{ name: 'syscall', records: [[0, main]] }])
const line = [8, at('beat.bpf.c'), at('return 0;'), (12 << 10) | 3]
const lines = part(16, [
  { name: 'syscall', records: [line] },
  { name: '.text', records: [line] },
])
const core = part(16, [{ name: 'syscall', records: [[16, task, at('0:0'), 0]] }])

it('reads functions, lines with their text, and CO-RE records, each by section', () => {
  const parsed = parseBtfExt(ext(functions, lines, core), btf)
  expect(parsed.functions).toEqual(new Map([['syscall', [{ offset: 0, typeId: main }]]]))
  const expected = { offset: 8, file: 'beat.bpf.c', text: 'return 0;', line: 12, column: 3 }
  expect(parsed.lines).toEqual(
    new Map([
      ['syscall', [expected]],
      ['.text', [expected]],
    ]),
  )
  expect(parsed.coreRelocations).toEqual(new Map([['syscall', [{ offset: 16, typeId: task, access: '0:0', kind: 0 }]]]))
})

it('takes the short header of old compilers and records longer than it knows', () => {
  expect(parseBtfExt(ext(functions, lines, undefined), btf).coreRelocations.size).toBe(0)
  const longer = part(12, [
    {
      name: 'syscall',
      records: [
        [0, main, 99],
        [8, main, 99],
      ],
    },
  ])
  expect(parseBtfExt(ext(longer, lines, core), btf).functions.get('syscall')).toHaveLength(2)
})

it.each([
  ['a record inside an instruction', 'btf-bad-record', part(8, [{ name: 'syscall', records: [[4, main]] }])],
  ['records too short to hold what they must', 'btf-bad-record', part(4, [])],
  ['a function record that names no function', 'btf-bad-id', part(8, [{ name: 'syscall', records: [[0, task]] }])],
  ['more records than bytes', 'btf-ext-truncated', new ByteWriter().u32(8).u32(0).u32(0xffffffff).finish()],
])('refuses %s', (_, code, functions) => {
  expect(() => parseBtfExt(ext(functions, lines, core), btf)).toThrow(expect.objectContaining({ code }))
})

it('throws nothing but BpfError, whatever is damaged', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 5 }), fc.nat(400), (edits, length) => {
      const bytes = ext(functions, lines, core)
      for (const [at, value] of edits) bytes[at % bytes.length] = value
      try {
        parseBtfExt(bytes.subarray(0, length || bytes.length), btf)
      } catch (error) {
        expect(error).toBeInstanceOf(BpfError)
      }
    }),
  )
})
