/**
 * Reads a BTF blob: header, strings, types. Types come out as plain data and every number in them has been checked
 * (see `check.ts`), so whoever follows an id, an offset or a size needs no check of their own.
 *
 * BTF of a loaded kernel is 5.5 MB with 150,000 types, so strings are sliced from one decoded text and the index by
 * name is made at first use.
 */
import { BpfError, ByteReader, cString, ParseError } from '../bits/index.js'
import { checkTypes } from './check.js'
import { isModifier, rowByNumber } from './kinds.js'
import type { Btf, BtfType } from './types.js'

/** `BTF_MAGIC`. */
export const BTF_MAGIC = 0xeb9f
const VERSION = 1
const HEADER_SIZE = 24
/** `BTF_MAX_TYPE`: the kernel takes no more types than this. */
const MAX_TYPES = 0x000fffff
const VOID: BtfType = { kind: 'void', id: 0, name: '' }

/** Options of {@link parseBtf}. */
export interface ParseBtfOptions {
  /** The BTF that this one was split from: its ids and string offsets count on from there. */
  base?: Btf
}

/**
 * Parses a `.BTF` section or `/sys/kernel/btf/*` file, little-endian. Throws `ParseError`: `btf-truncated`,
 * `btf-bad-magic`, `btf-foreign-endian`, `btf-unknown-version`, `btf-bad-header`, `btf-bad-string`, `btf-unknown-kind`, `btf-too-many-types`,
 * or one of the codes of `check.ts`.
 */
export function parseBtf(bytes: Uint8Array, options: ParseBtfOptions = {}): Btf {
  const { base } = options
  const { types: typeBytes, typesAt, strings, stringsAt } = readHeader(bytes, base === undefined)
  const text = stringTable(strings, stringsAt, base)
  const firstId = base ? base.types.length : 1
  const types: BtfType[] = base ? base.types.slice() : [VOID]
  const starts: number[] = []

  const reader = new ByteReader(typeBytes, 'BTF', typesAt)
  while (reader.left > 0) {
    const at = typesAt + reader.offset
    const nameOffset = reader.u32()
    const info = reader.u32()
    const word = reader.u32()
    const number = (info >>> 24) & 31
    const row = rowByNumber[number]
    const id = types.length
    if (!row) throw new ParseError('btf-unknown-kind', `type [${id}] is of kind ${number}, which Linux has not`, at)
    if (id > MAX_TYPES) throw new ParseError('btf-too-many-types', `there are more than ${MAX_TYPES} types`, at)
    const name = text(nameOffset, at)
    const head = { id, name, vlen: info & 0xffff, flag: info >>> 31 === 1, word, at }
    starts.push(at)
    types.push(row.read(head, reader, (offset) => text(offset, at)))
  }
  const sizes = checkTypes(types, firstId, (id) => starts[id - firstId] ?? 0)
  return view({ types, sizes, bytes, text, base, firstId, stringsEnd: (base?.stringsEnd ?? 0) + strings.length })
}

interface Sections {
  readonly types: Uint8Array
  readonly typesAt: number
  readonly strings: Uint8Array
  readonly stringsAt: number
}

