/** The maps of an object, made in the kernel as libbpf makes them: with BTF where the type allows it, contents written, frozen. */
import { BpfError } from '../bits/index.js'
import type { MapSpec } from '../object/spec.js'
import { type MapType, mapTypes } from '../uapi/index.js'
import { attribute, bpf } from './bpf.js'
import type { Descriptors } from './descriptors.js'
import { createMap, freezeMap } from './map.js'

/** Types for which the kernel takes no BTF of key and value. */
const withoutBtf: ReadonlySet<MapType> = new Set<MapType>([
  ...(['perf_event_array', 'cgroup_array', 'stack_trace', 'array_of_maps', 'hash_of_maps', 'devmap'] as const),
  ...(['devmap_hash', 'cpumap', 'xskmap', 'sockmap', 'sockhash', 'ringbuf', 'user_ringbuf', 'arena'] as const),
])

/** Creates one map and writes its contents. Throws `ErrnoError`. */
export function makeMap(spec: MapSpec, btfFd: number, fds: Descriptors): number {
  if (spec.pinning !== 'none') {
    throw new BpfError('unsupported-pinning', 'pinning by name is not supported yet', { place: `map ${spec.name}` })
  }
  // A map of maps takes the shape of what it will hold from a map that may be gone right afterwards.
  const innerMapFd = spec.innerMap ? makeMap(spec.innerMap, btfFd, fds) : 0
  const hasBtf = btfFd !== 0 && spec.valueTypeId !== 0 && !withoutBtf.has(spec.type)
  const fd = fds.own(
    createMap({
      type: mapTypes[spec.type],
      keySize: spec.keySize,
      valueSize: spec.valueSize,
      maxEntries: spec.maxEntries,
      flags: spec.flags,
      name: spec.name,
      numaNode: spec.numaNode,
      mapExtra: spec.mapExtra,
      innerMapFd,
      ...(hasBtf ? { btfFd, keyTypeId: spec.keyTypeId, valueTypeId: spec.valueTypeId } : {}),
    }),
  )
  if (innerMapFd) fds.close(innerMapFd)
  if (spec.contents?.some((byte) => byte !== 0)) {
    const block = attribute(32).u32(0, fd).pointer(8, new Uint8Array(4)).pointer(16, spec.contents)
    bpf('map_update_elem', block, `map ${spec.name}`)
  }
  if (spec.frozen) freezeMap(fd, `map ${spec.name}`)
  return fd
}

/** Writes descriptors of maps or programs into the slots that `__array(values, ...)` initialises. */
export function fillSlots(spec: MapSpec, fd: number, fdOf: (name: string) => number | undefined): void {
  for (const [index, name] of spec.initialValues) {
    const target = fdOf(name)
    if (target === undefined) continue
    const [key, value] = [new Uint8Array(4), new Uint8Array(4)]
    new DataView(key.buffer).setUint32(0, index, true)
    new DataView(value.buffer).setUint32(0, target, true)
    const block = attribute(32).u32(0, fd).pointer(8, key).pointer(16, value)
    bpf('map_update_elem', block, `map ${spec.name}, slot ${index}`)
  }
}
