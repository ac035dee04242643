import { expect, it } from 'vitest'
import { code, type NewSymbol, writeElf } from '../../test/support/elf-writer.js'
import { fixture } from '../../test/support/fixtures.js'
import type { Insn } from '../isa/index.js'
import { parseObject } from './object.js'

const compilers = ['clang14', 'clang16', 'clang19']
const call = (imm: number): Insn => ({ code: 0x85, dst: 0, src: 1, off: 0, imm })
const exit: Insn = { code: 0x95, dst: 0, src: 0, off: 0, imm: 0 }
const func = (name: string, section: number, value: number, size: number, binding = 1): NewSymbol => ({
  ...{ name, section, value: value * 8, size: size * 8, type: 2, binding },
})

it.each(compilers)('appends subprograms in the order in which they are reached, each once: %s', (clang) => {
  const { programs } = parseObject(fixture(`calls.${clang}`))
  const layout = (name: string) => programs[name]?.functions.map((f) => `${f.name}@${f.start}`)
  // As libbpf 1.1 lays them out.
  expect(layout('first')).toEqual(['first@0', 'global@7', 'leaf@18'])
  expect(layout('second')).toEqual([
    ...['second@0', 'each@20', 'leaf@26', 'unused_by_first@35', 'hidden@44', 'weak@53', 'global@60'],
  ])
})

it.each(compilers)('makes calls and callbacks distances within the linked program: %s', (clang) => {
  const { programs } = parseObject(fixture(`calls.${clang}`))
  const { insns = [], functions = [] } = programs.second ?? {}
  const starts = new Map(functions.map(({ start, name }) => [start, name]))
  const targets = insns.flatMap((insn, i) =>
    (insn.code === 0x85 && insn.src === 1) || (insn.code === 0x18 && insn.src === 4)
      ? [`${insn.code === 0x18 ? '&' : ''}${starts.get(i + insn.imm + 1)}`]
      : [],
  )
  expect(targets).toEqual(['&each', 'unused_by_first', 'hidden', 'weak', 'global', 'leaf', 'leaf', 'leaf'])
})

it.each(compilers)('carries functions, lines and types along: %s', (clang) => {
  const { programs, btf } = parseObject(fixture(`calls.${clang}`))
  const { functions = [], lines = [], insns = [] } = programs.second ?? {}
  for (const { name, typeId, start } of functions) {
    expect(btf?.type(typeId)).toMatchObject({ kind: 'func', name })
    expect(
      lines.some(({ insn }) => insn === start),
      `${name} has a line at its start`,
    ).toBe(true)
  }
  const first = lines[0]
  expect(first?.file).toMatch(/calls\.bpf\.c$/)
  expect(lines.every(({ insn }, i) => insn < insns.length && insn > (lines[i - 1]?.insn ?? -1))).toBe(true)
  expect(lines.filter(({ text }) => text.includes('sum ^= a')).length).toBeGreaterThan(0)
})

it.each(compilers)('treats __hidden functions as static, for they need not be verified on their own: %s', (clang) => {
  const { btf } = parseObject(fixture(`calls.${clang}`))
  const linkage = (name: string) => {
    const type = btf?.type(btf.find(name, 'func')[0] ?? 0)
    return type?.kind === 'func' ? type.linkage : undefined
  }
  expect([linkage('hidden'), linkage('global'), linkage('leaf')]).toEqual(['static', 'global', 'static'])
})

it.each(compilers)('names what programs refer to: kernel functions and variables, weak ones marked: %s', (clang) => {
  const { programs, externs, btf } = parseObject(fixture(`calls.${clang}`))
  const references = [...(programs.kernel?.references ?? [])].map(([, { kind, name, weak }]) => [kind, name, weak])
  expect(references).toEqual([
    ['ksym', 'bpf_rcu_read_lock', true],
    ['kfunc', 'bpf_rcu_read_lock', true],
    ['ksym', 'absent', true],
    ['ksym', 'bpf_prog_active', false],
    ['kfunc', 'bpf_wq_start', false],
  ])
  expect(externs.map(({ name, kind, weak }) => [name, kind, weak]).sort()).toEqual([
    ['absent', 'ksym', true],
    ['bpf_prog_active', 'ksym', false],
    ['bpf_rcu_read_lock', 'kfunc', true],
    ['bpf_wq_start', 'kfunc', false],
  ])
  const start = externs.find(({ name }) => name === 'bpf_wq_start')
  expect(btf?.type(start?.typeId ?? 0)).toMatchObject({ kind: 'func', name: 'bpf_wq_start', linkage: 'extern' })
  const pseudo = [...(programs.kernel?.references.keys() ?? [])].map((i) => programs.kernel?.insns[i]?.src)
  expect(pseudo).toEqual([3, 2, 3, 3, 2])
})

