/**
 * Values of a BTF type, from bytes to JavaScript and back, every kind. A type is turned into a codec once and kept with
 * its BTF. Laws: writing what was read gives the same value again; what is written twice is the same bytes. The rules for
 * users stand in docs/values.md.
 *
 * Fields that the kernel manages (`bpf_wq`, `bpf_timer`, locks) are opaque: Linux gives zeros to user space and ignores
 * what user space writes there, so reading gives a marker and writing leaves the bytes alone.
 */
import { BpfError } from '../bits/index.js'
import { arrayPlace } from './arrays.js'
import { compositePlace, sectionPlace } from './composites.js'
import { floatPlace, type Memory, type Place, scalarPlace } from './scalars.js'
import { specialStructs } from './special.js'
import type { Btf } from './types.js'

/** What reading gives for a field that the kernel manages; its state cannot be seen in the bytes. Ignored on writing. */
export interface OpaqueValue {
  /** The name of the struct: `bpf_wq`, `bpf_timer`, `bpf_spin_lock`... */
  readonly opaque: string
}

/** Reads and writes values of one type. */
export interface ValueCodec {
  /** Bytes that a value takes. */
  readonly size: number
  /** The value in the first `size` bytes. Throws `BpfError` (`bad-value`) where there are fewer. */
  read(bytes: Uint8Array): unknown
  /** The value's bytes, fresh. Throws `BpfError` (`bad-value`), its place the path of the wrong part. */
  write(value: unknown): Uint8Array
  /** Writes into `bytes`, leaving the bytes of opaque fields as they are. Throws as {@link ValueCodec.write}. */
  writeInto(value: unknown, bytes: Uint8Array): void
}

const codecs = new WeakMap<Btf, Map<number, ValueCodec>>()

/**
 * The codec of a type (for a variable: of its type). Throws `BpfError`: `btf-no-size` for types without values (void,
 * functions, forward declarations).
 */
export function valueCodec(btf: Btf, typeId: number): ValueCodec {
  const known = codecs.get(btf) ?? new Map<number, ValueCodec>()
  codecs.set(btf, known)
  const before = known.get(typeId)
  if (before) return before
  const place = placeOf(btf, typeId, new Map())
  const made = codecOf(place)
  known.set(typeId, made)
  return made
}

/** The value of this type at `offset`. Throws as {@link valueCodec} and {@link ValueCodec.read}. */
export function readValue(btf: Btf, typeId: number, bytes: Uint8Array, offset = 0): unknown {
  return valueCodec(btf, typeId).read(bytes.subarray(offset))
}

/** The bytes of a value. Throws as {@link valueCodec} and {@link ValueCodec.write}. */
export function encodeValue(btf: Btf, typeId: number, value: unknown): Uint8Array {
  return valueCodec(btf, typeId).write(value)
}

/** Writes a value at `offset` of `bytes`. Throws as {@link valueCodec} and {@link ValueCodec.writeInto}. */
export function writeValue(btf: Btf, typeId: number, value: unknown, bytes: Uint8Array, offset = 0): void {
  valueCodec(btf, typeId).writeInto(value, bytes.subarray(offset))
}

function codecOf(place: Place): ValueCodec {
  const { size } = place
  const over = (bytes: Uint8Array): Memory => {
    if (bytes.length < size) throw new BpfError('bad-value', `the value has ${size} bytes, ${bytes.length} are given`)
    return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) }
  }
  return {
    size,
    read: (bytes) => place.read(over(bytes), 0),
    write(value) {
      const bytes = new Uint8Array(size)
      place.write(over(bytes), 0, value, '')
      return bytes
    },
    writeInto(value, bytes) {
      place.write(over(bytes), 0, value, '')
    },
  }
}

/** How values of a type lie in memory. Types that contain themselves by value do not exist (`check.ts`), so this ends. */
function placeOf(btf: Btf, id: number, made: Map<number, Place>): Place {
  const before = made.get(id)
  if (before) return before
  const place = makePlace(btf, id, (inner) => placeOf(btf, inner, made))
  made.set(id, place)
  return place
}

function makePlace(btf: Btf, id: number, placeOf: (id: number) => Place): Place {
  const type = btf.resolve(id)
  switch (type.kind) {
    case 'int':
    case 'ptr':
      return scalarPlace(type)
    case 'enum':
    case 'enum64':
      return scalarPlace(type)
    case 'float':
      return floatPlace(type)
    case 'array':
      return arrayPlace(btf, type, placeOf(type.type))
    case 'struct':
    case 'union':
      if (type.kind === 'struct' && specialStructs.has(type.name)) return opaquePlace(type.name, type.size)
      return compositePlace(btf, type, placeOf)
    case 'datasec':
      return sectionPlace(btf, type, placeOf)
    case 'var':
      return placeOf(type.type)
    default:
      btf.sizeOf(id)
      throw new BpfError('btf-no-size', `${type.kind} ${type.name} has no values`, { place: `BTF type [${id}]` })
  }
}

function opaquePlace(name: string, size: number): Place {
  const marker: OpaqueValue = Object.freeze({ opaque: name })
  return { size, opaque: true, read: () => marker, write: () => {}, lay: () => {} }
}
