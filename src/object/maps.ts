/**
 * Map definitions: the variables of section `.maps`, whose anonymous struct types carry the attributes in BTF (libbpf's
 * BTF-defined maps). `__uint(name, N)` is a pointer to an array of N elements, `__type(name, T)` a pointer to T,
 * `__array(values, T)` an array of pointers to T, `__ulong(name, N)` an enum with the value N.
 *
 * The rules and refusals are libbpf 1.x's; unknown attributes are an error there and here.
 */
import { BpfError } from '../bits/index.js'
import type { Btf, BtfMember, BtfType } from '../btf/types.js'
import { type MapType, mapTypes } from '../uapi/index.js'
import type { MapSpec } from './spec.js'

/** A map definition and where it stands in `.maps`, for relocations. Offsets in bytes. */
export interface DefinedMap {
  readonly spec: MapSpec
  readonly offset: number
  readonly size: number
  /** Offset of its first `values` slot in the variable; undefined without `values`. */
  readonly valuesOffset: number | undefined
  /** Filled by relocations of `.maps`. */
  readonly initialValues: Map<number, string>
}

type Struct = Extract<BtfType, { kind: 'struct' | 'union' }>

/** Attributes as they are read, before they become a {@link MapSpec}. */
interface Attributes {
  type?: number
  keySize?: number
  valueSize?: number
  keyTypeId: number
  valueTypeId: number
  maxEntries: number
  flags: number
  numaNode: number
  mapExtra: bigint
  pinning: 'none' | 'by_name'
  innerMap: MapSpec | undefined
  valuesOffset: number | undefined
}

/** One definition while it is read. */
interface Reading {
  readonly btf: Btf
  readonly name: string
  readonly inner: boolean
  readonly found: Attributes
}

const typeNames = new Map<number, MapType>(Object.entries(mapTypes).map(([name, number]) => [number, name as MapType]))
const ofMaps = new Set<number>([mapTypes.array_of_maps, mapTypes.hash_of_maps])

/**
 * Reads all definitions of the data section `.maps` in BTF (`datasec`, its offsets fixed up). Throws `BpfError`:
 * `bad-map-definition`, `unknown-map-attribute`, `unknown-map-type`.
 */
export function readMapDefinitions(btf: Btf, datasec: Extract<BtfType, { kind: 'datasec' }>): DefinedMap[] {
  return datasec.vars.map(({ type, offset, size }) => {
    const variable = btf.type(type)
    if (variable.kind !== 'var' || variable.name === '')
      throw refused('', 'section .maps may hold named variables only')
    if (variable.linkage !== 'global') throw refused(variable.name, `a map cannot be ${variable.linkage}`)
    const definition = btf.resolve(variable.type)
    if (definition.kind !== 'struct') throw refused(variable.name, `its type is no struct but ${definition.kind}`)
    if (definition.size > size) throw refused(variable.name, `its definition exceeds the ${size} bytes of its place`)
    const initialValues = new Map<number, string>()
    const { spec, valuesOffset } = readDefinition(btf, variable.name, definition, initialValues, false)
    return { spec, offset, size, valuesOffset, initialValues }
  })
}

function readDefinition(
  btf: Btf,
  name: string,
  definition: Struct,
  initialValues: ReadonlyMap<number, string>,
  inner: boolean,
): { spec: MapSpec; valuesOffset: number | undefined } {
  const found: Attributes = {
    keyTypeId: 0,
    valueTypeId: 0,
    maxEntries: 0,
    flags: 0,
    numaNode: 0,
    mapExtra: 0n,
    pinning: 'none',
    innerMap: undefined,
    valuesOffset: undefined,
  }
  const reading: Reading = { btf, name, inner, found }
  if (definition.members.length > 2 * attributes.size) {
    throw refused(name, `it has ${definition.members.length} attributes, more than there are`)
  }
  definition.members.forEach((member, index) => {
    const read = attributes.get(member.name)
    if (!read) {
      const sentence = `'${member.name}' is no attribute of a map; known are ${[...attributes.keys()].join(', ')}`
      throw new BpfError('unknown-map-attribute', sentence, { place: `map ${name}` })
    }
    if (member.name === 'values' && index !== definition.members.length - 1) {
      throw refused(name, "'values' must be the last attribute")
    }
    read(reading, member)
  })
  if (found.type === undefined) throw refused(name, 'it has no type')
  const type = typeNames.get(found.type)
  if (!type || found.type === 0) {
    throw new BpfError('unknown-map-type', `map type ${found.type} does not exist`, { place: `map ${name}` })
  }
  const spec: MapSpec = {
    name,
    type,
    keySize: found.keySize ?? 0,
    valueSize: found.valueSize ?? 0,
    maxEntries: found.maxEntries,
    flags: found.flags,
    keyTypeId: found.keyTypeId,
    valueTypeId: found.valueTypeId,
    numaNode: found.numaNode,
    mapExtra: found.mapExtra,
    pinning: found.pinning,
    innerMap: found.innerMap,
    initialValues,
    contents: undefined,
    section: undefined,
    frozen: false,
  }
  return { spec, valuesOffset: found.valuesOffset }
}

