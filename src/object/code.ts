/**
 * The code of an object before linking: which functions its sections hold, what each relocated instruction refers to,
 * and what `.BTF.ext` says about each. Every check that needs the file is made here, so that linking only copies.
 *
 * As in libbpf, functions are FUNC symbols; those of `.text` are subprograms, those of other sections are programs.
 */
import { BpfError, ParseError } from '../bits/index.js'
import type { BtfCoreRelocation, BtfExt, BtfLineInfo } from '../btf/index.js'
import {
  type ElfFile,
  type ElfRelocation,
  type ElfSection,
  type ElfSymbol,
  relocationTypes,
  sectionFlags,
  sectionTypes,
} from '../elf/index.js'
import { decode, type Insn, insnSize } from '../isa/index.js'
import { objectLimits } from './limits.js'
import type { Reference } from './spec.js'

/** Section of subprograms. */
export const TEXT = '.text'

/** `BPF_JMP | BPF_CALL` and `BPF_LD | BPF_IMM | BPF_DW`. */
export const opcodes = { call: 0x85, wideLoad: 0x18 } as const

/** A function in its section; `start` and `count` in instructions. */
export interface CodeFunction {
  readonly name: string
  readonly section: CodeSection
  readonly start: number
  readonly count: number
  /** BTF id of its FUNC, 0 where `.BTF.ext` has none. */
  readonly typeId: number
}

/**
 * What a relocation makes of an instruction: a reference for the host (with the second slot's `imm` where that is an
 * offset), or a function of `.text` by instruction index.
 */
export type Target =
  | { readonly kind: 'reference'; readonly reference: Reference; readonly offset: number }
  | { readonly kind: 'function'; readonly insn: number }

/** An executable section. */
export interface CodeSection {
  readonly name: string
  readonly index: number
  readonly insns: readonly Insn[]
  /** In the order of their place. */
  readonly functions: readonly CodeFunction[]
  /** By instruction index. */
  readonly targets: ReadonlyMap<number, Target>
  /** By instruction index, ascending, one each. */
  readonly lines: readonly (readonly [number, BtfLineInfo])[]
  readonly coreRelocations: readonly (readonly [number, BtfCoreRelocation])[]
  /** BTF ids of FUNCs by the index of their first instruction. */
  readonly typeIds: ReadonlyMap<number, number>
}

/** Says what data and maps a relocation may refer to; made by the reader of maps and externs. */
export type Resolve = (relocation: ElfRelocation, addend: number, isCall: boolean) => Target | undefined

/** Whether a section holds instructions. */
export function isCode(section: ElfSection): boolean {
  return section.type === sectionTypes.progbits && (section.flags & sectionFlags.execinstr) !== 0 && section.size > 0
}

/**
 * Reads all executable sections. Throws `ParseError` (`bad-function`) and `BpfError` (`bad-relocation`,
 * `static-program`, `object-too-large`).
 */
export function readCode(elf: ElfFile, ext: BtfExt | undefined, resolve: Resolve): CodeSection[] {
  let total = 0
  const symbols = functionSymbols(elf)
  const records = recordsByName(ext)
  return elf.sections.filter(isCode).map((section) => {
    total += section.size / insnSize
    if (total > objectLimits.linkedInsns) {
      throw new BpfError('object-too-large', `more than ${objectLimits.linkedInsns} instructions`, place(section))
    }
    const insns = decode(section.data, section.offset)
    const functions: CodeFunction[] = []
    const code: CodeSection = {
      name: section.name,
      index: section.index,
      insns,
      functions,
      targets: readTargets(elf, section, insns, resolve),
      ...records(section.name),
    }
    for (const found of readFunctions(symbols.get(section.index) ?? [], section, code)) functions.push(found)
    return code
  })
}

function functionSymbols(elf: ElfFile): Map<number, ElfSymbol[]> {
  const bySection = new Map<number, ElfSymbol[]>()
  for (const symbol of elf.symbols) {
    if (symbol.type !== 'func') continue
    const list = bySection.get(symbol.section)
    if (list) list.push(symbol)
    else bySection.set(symbol.section, [symbol])
  }
  return bySection
}

