/**
 * Relocatable eBPF objects: ELF64, little-endian, machine EM_BPF, as clang and `bpftool gen object` write them. Reading
 * is pure and bounded: every table is checked against the file before it is walked, names and offsets that lead outside
 * are a `ParseError` with the byte at which the header says so. What the sections mean is the business of `object/`.
 */
import { ByteReader, cString, ParseError } from '../bits/index.js'

/** A section. `data` is a view into the file, empty for sections that occupy none (`.bss`). */
export interface ElfSection {
  readonly index: number
  readonly name: string
  /** `SHT_*`; see {@link sectionTypes}. */
  readonly type: number
  /** `SHF_*`; see {@link sectionFlags}. */
  readonly flags: number
  /** File offset of `data`. */
  readonly offset: number
  /** Size in bytes, which for `nobits` sections no data stands behind. */
  readonly size: number
  readonly link: number
  readonly info: number
  readonly data: Uint8Array
}

/** A symbol. `section` is 0 where it is undefined (an extern), 0xfff1 where it is absolute. */
export interface ElfSymbol {
  readonly index: number
  readonly name: string
  /** Byte offset in its section. */
  readonly value: number
  readonly size: number
  readonly type: 'notype' | 'object' | 'func' | 'section' | 'file' | 'other'
  readonly binding: 'local' | 'global' | 'weak' | 'other'
  /** `hidden` and `internal` symbols are static to libbpf once the object is linked. */
  readonly visibility: 'default' | 'internal' | 'hidden' | 'protected'
  readonly section: number
}

/** A relocation: the place in the section that it patches, and the symbol whose value goes there. */
export interface ElfRelocation {
  /** Byte offset in the patched section. */
  readonly offset: number
  /** `R_BPF_*`; see {@link relocationTypes}. */
  readonly type: number
  readonly symbol: ElfSymbol
}

/** An object file, its tables read. */
export interface ElfFile {
  readonly sections: readonly ElfSection[]
  readonly symbols: readonly ElfSymbol[]
  /** Relocations by the index of the section that they patch, in the file's order. */
  readonly relocations: ReadonlyMap<number, readonly ElfRelocation[]>
}

/** Section types that occur in eBPF objects. */
export const sectionTypes = { progbits: 1, symtab: 2, strtab: 3, rela: 4, nobits: 8, rel: 9 } as const

/** Section flags that matter here. */
export const sectionFlags = { write: 1, alloc: 2, execinstr: 4 } as const

/** `R_BPF_*` relocation types (LLVM's BPF psABI). */
export const relocationTypes = { none: 0, r64_64: 1, abs64: 2, abs32: 3, nodyld32: 4, r64_32: 10 } as const

/** Limits on what is read, generous beyond any compiler's output. */
export const elfLimits = { sections: 65_280, symbols: 1 << 20, relocations: 1 << 20, nameBytes: 1 << 24 } as const

const headerSize = 64
const sectionHeaderSize = 64
const symbolSize = 24
const machineBpf = 247
const symbolTypes = ['notype', 'object', 'func', 'section', 'file'] as const
const bindings = ['local', 'global', 'weak'] as const
const visibilities = ['default', 'internal', 'hidden', 'protected'] as const

/**
 * Reads a relocatable eBPF object. Throws `ParseError`: `elf-not-elf`, `elf-truncated`, `elf-wrong-class` (32-bit),
 * `elf-wrong-endian`, `elf-wrong-machine`, `elf-wrong-type` (not relocatable), `elf-bad-section`, `elf-bad-symbol`,
 * `elf-bad-relocation`, `elf-too-many`.
 */
export function parseElf(file: Uint8Array): ElfFile {
  // A Node Buffer's `slice` shares memory where a Uint8Array's copies; nobody after should have to know.
  const bytes = new Uint8Array(file.buffer, file.byteOffset, file.byteLength)
  const header = readHeader(bytes)
  const sections = readSections(bytes, header)
  const table = sections.find((section) => section.type === sectionTypes.symtab)
  const symbols = table ? readSymbols(sections, table) : []
  return { sections, symbols, relocations: readRelocations(sections, symbols, table) }
}

