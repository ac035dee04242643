/** From a map's BTF to codecs: what both hosts give to `typedMap` and `globalsOf`. */
import type { Btf } from '../btf/index.js'
import { valueCodec } from '../btf/values.js'
import type { MapSpec } from '../object/spec.js'
import type { GlobalVariable } from './globals.js'
import type { Codec } from './raw-map.js'
import { bytesCodec } from './typed-map.js'

/** The codec of a type of `size` bytes; plain bytes where BTF has none of that size. */
export function codecFor(btf: Btf | undefined, typeId: number, size: number): Codec {
  if (!btf || typeId === 0) return bytesCodec(size)
  const kind = btf.resolve(typeId).kind
  if (kind === 'void' || kind === 'fwd' || kind === 'func_proto') return bytesCodec(size)
  const codec = valueCodec(btf, typeId)
  return codec.size === size ? codec : bytesCodec(size)
}

/** The codec of a map's keys. */
export function keyCodec(spec: MapSpec, btf: Btf | undefined): Codec {
  return codecFor(btf, spec.keyTypeId, spec.keySize)
}

/** The codec of a map's values. */
export function mapValueCodec(spec: MapSpec, btf: Btf | undefined): Codec {
  return codecFor(btf, spec.valueTypeId, spec.valueSize)
}

/** The variables of a global data map, by its DATASEC; none for other maps. */
export function sectionVariables(spec: MapSpec, btf: Btf | undefined): GlobalVariable[] {
  if (spec.contents === undefined || !btf || spec.valueTypeId === 0) return []
  const section = btf.type(spec.valueTypeId)
  if (section.kind !== 'datasec') return []
  return section.vars.flatMap(({ type, offset, size }) => {
    const variable = btf.type(type)
    if (variable.kind !== 'var' || offset + size > spec.valueSize) return []
    return [{ name: variable.name, offset, codec: codecFor(btf, variable.type, size) }]
  })
}