it('refers to maps by name and to data by map and offset', () => {
  const { programs } = parseObject(fixture('data.clang19'), { name: 'data.o' })
  const { references = new Map(), insns = [] } = programs.count ?? {}
  const seen = [...references].map(([i, { kind, name }]) => `${kind} ${name}+${insns[i + 1]?.imm}`)
  expect(seen).toContain('map_value data.rodata+0')
  expect(seen).toContain('map_value data.rodata+8')
  expect(seen).toContain('map_value data.data+36')
  expect(seen).toContain('map_value .rodata.str1.1+0')
  expect(seen).toContain('map_value data.kconfig+12')
  const maps = parseObject(fixture('maps.clang19')).programs.entry?.references ?? new Map()
  expect([...maps.values()].map(({ kind, name }) => `${kind} ${name}`)).toEqual(['map beats', 'map outer', 'map jumps'])
})

it('knows license, version, and which programs are loaded only when told', () => {
  const spec = parseObject(fixture('data.clang19'))
  expect([spec.license, spec.kernelVersion]).toEqual(['Dual MIT/GPL', 0x060c00])
  const { programs } = parseObject(fixture('calls.clang19'))
  expect(programs.kernel).toMatchObject({ autoload: false, section: 'syscall', type: 'syscall', sleepable: true })
  expect(programs.strange).toMatchObject({ autoload: true, section: 'nonsense/foo', type: undefined })
})

it('takes the only function of an object for a program wherever it stands, and several in .text for none', () => {
  const one = writeElf([code('.text', [exit])], [func('only', 1, 0, 1)])
  expect(parseObject(one).programs.only).toMatchObject({ section: '.text', type: undefined })
  const two = writeElf([code('.text', [exit, exit])], [func('a', 1, 0, 1), func('b', 1, 1, 1)])
  expect(Object.keys(parseObject(two).programs)).toEqual([])
})

it('follows calls however deep they nest', () => {
  const depth = 20_000
  const insns = Array.from({ length: depth }, (_, i) => [i === depth - 1 ? exit : call(1), exit]).flat()
  const functions = Array.from({ length: depth }, (_, i) => func(`f${i}`, 1, i * 2, 2))
  const main = func('main', 2, 0, 1)
  const object = writeElf(
    [code('.text', insns), code('xdp', [call(-1)])],
    [...functions, main],
    [{ section: 2, offset: 0, type: 10, symbol: 1 }],
  )
  expect(parseObject(object).programs.main?.functions.length).toBe(depth + 1)
})

it.each([
  ['a call into the middle of a function', [call(0), exit], 'bad-call'],
  ['a call out of the section', [call(100), exit], 'bad-call'],
])('refuses %s', (_, insns, code_) => {
  const object = writeElf(
    [code('.text', [...insns, exit]), code('xdp', [call(-1), exit])],
    [func('sub', 1, 0, 3), func('main', 2, 0, 2)],
    [{ section: 2, offset: 0, type: 10, symbol: 1 }],
  )
  expect(() => parseObject(object)).toThrow(expect.objectContaining({ code: code_ }))
})

it('refuses relocations that patch no reference or refer to nothing that can be loaded', () => {
  const relocated = (insn: Insn, offset: number, type: number, symbol = 1) =>
    writeElf(
      [code('xdp', [insn, exit, exit]), { name: 'other', data: new Uint8Array(8) }],
      [
        { name: 'there', section: 2, type: 1 },
        func('main', 1, 0, 3),
        ...(symbol === 3 ? [{ name: 'gone', section: 0 }] : []),
      ],
      [{ section: 1, offset, type, symbol }],
    )
  const load: Insn = { code: 0x18, dst: 1, src: 0, off: 0, imm: 0 }
  const codeOf = (bytes: Uint8Array) => {
    try {
      parseObject(bytes)
    } catch (error) {
      return (error as { code: string }).code
    }
    return 'read'
  }
  expect(codeOf(relocated(load, 4, 1))).toBe('bad-relocation')
  expect(codeOf(relocated(exit, 0, 1))).toBe('bad-relocation')
  expect(codeOf(relocated(load, 0, 2))).toBe('bad-relocation')
  expect(codeOf(relocated(load, 0, 1))).toBe('bad-relocation')
  expect(codeOf(relocated(call(-1), 0, 10, 3))).toBe('missing-btf')
  expect(() => parseObject(relocated(load, 0, 1))).toThrow(
    "section xdp, instruction 0: it refers to 'there' in section other, which is neither map, global data nor function of .text",
  )
})

it('refuses static programs, functions outside their section, and more code than Linux takes', () => {
  const object = (symbol: NewSymbol) => writeElf([code('xdp', [exit])], [symbol])
  expect(() => parseObject(object(func('p', 1, 0, 1, 0)))).toThrow(expect.objectContaining({ code: 'static-program' }))
  expect(() => parseObject(object(func('p', 1, 0, 2)))).toThrow(expect.objectContaining({ code: 'bad-function' }))
  expect(() => parseObject(object(func('p', 1, 0, 0)))).toThrow(expect.objectContaining({ code: 'bad-function' }))
  // 3,000 programs of 1,500 instructions in 12 kB of code.
  const many = Array.from({ length: 3000 }, (_, i) => func(`p${i}`, 1, 0, 1500))
  const large = writeElf([code('xdp', new Array(1500).fill(exit))], many)
  expect(() => parseObject(large)).toThrow(expect.objectContaining({ code: 'object-too-large' }))
})