interface Header {
  tableOffset: number
  count: number
  namesIndex: number
}

function readHeader(bytes: Uint8Array): Header {
  const reader = new ByteReader(bytes, 'ELF')
  if (bytes.length < 4 || bytes[0] !== 0x7f || bytes[1] !== 0x45 || bytes[2] !== 0x4c || bytes[3] !== 0x46) {
    throw new ParseError('elf-not-elf', 'this is no ELF file: it does not begin with 7f 45 4c 46', 0)
  }
  reader.seek(4)
  if (reader.u8() !== 2) throw new ParseError('elf-wrong-class', 'eBPF objects are ELF64, this one is 32-bit', 4)
  const order = reader.u8()
  if (order === 2) {
    throw new ParseError('elf-wrong-endian', 'big-endian objects are not supported; compile with -target bpfel', 5)
  }
  if (order !== 1) throw new ParseError('elf-wrong-endian', `byte order ${order} does not exist`, 5)
  const type = reader.seek(16).u16()
  if (type !== 1) throw new ParseError('elf-wrong-type', `a relocatable object has ELF type 1, this has ${type}`, 16)
  const machine = reader.u16()
  // The first LLVM releases with a BPF backend wrote machine 0; libbpf still reads those.
  if (machine !== machineBpf && machine !== 0) {
    throw new ParseError('elf-wrong-machine', `eBPF is ELF machine 247, this is compiled for machine ${machine}`, 18)
  }
  const tableOffset = u64AsNumber(reader.seek(40), 'the section table')
  reader.seek(58)
  const entrySize = reader.u16()
  const count = reader.u16()
  const namesIndex = reader.u16()
  if (bytes.length < headerSize) throw new ParseError('elf-truncated', 'the ELF header ends early', bytes.length)
  if (count && entrySize !== sectionHeaderSize) {
    throw new ParseError('elf-bad-section', `section headers have ${sectionHeaderSize} bytes, not ${entrySize}`, 58)
  }
  if (count > elfLimits.sections) throw new ParseError('elf-too-many', `${count} sections`, 60)
  return { tableOffset, count, namesIndex }
}

function readSections(bytes: Uint8Array, { tableOffset, count, namesIndex }: Header): ElfSection[] {
  if (count === 0) throw new ParseError('elf-bad-section', 'the object has no sections', 60)
  const reader = new ByteReader(bytes, 'ELF').seek(tableOffset)
  if (reader.left < count * sectionHeaderSize) {
    throw new ParseError('elf-truncated', `the file ends within its ${count} section headers`, tableOffset)
  }
  const raw: { nameOffset: number; section: Omit<ElfSection, 'name'> }[] = []
  for (let index = 0; index < count; index++) {
    const at = tableOffset + index * sectionHeaderSize
    reader.seek(at)
    const nameOffset = reader.u32()
    const type = reader.u32()
    const flags = Number(reader.u64() & 0xffffffffn)
    const offset = u64AsNumber(reader.seek(at + 24), `section ${index}`)
    const size = u64AsNumber(reader, `section ${index}`)
    const link = reader.u32()
    const info = reader.u32()
    const empty = type === sectionTypes.nobits || type === 0
    if (!empty && (offset > bytes.length || size > bytes.length - offset)) {
      throw new ParseError('elf-truncated', `section ${index} ends at ${offset + size}, beyond the file`, at + 24)
    }
    const data = empty ? bytes.subarray(0, 0) : bytes.subarray(offset, offset + size)
    raw.push({ nameOffset, section: { index, type, flags, offset, size, link, info, data } })
  }
  const names = raw[namesIndex]?.section.data
  if (!names) throw new ParseError('elf-bad-section', `section names are in section ${namesIndex} of ${count}`, 62)
  let nameBytes = 0
  return raw.map(({ nameOffset, section }) => {
    const at = tableOffset + section.index * sectionHeaderSize
    const name = section.type === 0 ? '' : cString(names, nameOffset)
    nameBytes += name?.length ?? 0
    if (nameBytes > elfLimits.nameBytes) throw new ParseError('elf-too-many', 'section names beyond 16 MiB', at)
    if (name === undefined) {
      throw new ParseError('elf-bad-section', `the name of section ${section.index} lies outside the names`, at)
    }
    return { ...section, name }
  })
}

