/**
 * A map as its user sees it, over the byte operations of a host: keys and values by BTF, absence as `undefined` and `false`,
 * every other refusal as `ErrnoError`.
 */
import { BpfError } from '../bits/index.js'
import type { MapSpec } from '../object/spec.js'
import type { BpfMap } from './host.js'
import type { Codec, RawMap } from './raw-map.js'

/** Bytes as they are: the codec of keys and values that have no BTF. Shorter input is padded with zeros. */
export function bytesCodec(size: number): Codec {
  return {
    size,
    read: (bytes) => bytes.slice(),
    write(value) {
      if (!(value instanceof Uint8Array)) throw new BpfError('bad-value', `a Uint8Array of ${size} bytes is wanted`)
      if (value.length > size) throw new BpfError('bad-value', `${value.length} bytes do not fit into ${size}`)
      const bytes = new Uint8Array(size)
      bytes.set(value)
      return bytes
    },
  }
}

/**
 * Dresses a raw map. Iteration visits each key once as long as the map is not changed meanwhile (an element that is deleted
 * ahead of it is skipped, as in the kernel a new one may be missed); it throws `BpfError` (`iteration-aborted`) after more
 * steps than the map can have elements, which is what repeated deleting and inserting can lead to.
 */
export function typedMap(spec: MapSpec, raw: RawMap, keys: Codec, values: Codec): BpfMap {
  function inPlace<T>(what: string, act: () => T): T {
    try {
      return act()
    } catch (error) {
      if (!(error instanceof BpfError) || error.code !== 'bad-value') throw error
      throw new BpfError('bad-value', error.message, { place: `${what} of map ${spec.name}`, cause: error })
    }
  }
  const key = (value: unknown) => inPlace('key', () => keys.write(value))
  const read = (bytes: Uint8Array | undefined) => (bytes ? values.read(bytes) : undefined)

  function* rawEntries(): IterableIterator<[Uint8Array, Uint8Array]> {
    let at = raw.nextKey(undefined)
    for (let steps = 0; at; steps += 1) {
      // A hash map may hold fewer elements than max_entries, never more; an array has exactly that many.
      if (steps > spec.maxEntries) {
        throw new BpfError('iteration-aborted', 'the map changed faster than it could be read', {
          place: `map ${spec.name}`,
        })
      }
      const value = raw.lookup(at)
      const next = raw.nextKey(at)
      if (value) yield [at, value]
      at = next
    }
  }

  function* entries(): IterableIterator<[unknown, unknown]> {
    for (const [k, v] of rawEntries()) yield [keys.read(k), values.read(v)]
  }

  return {
    name: spec.name,
    spec,
    get: (k) => read(raw.lookup(key(k))),
    set: (k, v, flags = 0) =>
      raw.update(
        key(k),
        inPlace('value', () => values.write(v)),
        flags,
      ),
    delete: (k) => raw.delete(key(k)),
    has: (k) => raw.lookup(key(k)) !== undefined,
    lookupAndDelete: (k) => read(raw.lookupAndDelete(key(k))),
    get size() {
      if (raw.count) return raw.count()
      let count = 0
      for (const _ of rawEntries()) count += 1
      return count
    },
    entries,
    [Symbol.iterator]: entries,
    close: () => raw.close(),
  }
}