type Read = (reading: Reading, member: BtfMember) => void

/** How each attribute is read. */
const attributes: ReadonlyMap<string, Read> = new Map<string, Read>([
  ['type', plain('type')],
  ['max_entries', plain('maxEntries')],
  ['map_flags', plain('flags')],
  ['numa_node', plain('numaNode')],
  ['map_extra', long],
  ['key_size', (reading, member) => sized(reading, 'key', number(reading, member))],
  ['value_size', (reading, member) => sized(reading, 'value', number(reading, member))],
  ['key', (reading, member) => typed(reading, member, 'key')],
  ['value', (reading, member) => typed(reading, member, 'value')],
  ['pinning', pinning],
  ['values', values],
])

function plain(field: 'type' | 'maxEntries' | 'flags' | 'numaNode'): Read {
  return (reading, member) => {
    reading.found[field] = number(reading, member)
  }
}

/** `__uint`: the length of the array that it points to. */
function number({ btf, name }: Reading, member: BtfMember): number {
  const pointer = btf.resolve(member.type)
  const array = pointer.kind === 'ptr' ? btf.type(pointer.type) : pointer
  if (pointer.kind !== 'ptr' || array.kind !== 'array') throw refused(name, `'${member.name}' is not made by __uint`)
  return array.length
}

/** `__ulong`, the value of a one-valued enum, or `__uint`. */
function long(reading: Reading, member: BtfMember): void {
  const type = reading.btf.resolve(member.type)
  if (type.kind !== 'enum' && type.kind !== 'enum64') {
    reading.found.mapExtra = BigInt(number(reading, member))
    return
  }
  const [value] = type.values
  if (!value || type.values.length !== 1) throw refused(reading.name, `'${member.name}' is not made by __ulong`)
  reading.found.mapExtra = BigInt.asUintN(64, value.value)
}

function sized({ name, found }: Reading, what: 'key' | 'value', size: number): void {
  const earlier = what === 'key' ? found.keySize : found.valueSize
  if (earlier !== undefined && earlier !== size) {
    throw refused(name, `it says twice how large a ${what} is: ${earlier} and ${size} bytes`)
  }
  if (what === 'key') found.keySize = size
  else found.valueSize = size
}

function typed(reading: Reading, member: BtfMember, what: 'key' | 'value'): void {
  const { btf, name, found } = reading
  const pointer = btf.resolve(member.type)
  if (pointer.kind !== 'ptr') throw refused(name, `'${member.name}' is not made by __type`)
  sized(reading, what, btf.sizeOf(pointer.type))
  if (what === 'key') found.keyTypeId = pointer.type
  else found.valueTypeId = pointer.type
}

function pinning(reading: Reading, member: BtfMember): void {
  const value = number(reading, member)
  if (reading.inner) throw refused(reading.name, 'an inner map cannot be pinned')
  if (value > 1) throw refused(reading.name, `pinning ${value} is neither LIBBPF_PIN_NONE nor LIBBPF_PIN_BY_NAME`)
  reading.found.pinning = value === 1 ? 'by_name' : 'none'
}

function values(reading: Reading, member: BtfMember): void {
  const { btf, name, inner, found } = reading
  const isOfMaps = ofMaps.has(found.type ?? 0)
  if (inner) throw refused(name, 'maps of maps cannot be nested')
  if (!isOfMaps && found.type !== mapTypes.prog_array) {
    throw refused(name, "only maps of maps and program arrays have 'values', and after 'type'")
  }
  sized(reading, 'value', 4)
  const array = btf.resolve(member.type)
  const pointer = array.kind === 'array' && array.length === 0 ? btf.resolve(array.type) : undefined
  if (pointer?.kind !== 'ptr') throw refused(name, "'values' is not made by __array")
  const target = btf.resolve(pointer.type)
  found.valuesOffset = member.bitOffset >>> 3
  if (!isOfMaps) {
    if (target.kind !== 'func_proto') throw refused(name, 'a program array has pointers to functions as values')
    return
  }
  if (target.kind !== 'struct') throw refused(name, 'a map of maps has map definitions as values')
  found.innerMap = readDefinition(btf, `${name}.inner`, target, new Map(), true).spec
}

function refused(name: string, sentence: string): BpfError {
  return new BpfError('bad-map-definition', sentence, { place: name ? `map ${name}` : 'section .maps' })
}