type Records = Pick<CodeSection, 'lines' | 'coreRelocations' | 'typeIds'>

/** Sections may share a name, and with it their records; each name is sorted once. */
function recordsByName(ext: BtfExt | undefined): (name: string) => Records {
  const known = new Map<string, Records>()
  return (name) => {
    const before = known.get(name)
    if (before) return before
    const records = {
      lines: ascending(ext?.lines.get(name) ?? []),
      coreRelocations: ascending(ext?.coreRelocations.get(name) ?? []),
      typeIds: new Map((ext?.functions.get(name) ?? []).map(({ offset, typeId }) => [offset / insnSize, typeId])),
    }
    known.set(name, records)
    return records
  }
}

function readFunctions(symbols: readonly ElfSymbol[], section: ElfSection, code: CodeSection): CodeFunction[] {
  const functions: CodeFunction[] = []
  let total = 0
  for (const symbol of symbols) {
    const { name, value, size } = symbol
    if (name === '' || size === 0 || size % insnSize || value % insnSize || size > section.size - value) {
      const sentence = `function '${name}' has ${size} bytes at ${value} of ${section.size}`
      throw new ParseError('bad-function', sentence, section.offset, place(section))
    }
    if (symbol.binding === 'local' && section.name !== TEXT) {
      const sentence = `program '${name}' is static; only functions of ${TEXT} may be`
      throw new BpfError('static-program', sentence, place(section))
    }
    total += size / insnSize
    if (total > objectLimits.linkedInsns) {
      throw new BpfError(
        'object-too-large',
        `functions of more than ${objectLimits.linkedInsns} instructions`,
        place(section),
      )
    }
    const start = value / insnSize
    functions.push({ name, section: code, start, count: size / insnSize, typeId: code.typeIds.get(start) ?? 0 })
  }
  return functions.sort((a, b) => a.start - b.start)
}

function readTargets(elf: ElfFile, section: ElfSection, insns: readonly Insn[], resolve: Resolve): Map<number, Target> {
  const targets = new Map<number, Target>()
  for (const relocation of elf.relocations.get(section.index) ?? []) {
    const { offset, type, symbol } = relocation
    const index = offset / insnSize
    const insn = insns[index]
    const refuse = (sentence: string): never => {
      throw new BpfError('bad-relocation', sentence, {
        place: `section ${section.name}, instruction ${Math.floor(index)}`,
      })
    }
    if (!insn) return refuse(`a relocation of byte ${offset}, inside an instruction`)
    if (type === relocationTypes.none) continue
    if (type !== relocationTypes.r64_64 && type !== relocationTypes.r64_32)
      refuse(`relocation type ${type} patches no code`)
    const isCall = insn.code === opcodes.call
    if (!isCall && (insn.code !== opcodes.wideLoad || index + 1 >= insns.length)) {
      refuse(`a relocation of opcode 0x${insn.code.toString(16)}, which is neither call nor 64-bit load`)
    }
    const target =
      resolve(relocation, insn.imm, isCall) ??
      refuse(
        `it refers to '${symbol.name}' in section ${elf.sections[symbol.section]?.name || symbol.section}, which ${
          isCall ? 'is no function of .text' : 'is neither map, global data nor function of .text'
        }`,
      )
    targets.set(index, target)
  }
  return targets
}

/** Records by instruction, the first where several claim the same one: the kernel wants them strictly ascending. */
function ascending<T extends { readonly offset: number }>(records: readonly T[]): (readonly [number, T])[] {
  const first = new Map<number, T>()
  for (const record of records) {
    const index = record.offset / insnSize
    if (!first.has(index)) first.set(index, record)
  }
  return [...first].sort(([a], [b]) => a - b)
}

function place(section: ElfSection): { place: string } {
  return { place: `section ${section.name}` }
}
