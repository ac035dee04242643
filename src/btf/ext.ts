/**
 * Reads `.BTF.ext`: what clang says about the instructions of each ELF section. Function records name the BTF FUNC of
 * each function, line records the source line, CO-RE records the accesses to be adjusted to a running kernel. Layout as
 * in Documentation/bpf/btf.rst; the CO-RE part came with LLVM 10 and is absent where the header ends before it.
 */
import { ByteReader, ParseError } from '../bits/index.js'
import { BTF_MAGIC } from './parse.js'
import type { Btf } from './types.js'

/** A function of a section: byte offset of its first instruction and the id of its FUNC. */
export interface BtfFuncInfo {
  readonly offset: number
  readonly typeId: number
}

/** The source line of an instruction: its byte offset in the section, file, text, line and column (both from 1). */
export interface BtfLineInfo {
  readonly offset: number
  readonly file: string
  readonly text: string
  readonly line: number
  readonly column: number
}

/** A CO-RE record: byte offset of the instruction, root type, access string (`0:1:2`), `enum bpf_core_relo_kind`. */
export interface BtfCoreRelocation {
  readonly offset: number
  readonly typeId: number
  readonly access: string
  readonly kind: number
}

/** Records by the name of the ELF section whose instructions they describe, in the order of the file. */
export interface BtfExt {
  readonly functions: ReadonlyMap<string, readonly BtfFuncInfo[]>
  readonly lines: ReadonlyMap<string, readonly BtfLineInfo[]>
  readonly coreRelocations: ReadonlyMap<string, readonly BtfCoreRelocation[]>
}

const INSN_SIZE = 8
const HEADER_SIZE = 24
const HEADER_SIZE_WITH_CORE = 32

/**
 * Parses `.BTF.ext` against the object's BTF. Throws `ParseError`: `btf-ext-truncated`, `btf-bad-magic`,
 * `btf-foreign-endian`, `btf-unknown-version`, `btf-bad-header`, `btf-bad-record`, `btf-bad-id`, `btf-bad-string`.
 */
export function parseBtfExt(bytes: Uint8Array, btf: Btf): BtfExt {
  const reader = new ByteReader(bytes, 'BTF-ext')
  const magic = reader.u16()
  if (magic !== BTF_MAGIC) {
    const foreign = magic === 0x9feb
    const sentence = foreign ? 'this .BTF.ext is big-endian; only little-endian is supported' : 'not a .BTF.ext section'
    throw new ParseError(foreign ? 'btf-foreign-endian' : 'btf-bad-magic', sentence, 0)
  }
  const version = reader.u8()
  if (version !== 1) throw new ParseError('btf-unknown-version', `.BTF.ext version ${version} is not known`, 2)
  reader.u8()
  const headerSize = reader.u32()
  if (headerSize < HEADER_SIZE || headerSize > bytes.length) {
    throw new ParseError('btf-bad-header', `the header says that it has ${headerSize} bytes`, 4)
  }
  const part = (): Part => {
    const start = headerSize + reader.u32()
    const length = reader.u32()
    const from = reader.offset
    const content = reader.seek(start).slice(length)
    reader.seek(from)
    return { reader: new ByteReader(content, 'BTF-ext', start), start }
  }
  const functions = part()
  const lines = part()
  const core = headerSize >= HEADER_SIZE_WITH_CORE ? part() : undefined
  return {
    functions: bySection(functions, btf, 8, (record, offset, at) => ({
      offset,
      typeId: idOf(btf, record.u32(), at, 'func'),
    })),
    lines: bySection(lines, btf, 16, (record, offset) => {
      const file = btf.string(record.u32())
      const text = btf.string(record.u32())
      const position = record.u32()
      return { offset, file, text, line: position >>> 10, column: position & 1023 }
    }),
    coreRelocations: core
      ? bySection(core, btf, 16, (record, offset, at) => ({
          offset,
          typeId: idOf(btf, record.u32(), at),
          access: btf.string(record.u32()),
          kind: record.u32(),
        }))
      : new Map<string, BtfCoreRelocation[]>(),
  }
}

function idOf(btf: Btf, id: number, at: number, kind?: 'func'): number {
  const found = btf.types[id]
  if (!found || (kind && found.kind !== kind)) {
    throw new ParseError(
      'btf-bad-id',
      `a record refers to type [${id}], ${found ? `a ${found.kind}` : 'which is not there'}`,
      at,
    )
  }
  return id
}

/** One of the three parts and where it begins in the section. */
interface Part {
  readonly reader: ByteReader
  readonly start: number
}

/** Record size, then for each section its name, a count and that many records, each opening with a byte offset. */
function bySection<T>(
  { reader, start }: Part,
  btf: Btf,
  least: number,
  read: (record: ByteReader, offset: number, at: number) => T,
): Map<string, T[]> {
  const found = new Map<string, T[]>()
  if (reader.left === 0) return found
  const size = reader.u32()
  if (size < least || size % 4) {
    throw new ParseError('btf-bad-record', `records of ${size} bytes, at least ${least} expected`, start)
  }
  while (reader.left > 0) {
    const section = btf.string(reader.u32())
    const count = reader.u32()
    if (count * size > reader.left) {
      throw new ParseError(
        'btf-ext-truncated',
        `section ${section} has ${count} records, more than there are bytes`,
        start,
      )
    }
    const records = found.get(section) ?? []
    found.set(section, records)
    for (let i = 0; i < count; i++) {
      const at = start + reader.offset
      const record = new ByteReader(reader.slice(size), 'BTF-ext', at)
      const offset = record.u32()
      if (offset % INSN_SIZE)
        throw new ParseError('btf-bad-record', `a record at byte ${offset}, inside an instruction`, at)
      records.push(read(record, offset, at))
    }
  }
  return found
}
