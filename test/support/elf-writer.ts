/** Small eBPF objects from parts, for tests of what no compiler would write. */
import { ByteWriter } from '../../src/bits/index.js'
import { encode, type Insn } from '../../src/isa/index.js'

/** A section to be written. Index 0 is the null section; those given count from 1, in order. */
export interface NewSection {
  name: string
  type?: number
  flags?: number
  data?: Uint8Array
  /** For `.bss`: size without data. */
  size?: number
  link?: number
  info?: number
}

/** A symbol to be written. Index 0 is the null symbol. */
export interface NewSymbol {
  name: string
  section: number
  value?: number
  size?: number
  /** 0 notype, 1 object, 2 func, 3 section. */
  type?: number
  /** 0 local, 1 global, 2 weak. */
  binding?: number
  visibility?: number
}

/** A relocation: which section it patches, where, and with which symbol (by index). */
export interface NewRelocation {
  section: number
  offset: number
  type: number
  symbol: number
}

/** The bytes of a relocatable eBPF object. */
export function writeElf(
  sections: readonly NewSection[],
  symbols: readonly NewSymbol[] = [],
  relocations: readonly NewRelocation[] = [],
): Uint8Array {
  const names = new ByteWriter().u8(0)
  const name = (text: string): number => {
    const at = names.length
    names.text(text).u8(0)
    return at
  }
  const symtab = sections.length + 1
  const strtab = symtab + 1
  const table = new ByteWriter()
  for (const symbol of [{ name: '', section: 0 }, ...symbols] as NewSymbol[]) {
    table.u32(symbol.name ? name(symbol.name) : 0)
    table.u8(((symbol.binding ?? (symbol.name ? 1 : 0)) << 4) | (symbol.type ?? 0)).u8(symbol.visibility ?? 0)
    table
      .u16(symbol.section)
      .u64(BigInt(symbol.value ?? 0))
      .u64(BigInt(symbol.size ?? 0))
  }
  const patched = [...new Set(relocations.map(({ section }) => section))]
  const all: NewSection[] = [
    { name: '', type: 0 },
    ...sections,
    { name: '.symtab', type: 2, data: table.finish(), link: strtab, info: 1 },
    { name: '.strtab', type: 3 },
    ...patched.map((section): NewSection => {
      const rel = new ByteWriter()
      for (const { offset, type, symbol } of relocations.filter((r) => r.section === section)) {
        rel.u64(BigInt(offset)).u32(type).u32(symbol)
      }
      return { name: `.rel${section}`, type: 9, data: rel.finish(), link: symtab, info: section }
    }),
  ]
  const offsets = all.map((section) => (section.name ? name(section.name) : 0))
  const body = new ByteWriter()
  const headers = new ByteWriter()
  all.forEach((section, index) => {
    const data = index === strtab ? names.finish() : (section.data ?? new Uint8Array())
    const at = 64 + body.align(8).length
    body.raw(data)
    headers.u32(offsets[index] ?? 0).u32(section.type ?? 1)
    headers
      .u64(BigInt(section.flags ?? 0))
      .u64(0n)
      .u64(BigInt(at))
    headers
      .u64(BigInt(section.size ?? data.length))
      .u32(section.link ?? 0)
      .u32(section.info ?? 0)
      .u64(8n)
      .u64(0n)
  })
  body.align(8)
  const header = new ByteWriter().u32(0x464c457f).u8(2).u8(1).u8(1).align(16)
  header
    .u16(1)
    .u16(247)
    .u32(1)
    .u64(0n)
    .u64(0n)
    .u64(BigInt(64 + body.length))
    .u32(0)
  header.u16(64).u16(0).u16(0).u16(64).u16(all.length).u16(strtab)
  return header.raw(body.finish()).raw(headers.finish()).finish()
}

/** An executable section. */
export function code(name: string, insns: readonly Insn[]): NewSection {
  return { name, flags: 6, data: encode(insns) }
}
