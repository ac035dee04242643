import { expect, it } from 'vitest'
import { writeElf } from '../../test/support/elf-writer.js'
import { fixture } from '../../test/support/fixtures.js'
import { mapFlags } from '../uapi/index.js'
import { dataMapName } from './data.js'
import { parseObject } from './object.js'

const { mmapable, rdonly_prog } = mapFlags
const compilers = ['clang14', 'clang16', 'clang19']

it.each(compilers)('makes a map of every data section, named, sized and flagged as by libbpf: %s', (clang) => {
  const { maps } = parseObject(fixture(`data.${clang}`), { name: 'data.bpf.o' })
  const facts = Object.values(maps).map(({ name, type, keySize, valueSize, maxEntries, flags, frozen }) => {
    expect([type, keySize, maxEntries]).toEqual(['array', 4, 1])
    return [name, valueSize, flags, frozen]
  })
  // Printed by a loader with libbpf 1.1 for the same file.
  expect(facts).toEqual([
    ['data.rodata', 16, rdonly_prog | mmapable, true],
    ['data.data', 40, mmapable, false],
    ['.data.hot', 4, mmapable, false],
    ['.rodata.cold', 4, rdonly_prog | mmapable, true],
    ['.data.quiet', 4, 0, false],
    ['data.bss', 21, mmapable, false],
    ['.bss.zero', 4, mmapable, false],
    ['.rodata.str1.1', 9, rdonly_prog, true],
    ['data.kconfig', 34, rdonly_prog | mmapable, true],
  ])
})

it('cuts names as libbpf does, so that the kernel can hold them', () => {
  expect(dataMapName('/tmp/heartbeat.bpf.o', '.data')).toBe('heartbea.data')
  expect(dataMapName('heartbeat.bpf.o', '.rodata')).toBe('heartbea.rodata')
  expect(dataMapName('heartbeat.bpf.o', '.kconfig')).toBe('heartbe.kconfig')
  expect(dataMapName('my-prog.o', '.bss')).toBe('my_prog.bss')
  expect(dataMapName('x.o', '.data.much_longer_than_that')).toBe('.data.much_longer_than_that')
})

it.each(compilers)('reads variables as values and writes them into the bytes that will be loaded: %s', (clang) => {
  const { variables, maps } = parseObject(fixture(`data.${clang}`), { name: 'data.o' })
  expect(variables).toMatchObject({
    interval_ms: 1000,
    mask: 0xfedcba9876543210n,
    where: { x: -2, y: 1n << 40n },
    mood: 'BUSY',
    label: 'hello',
    hidden_count: 9,
    'count.calls': 0n,
    bytes: [0, 0, 0, 0, 0],
  })
  variables.interval_ms = 50
  variables.where = { x: 7 }
  variables.mood = 'CALM'
  expect(variables).toMatchObject({ interval_ms: 50, where: { x: 7, y: 0n }, mood: 'CALM', fired: 3 })
  expect(maps['data.rodata']?.contents?.slice(0, 4)).toEqual(new Uint8Array([50, 0, 0, 0]))
})

it('does not change the file that it was read from', () => {
  const file = fixture('data.clang19')
  const before = Uint8Array.from(file)
  parseObject(file).variables.interval_ms = 1
  expect(Buffer.compare(file, before)).toBe(0)
})

it('refuses what would otherwise be lost: unknown names, values that do not fit, changes to a copy', () => {
  const { variables } = parseObject(fixture('data.clang19'))
  const setting = (name: string, value: unknown) => () => {
    variables[name] = value
  }
  expect(setting('intervall_ms', 5)).toThrow(expect.objectContaining({ code: 'unknown-variable' }))
  expect(setting('intervall_ms', 5)).toThrow(/^variable intervall_ms: no such global variable; there are interval_ms, /)
  expect(setting('__proto__', {})).toThrow(expect.objectContaining({ code: 'unknown-variable' }))
  expect(setting('interval_ms', 2 ** 32)).toThrow(expect.objectContaining({ code: 'bad-value' }))
  expect(setting('interval_ms', 'soon')).toThrow(/variable interval_ms/)
  const { where } = variables as { where: { x: number } }
  expect(() => {
    where.x = 3
  }).toThrow(TypeError)
  expect(variables.interval_ms).toBe(1000)
  expect(variables.unknown).toBe(undefined)
})

it('bounds global data, which a .bss may ask for without having a byte of it', () => {
  const bss = (size: number) => writeElf([{ name: '.bss', type: 8, flags: 3, size }])
  expect(parseObject(bss(1 << 20)).maps['object.bss']?.contents?.length).toBe(1 << 20)
  expect(() => parseObject(bss(2 ** 40))).toThrow(expect.objectContaining({ code: 'global-data-too-large' }))
})

it('warns of pointers in data, which no loader fills in', () => {
  expect(parseObject(fixture('odd.clang19')).warnings).toEqual([
    'section .data: a pointer to word, at byte 0, is not filled in, nor 2 more',
  ])
  expect(parseObject(fixture('data.clang19')).warnings).toEqual([])
})