function readHeader(bytes: Uint8Array, alone: boolean): Sections {
  const reader = new ByteReader(bytes, 'BTF')
  const magic = reader.u16()
  if (magic === 0x9feb) {
    throw new ParseError('btf-foreign-endian', 'this BTF is big-endian; only little-endian is supported', 0)
  }
  if (magic !== BTF_MAGIC) {
    throw new ParseError('btf-bad-magic', `BTF begins with 0xeb9f, this with 0x${magic.toString(16)}`, 0)
  }
  const version = reader.u8()
  if (version !== VERSION) throw new ParseError('btf-unknown-version', `BTF version ${version} is not known`, 2)
  reader.u8()
  const headerSize = reader.u32()
  if (headerSize < HEADER_SIZE || headerSize > bytes.length) {
    throw new ParseError('btf-bad-header', `the header says that it has ${headerSize} bytes`, 4)
  }
  const [typesOffset, typesLength, stringsOffset, stringsLength] = [
    reader.u32(),
    reader.u32(),
    reader.u32(),
    reader.u32(),
  ]
  if (typesOffset % 4) throw new ParseError('btf-bad-header', 'the types do not begin at a multiple of 4', 8)
  const typesAt = headerSize + typesOffset
  const stringsAt = headerSize + stringsOffset
  const types = reader.seek(typesAt).slice(typesLength)
  const strings = reader.seek(stringsAt).slice(stringsLength)
  if (alone && (strings.length === 0 || strings[0] !== 0)) {
    throw new ParseError('btf-bad-string', 'the string section does not begin with an empty string', stringsAt)
  }
  if (strings.length > 0 && strings[strings.length - 1] !== 0) {
    throw new ParseError('btf-bad-string', 'the last string has no end', stringsAt + strings.length)
  }
  return { types, typesAt, strings, stringsAt }
}

type Strings = (offset: number, at: number) => string

/** Most characters that all names of one blob may have together; names may overlap, so its size is no bound. */
const maxText = 64 << 20

/** Text by offset. ASCII (all of Linux) is decoded once and sliced; other text string by string. */
function stringTable(bytes: Uint8Array, stringsAt: number, base: Btf | undefined): Strings {
  const start = base?.stringsEnd ?? 0
  const whole = new TextDecoder().decode(bytes)
  const ascii = whole.length === bytes.length && !whole.includes('\ufffd')
  let total = 0
  const counted = (text: string, at: number): string => {
    total += text.length
    if (total > maxText) throw new ParseError('btf-too-large', `the names have more than ${maxText} characters`, at)
    return text
  }
  return (offset, at) => {
    if (offset === 0) return ''
    if (base && offset < start) return base.string(offset)
    const own = offset - start
    if (own >= bytes.length) {
      throw new ParseError('btf-bad-string', `a name lies at ${offset}, the strings end at ${start + bytes.length}`, at)
    }
    if (ascii) return counted(whole.slice(own, whole.indexOf('\0', own)), at)
    const text = cString(bytes, own)
    if (text === undefined) throw new ParseError('btf-bad-string', 'a name has no end', stringsAt + own)
    return counted(text, at)
  }
}

interface Parts {
  readonly types: readonly BtfType[]
  readonly sizes: Float64Array
  readonly bytes: Uint8Array
  readonly text: Strings
  readonly base: Btf | undefined
  readonly firstId: number
  readonly stringsEnd: number
}

function view({ types, sizes, bytes, text, base, firstId, stringsEnd }: Parts): Btf {
  let index: Map<string, number[]> | undefined
  const byName = (): Map<string, number[]> => {
    const made = new Map<string, number[]>()
    for (const type of types) {
      if (type.name === '') continue
      const ids = made.get(type.name)
      if (ids) ids.push(type.id)
      else made.set(type.name, [type.id])
    }
    return made
  }
  const type = (id: number): BtfType => {
    const found = types[id]
    if (!found) throw new ParseError('btf-bad-id', `there is no BTF type [${id}]`, 0, { place: `BTF type [${id}]` })
    return found
  }
  return {
    types,
    base,
    firstId,
    stringsEnd,
    raw: bytes,
    type,
    find(name, kind) {
      index ??= byName()
      const ids = index.get(name) ?? []
      return kind === undefined ? ids.slice() : ids.filter((id) => types[id]?.kind === kind)
    },
    resolve(id) {
      let found = type(id)
      while (isModifier(found)) found = type(found.type)
      return found
    },
    sizeOf(id) {
      if (base && id < firstId) return base.sizeOf(id)
      const size = sizes[type(id).id] ?? -1
      if (size < 0) {
        throw new BpfError('btf-no-size', `${type(id).kind} ${type(id).name} has no size`, {
          place: `BTF type [${id}]`,
        })
      }
      return size
    },
    string: (offset) => text(offset, 0),
  }
}
