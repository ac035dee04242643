import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { writeElf } from '../../test/support/elf-writer.js'
import { BpfError, ParseError } from '../bits/index.js'
import { parseElf, sectionTypes } from './elf.js'

const object = readFileSync(new URL('../object/testdata/calls.clang19.bpf.o', import.meta.url))

/** The error that reading these bytes gives. */
function errorOf(bytes: Uint8Array): ParseError {
  try {
    parseElf(bytes)
  } catch (error) {
    expect(error).toBeInstanceOf(ParseError)
    return error as ParseError
  }
  throw new Error('was read')
}

function changed(at: number, ...bytes: number[]): Uint8Array {
  const copy = Uint8Array.from(object)
  copy.set(bytes, at)
  return copy
}

it('reads sections, symbols and relocations as llvm-readelf prints them', () => {
  const elf = parseElf(object)
  const text = elf.sections[2]
  expect(text).toMatchObject({ name: '.text', type: sectionTypes.progbits, flags: 6, offset: 0x40, size: 0x198 })
  expect(text?.data.length).toBe(0x198)
  const bss = elf.sections.find(({ name }) => name === '.bss')
  expect(bss).toMatchObject({ type: sectionTypes.nobits, size: 8 })
  expect(bss?.data.length).toBe(0)
  const symbol = (name: string) => elf.symbols.find((candidate) => candidate.name === name)
  expect(symbol('leaf')).toMatchObject({ value: 0x58, size: 72, type: 'func', binding: 'local', section: 2 })
  expect(symbol('hidden')).toMatchObject({ binding: 'global', visibility: 'hidden' })
  expect(symbol('weak')).toMatchObject({ binding: 'weak', type: 'func' })
  expect(symbol('absent')).toMatchObject({ binding: 'weak', type: 'notype', section: 0 })
  // A section symbol has no name of its own.
  expect(symbol('.text')).toMatchObject({ type: 'section', section: 2 })
  const first = elf.relocations.get(4)?.map(({ offset, type, symbol: { name } }) => [offset, type, name])
  expect(first?.slice(0, 3)).toEqual([
    [8, 10, 'global'],
    [32, 10, '.text'],
    [64, 1, '.text'],
  ])
})

it('says what the file is instead, and at which byte', () => {
  expect(errorOf(new Uint8Array())).toMatchObject({ code: 'elf-not-elf', offset: 0 })
  expect(errorOf(new TextEncoder().encode('int main() {}'))).toMatchObject({ code: 'elf-not-elf', offset: 0 })
  expect(errorOf(changed(4, 1))).toMatchObject({ code: 'elf-wrong-class', offset: 4 })
  expect(errorOf(changed(5, 2))).toMatchObject({ code: 'elf-wrong-endian', offset: 5 })
  expect(errorOf(changed(16, 2))).toMatchObject({ code: 'elf-wrong-type', offset: 16 })
  expect(errorOf(changed(18, 62))).toMatchObject({ code: 'elf-wrong-machine', offset: 18 })
  expect(errorOf(changed(18, 62)).message).toBe('offset 18: eBPF is ELF machine 247, this is compiled for machine 62')
})

it('reads machine 0, which the first LLVM releases with a BPF backend wrote', () => {
  expect(parseElf(changed(18, 0)).sections.length).toBe(parseElf(object).sections.length)
})

it('refuses tables that lead outside the file', () => {
  expect(errorOf(changed(40, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)).code).toBe('elf-truncated')
  expect(errorOf(changed(62, 0xff, 0xff)).code).toBe('elf-bad-section')
  expect(errorOf(changed(60, 0, 0)).code).toBe('elf-bad-section')
  const outside = writeElf([{ name: 'x' }], [{ name: 'far', section: 99 }])
  expect(errorOf(outside)).toMatchObject({ code: 'elf-bad-symbol' })
  const noSymbol = writeElf(
    [{ name: 'x', data: new Uint8Array(8) }],
    [],
    [{ section: 1, offset: 0, type: 1, symbol: 5 }],
  )
  expect(errorOf(noSymbol)).toMatchObject({ code: 'elf-bad-relocation' })
  const beyond = writeElf([{ name: 'x', data: new Uint8Array(8) }], [], [{ section: 1, offset: 8, type: 1, symbol: 0 }])
  expect(errorOf(beyond)).toMatchObject({ code: 'elf-bad-relocation' })
  expect(errorOf(writeElf([{ name: '.rela', type: sectionTypes.rela }])).code).toBe('elf-bad-relocation')
})

it('bounds the text that overlapping names can ask for', () => {
  // 20,000 symbols, all with the same 1 KiB name.
  const name = 'n'.repeat(1024)
  const bytes = writeElf(
    [],
    [{ name, section: 0 }, ...Array.from({ length: 20_000 }, () => ({ name: '', section: 0 }))],
  )
  const elf = parseElf(bytes)
  const table = elf.sections.find(({ type }) => type === sectionTypes.symtab)
  const view = new DataView(bytes.buffer)
  const shared = view.getUint32((table?.offset ?? 0) + 24, true)
  for (let i = 1; i <= 20_000; i++) view.setUint32((table?.offset ?? 0) + i * 24, shared, true)
  expect(errorOf(bytes)).toMatchObject({ code: 'elf-too-many' })
})

it('fails cleanly at every length that a cut file can have', () => {
  const headersEnd = object.length
  for (let length = 0; length < headersEnd; length += 7) {
    try {
      parseElf(object.subarray(0, length))
      throw new Error(`${length} bytes of ${headersEnd} were read`)
    } catch (error) {
      expect(error).toBeInstanceOf(BpfError)
    }
  }
})

it('gives views that are plain Uint8Arrays, whatever came in', () => {
  // The `slice` of a Buffer shares its memory; editing a copy would change the file.
  const data = parseElf(Buffer.from(object)).sections[2]?.data
  expect(Buffer.isBuffer(data)).toBe(false)
})
