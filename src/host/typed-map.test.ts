import { expect, it } from 'vitest'
import { BpfError } from '../bits/index.js'
import type { MapSpec } from '../object/spec.js'
import { ErrnoError, errnos } from '../uapi/index.js'
import { type GlobalSection, globalsOf } from './globals.js'
import type { Codec, RawMap } from './raw-map.js'
import { bytesCodec, typedMap } from './typed-map.js'

const u32: Codec = {
  size: 4,
  read: (bytes) => new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true),
  write(value) {
    if (typeof value !== 'number' || value < 0 || value > 0xffffffff) throw new BpfError('bad-value', 'no u32')
    return new Uint8Array(new Uint32Array([value]).buffer)
  },
}

const spec: MapSpec = {
  name: 'm',
  type: 'hash',
  keySize: 4,
  valueSize: 4,
  maxEntries: 3,
  flags: 0,
  keyTypeId: 0,
  valueTypeId: 0,
  numaNode: -1,
  mapExtra: 0n,
  pinning: 'none',
  innerMap: undefined,
  initialValues: new Map(),
  contents: undefined,
  section: undefined,
  frozen: false,
}

/** A hash map of a host that behaves: insertion order, the kernel's rule for an absent key in nextKey. */
function fake(): RawMap {
  const elements = new Map<number, Uint8Array>()
  const id = (key: Uint8Array) => u32.read(key) as number
  const bytes = (key: number | undefined) => (key === undefined ? undefined : u32.write(key))
  return {
    lookup: (key) => elements.get(id(key))?.slice(),
    update(key, value) {
      if (!elements.has(id(key)) && elements.size === 3) throw new ErrnoError(errnos.E2BIG, 'map_update_elem')
      elements.set(id(key), value)
    },
    delete: (key) => elements.delete(id(key)),
    nextKey(key) {
      const all = [...elements.keys()]
      return bytes(all[key ? all.indexOf(id(key)) + 1 : 0])
    },
    lookupAndDelete(key) {
      const value = elements.get(id(key))
      elements.delete(id(key))
      return value
    },
    close() {},
  }
}

it('reads, writes and deletes by value; absence is undefined and false', () => {
  const map = typedMap(spec, fake(), u32, u32)
  map.set(1, 10)
  map.set(2, 20)
  expect([map.get(1), map.get(3), map.has(2), map.has(3), map.size]).toEqual([10, undefined, true, false, 2])
  expect([...map]).toEqual([
    [1, 10],
    [2, 20],
  ])
  expect([map.delete(1), map.delete(1), map.lookupAndDelete(2), map.lookupAndDelete(2)]).toEqual([
    true,
    false,
    20,
    undefined,
  ])
})

it('throws whatever else the host refuses, and says which map a bad key or value was meant for', () => {
  const map = typedMap(spec, fake(), u32, u32)
  for (const key of [1, 2, 3]) map.set(key, 0)
  expect(() => map.set(4, 0)).toThrow(expect.objectContaining({ errno: errnos.E2BIG }))
  expect(() => map.get('1')).toThrow(/key of map m: no u32/)
  expect(() => map.set(1, -1)).toThrow(/value of map m: no u32/)
})

it('survives deletion during iteration and never iterates for ever', () => {
  const map = typedMap(spec, fake(), u32, u32)
  for (const key of [1, 2, 3]) map.set(key, key)
  for (const [key] of map) map.delete(key)
  expect(map.size).toBe(0)
  let fresh = 10
  map.set(0, 0)
  map.set(1, 0)
  expect(() => {
    for (const [key] of map) {
      map.delete(key)
      map.set(fresh, 0)
      fresh += 1
    }
  }).toThrow(expect.objectContaining({ code: 'iteration-aborted' }))
})

it('passes bytes where there is no BTF, padded but never cut', () => {
  const codec = bytesCodec(4)
  expect([...codec.write(new Uint8Array([1, 2]))]).toEqual([1, 2, 0, 0])
  expect(() => codec.write(new Uint8Array(5))).toThrow(expect.objectContaining({ code: 'bad-value' }))
  expect(() => codec.write(7)).toThrow(/4 bytes/)
})

it('reads and writes globals in place, and refuses what would be lost', () => {
  const bytes = new Uint8Array(16)
  const pair: Codec = {
    size: 8,
    read: (b) => ({ a: u32.read(b.subarray(0, 4)), b: u32.read(b.subarray(4)) }),
    write: (v) => {
      const { a, b } = v as { a: number; b: number }
      return Uint8Array.of(...u32.write(a), ...u32.write(b))
    },
  }
  const section: GlobalSection = {
    name: '.bss',
    raw: { read: (offset, size) => bytes.slice(offset, offset + size), write: (offset, b) => bytes.set(b, offset) },
    variables: [
      { name: 'count', offset: 4, codec: u32 },
      { name: 'state', offset: 8, codec: pair },
    ],
  }
  const globals = globalsOf([
    section,
    { ...section, name: '.data', variables: [{ name: 'count', offset: 0, codec: u32 }] },
  ])
  globals.count = 7
  globals.state = { a: 1, b: 2 }
  expect([...bytes]).toEqual([0, 0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0])
  bytes[4] = 9
  expect({ ...globals }).toEqual({ count: 9, state: { a: 1, b: 2 } })
  expect(() => {
    ;(globals.state as { a: number }).a = 5
  }).toThrow(TypeError)
  expect(() => {
    globals.missing = 1
  }).toThrow(expect.objectContaining({ code: 'unknown-variable' }))
  expect(globals.missing).toBeUndefined()
  expect(() => {
    globals.count = 'x'
  }).toThrow(/variable count \(.bss\): no u32/)
})