function readSymbols(sections: readonly ElfSection[], table: ElfSection): ElfSymbol[] {
  const names = sections[table.link]
  if (names?.type !== sectionTypes.strtab) {
    throw new ParseError('elf-bad-symbol', `symbol names should be in section ${table.link}`, table.offset)
  }
  const count = Math.floor(table.size / symbolSize)
  if (count > elfLimits.symbols) throw new ParseError('elf-too-many', `${count} symbols`, table.offset)
  const reader = new ByteReader(table.data, 'ELF', table.offset)
  const symbols: ElfSymbol[] = []
  let nameBytes = 0
  for (let index = 0; index < count; index++) {
    const at = table.offset + index * symbolSize
    const nameOffset = reader.u32()
    const info = reader.u8()
    const other = reader.u8()
    const section = reader.u16()
    const value = u64AsNumber(reader, `symbol ${index}`, table.offset)
    const size = u64AsNumber(reader, `symbol ${index}`, table.offset)
    if (section >= sections.length && section < 0xff00) {
      throw new ParseError('elf-bad-symbol', `symbol ${index} is in section ${section}, of ${sections.length}`, at)
    }
    const type = symbolTypes[info & 15] ?? 'other'
    const own = cString(names.data, nameOffset)
    if (own === undefined) {
      throw new ParseError('elf-bad-symbol', `the name of symbol ${index} lies outside the names`, at)
    }
    // Names may overlap in the string table, so that a small file could ask for any amount of text.
    nameBytes += own.length
    if (nameBytes > elfLimits.nameBytes) throw new ParseError('elf-too-many', 'symbol names beyond 16 MiB', at)
    const name = type === 'section' && own === '' ? (sections[section]?.name ?? '') : own
    symbols.push({
      index,
      name,
      value,
      size,
      type,
      binding: bindings[info >> 4] ?? 'other',
      visibility: visibilities[other & 3] ?? 'default',
      section,
    })
  }
  return symbols
}

function readRelocations(
  sections: readonly ElfSection[],
  symbols: readonly ElfSymbol[],
  table: ElfSection | undefined,
): Map<number, ElfRelocation[]> {
  const result = new Map<number, ElfRelocation[]>()
  let total = 0
  for (const section of sections) {
    if (section.type === sectionTypes.rela) {
      throw new ParseError('elf-bad-relocation', `${section.name}: eBPF has no relocations with addend`, section.offset)
    }
    if (section.type !== sectionTypes.rel) continue
    const target = sections[section.info]
    if (!target || section.link !== table?.index) {
      const sentence = `${section.name} patches section ${section.info} with symbols of section ${section.link}`
      throw new ParseError('elf-bad-relocation', sentence, section.offset)
    }
    const count = Math.floor(section.size / 16)
    total += count
    if (total > elfLimits.relocations) throw new ParseError('elf-too-many', `${total} relocations`, section.offset)
    const reader = new ByteReader(section.data, 'ELF', section.offset)
    const list = result.get(target.index) ?? []
    for (let index = 0; index < count; index++) {
      const at = section.offset + index * 16
      const offset = u64AsNumber(reader, `relocation ${index}`, section.offset)
      const type = reader.u32()
      const symbolIndex = reader.u32()
      const symbol = symbols[symbolIndex]
      if (!symbol || offset >= target.size) {
        const sentence = `${section.name}[${index}] patches byte ${offset} of ${target.size} with symbol ${symbolIndex}`
        throw new ParseError('elf-bad-relocation', sentence, at)
      }
      list.push({ offset, type, symbol })
    }
    result.set(target.index, list)
  }
  return result
}

/** A 64-bit field as a number; what exceeds 2^53 - 1 is no offset in any file. */
function u64AsNumber(reader: ByteReader, what: string, base = 0): number {
  const at = base + reader.offset
  const value = reader.u64()
  if (value > 0x1fffffffffffffn)
    throw new ParseError('elf-truncated', `${what} has the value 0x${value.toString(16)}`, at)
  return Number(value)
}
