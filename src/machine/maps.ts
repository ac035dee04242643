/** Maps of a machine: made from their spec, used through the byte operations that both hosts share. */
import { BpfError } from '../bits/index.js'
import type { Btf } from '../btf/index.js'
import { specialFields } from '../btf/special.js'
import { type BpfMap, keyCodec, mapValueCodec, type RawMap, type RawSection, typedMap } from '../host/index.js'
import type { MapSpec } from '../object/spec.js'
import {
  BLOCKED,
  createMap,
  deleteElement,
  freezeMap,
  MAP,
  nextKey,
  RANGE,
  readElement,
  takeElement,
  valueAddress,
  writeElement,
} from '../runtime/index.js'
import { ErrnoError, errnos, mapFlags } from '../uapi/index.js'
import { assertOpen, type Core, dropMap, guardMemory, type MapEntry, reapPrograms } from './core.js'
import { asyncFields } from './field-names.js'
import { step } from './scheduler.js'

/** Which machine a map belongs to, for sharing. */
const owners = new WeakMap<BpfMap, { readonly core: Core; readonly entry: MapEntry }>()

/** The entry behind a map of this machine; `undefined` for maps of others. */
export function entryOf(core: Core, map: BpfMap): MapEntry | undefined {
  const owner = owners.get(map)
  return owner?.core === core ? owner.entry : undefined
}

/**
 * Makes a map with one user reference, its contents written. Throws `ErrnoError` (`map_create`, `map_freeze`, `mmap`) where
 * Linux or libbpf would fail.
 */
export function makeMap(core: Core, spec: MapSpec, btf: Btf | undefined): MapEntry {
  const fields = btf && spec.valueTypeId ? specialFields(btf, spec.valueTypeId).fields : []
  const offset = (kind: string) => fields.find((field) => field.kind === kind)?.offset
  const odd = fields.find(({ kind }) => !['bpf_spin_lock', 'bpf_timer', 'bpf_wq', 'bpf_task_work'].includes(kind))
  const place = `map ${spec.name}`
  if (odd) throw new BpfError('unsupported-special-field', `${odd.kind} in a map value is not supported yet`, { place })
  const address = inPlace(place, () =>
    createMap(core.rt, {
      type: spec.type,
      keySize: spec.keySize,
      valueSize: spec.valueSize,
      maxEntries: spec.maxEntries,
      flags: spec.flags,
      extra: spec.mapExtra,
      numaNode: spec.numaNode,
      special: {
        lock: offset('bpf_spin_lock'),
        timer: offset('bpf_timer'),
        wq: offset('bpf_wq'),
        taskWork: offset('bpf_task_work'),
      },
    }),
  )
  const entry: MapEntry = {
    address,
    spec,
    keys: keyCodec(spec, btf),
    values: mapValueCodec(spec, btf),
    fields: btf && spec.valueTypeId ? asyncFields(btf, spec.valueTypeId) : [],
    get face() {
      return face
    },
  }
  const face = openMap(core, entry)
  core.maps.set(address, entry)
  try {
    fill(core, entry, fields.length > 0)
  } catch (error) {
    dropMap(core, address, true)
    throw error
  }
  return entry
}

/** Writes the contents of global data and freezes what is constant. */
function fill({ rt, memory }: Core, { address, spec }: MapEntry, special: boolean): void {
  if (spec.contents) {
    // libbpf maps global data into user space, which Linux refuses for values with special fields (2.4).
    if (special && spec.flags & mapFlags.mmapable) {
      throw new ErrnoError(errnos.ENOTSUPP, 'mmap', { place: `map ${spec.name}` })
    }
    memory.write(rt.load32(address + MAP.storage), spec.contents)
  }
  if (spec.frozen) check(freezeMap(rt, address), 'map_freeze', spec.name)
}

/** One more handle on a map, for a user reference that the caller has taken; its `close` drops that. */
export function openMap(core: Core, entry: MapEntry): BpfMap {
  const map = typedMap(entry.spec, rawMap(core, entry), entry.keys, entry.values)
  owners.set(map, { core, entry })
  return map
}

function inPlace<T>(place: string, act: () => T): T {
  try {
    return act()
  } catch (error) {
    if (error instanceof ErrnoError && !error.place) {
      throw new ErrnoError(error.errno, error.operation, { place, cause: error })
    }
    throw error
  }
}

/** Throws for a negative errno. */
function check(result: number, operation: string, map: string): void {
  if (result < 0) throw new ErrnoError(-result, operation, { place: `map ${map}` })
}

function rawMap(core: Core, { address, spec }: MapEntry): RawMap {
  const { rt } = core
  let open = true

  /** Does one operation; a lock that is held is waited for by letting its holder go on. `false` for ENOENT. */
  function act(operation: string, attempt: () => number): boolean {
    assertOpen(core)
    if (!open) throw new ErrnoError(errnos.EBADF, operation, { place: `map ${spec.name}` })
    let result = guardMemory(attempt)
    while (result === BLOCKED) {
      if (!step(core)) throw new BpfError('deadlock', 'its lock is never released', { place: `map ${spec.name}` })
      result = attempt()
    }
    if (result === -errnos.ENOENT) return false
    check(result, operation, spec.name)
    return true
  }

  /** The same for what may release programs that only the map held. */
  function change(operation: string, attempt: () => number): boolean {
    const found = act(operation, attempt)
    reapPrograms(core)
    return found
  }

  return {
    lookup(key) {
      const value = new Uint8Array(spec.valueSize)
      return act('map_lookup_elem', () => readElement(rt, address, key, value)) ? value : undefined
    },
    update(key, value, flags) {
      const operation = 'map_update_elem'
      if (!change(operation, () => writeElement(rt, address, key, value, flags)))
        check(-errnos.ENOENT, operation, spec.name)
    },
    delete: (key) => change('map_delete_elem', () => deleteElement(rt, address, key)),
    nextKey(key) {
      const next = new Uint8Array(spec.keySize)
      return act('map_get_next_key', () => nextKey(rt, address, key, next)) ? next : undefined
    },
    lookupAndDelete(key) {
      const value = new Uint8Array(spec.valueSize)
      const found = change('map_lookup_and_delete_elem', () => takeElement(rt, address, key, value))
      return found ? value : undefined
    },
    count() {
      act('map_get_next_key', () => 0)
      return rt.load32(address + MAP.count)
    },
    close() {
      if (!open) return
      open = false
      if (core.closed) return
      dropMap(core, address, true)
      reapPrograms(core)
    },
  }
}

/** The bytes of a global data map, in place. Special fields are left alone, as in any copy (2.7). */
export function rawSection(core: Core, { address, spec }: MapEntry): RawSection {
  const { rt, memory } = core
  const start = () => {
    assertOpen(core)
    return rt.load32(address + MAP.storage)
  }
  return {
    read: (offset, size) => memory.read(start() + offset, size),
    write(offset, bytes) {
      if (rt.load32(address + MAP.frozen)) check(-errnos.EPERM, 'map_update_elem', spec.name)
      const written = bytes.slice()
      const at = start() + offset
      for (let i = 0; i < rt.load32(address + MAP.specialCount); i++) {
        const range = address + MAP.special + i * RANGE.size
        const [from, length] = [rt.load32(range + RANGE.offset), rt.load32(range + RANGE.length)]
        const [low, high] = [Math.max(from, offset), Math.min(from + length, offset + bytes.length)]
        if (low < high) written.set(memory.read(start() + low, high - low), low - offset)
      }
      memory.write(at, written)
    },
  }
}

/** Address of the value of a key; 0 where there is no such element. */
export function addressOf(core: Core, entry: MapEntry, key: unknown): number {
  return valueAddress(core.rt, entry.address, entry.keys.write(key))
}
