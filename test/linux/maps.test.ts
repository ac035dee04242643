/**
 * Maps of the runtime beside maps of the running kernel: the same creation parameters, then the same random operations of
 * user space, must give the same errno and the same bytes. LRU_HASH only as far as nothing is evicted (victims are ours to
 * choose), and the order of iteration only for ARRAY.
 */
import { closeSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { attribute, bpfRaw, createMap as linuxMap } from '../../src/linux/index.js'
import {
  createMap,
  createRuntime,
  deleteElement,
  freezeMap,
  type NewMap,
  nextKey,
  readElement,
  takeElement,
  writeElement,
} from '../../src/runtime/index.js'
import { ErrnoError, mapTypes } from '../../src/uapi/index.js'
import { noReference, skipped } from '../support/reference.js'

const skip = skipped('comparing maps with the running kernel', noReference())

/** One operation of user space: the errno or 0, and what it read. */
type Operation =
  | { readonly op: 'lookup' | 'update' | 'delete' | 'take'; readonly key: number; readonly flags: number }
  | { readonly op: 'next'; readonly key: number | undefined; readonly flags: number }
  | { readonly op: 'freeze' }

interface Subject {
  run(operation: Operation, value: number): readonly [number, string]
  close(): void
}

const errnoOf = (make: () => Subject): Subject | number => {
  try {
    return make()
  } catch (error) {
    if (error instanceof ErrnoError) return error.errno
    throw error
  }
}

/** A key of any size that is told apart by its first bytes. */
function keyBytes(size: number, key: number): Uint8Array {
  return new Uint8Array(size).map((_, i) => (i < 4 ? (key >>> (8 * i)) & 0xff : 0x5a))
}

function onLinux({ type, keySize, valueSize, maxEntries, flags = 0 }: NewMap): Subject {
  const fd = linuxMap({ type: mapTypes[type], keySize, valueSize, maxEntries, flags })
  const commands = {
    lookup: 'map_lookup_elem',
    update: 'map_update_elem',
    delete: 'map_delete_elem',
    take: 'map_lookup_and_delete_elem',
    next: 'map_get_next_key',
  } as const
  return {
    run(operation, fill) {
      if (operation.op === 'freeze') return [bpfRaw('map_freeze', attribute(32).u32(0, fd)), '']
      const out = new Uint8Array(operation.op === 'next' ? keySize : valueSize).fill(
        operation.op === 'update' ? fill : 0,
      )
      // delete and get_next_key have no flags
      const given = ['delete', 'next'].includes(operation.op) ? 0 : operation.flags
      const block = attribute(32).u32(0, fd).u64(24, BigInt(given))
      if (operation.key !== undefined) block.pointer(8, keyBytes(keySize, operation.key))
      if (operation.op !== 'delete') block.pointer(16, out)
      const result = bpfRaw(commands[operation.op], block)
      return [result, result === 0 ? Buffer.from(out).toString('hex') : '']
    },
    close: () => closeSync(fd),
  }
}

function onMachine(spec: NewMap): Subject {
  const runtime = createRuntime({ maxPages: 1024 })
  const map = createMap(runtime, spec)
  return {
    run(operation, fill) {
      if (operation.op === 'freeze') return [freezeMap(runtime, map), '']
      const key = keyBytes(spec.keySize, operation.key ?? 0)
      const out = new Uint8Array(operation.op === 'next' ? spec.keySize : spec.valueSize)
      const { flags } = operation
      const result = {
        lookup: () => readElement(runtime, map, key, out, flags),
        update: () => writeElement(runtime, map, key, out.fill(fill), flags),
        delete: () => deleteElement(runtime, map, key),
        take: () => takeElement(runtime, map, key, out, flags),
        next: () => nextKey(runtime, map, operation.key === undefined ? undefined : key, out),
      }[operation.op]()
      return [result, result === 0 ? Buffer.from(out).toString('hex') : '']
    },
    close: () => {},
  }
}

/** All keys by get_next_key, and the errno at the end. */
function keysOf({ run }: Subject): (string | number)[] {
  const all: (string | number)[] = []
  let last: number | undefined
  for (let i = 0; i < 20; i++) {
    const [errno, bytes] = run({ op: 'next', key: last, flags: 0 }, 0)
    if (errno) return [...all, errno]
    all.push(bytes)
    last = Buffer.from(bytes, 'hex').readUIntLE(0, Math.min(4, bytes.length / 2))
  }
  return all
}

const flags = fc.constantFrom(0, 0, 0, 0, 1, 2, 3, 4, 5, 8, 2 ** 32)
const key = fc.oneof({ weight: 8, arbitrary: fc.nat(5) }, { weight: 1, arbitrary: fc.constantFrom(100, 0xffffffff) })
const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 60,
    arbitrary: fc.record({ op: fc.constantFrom('lookup', 'update', 'update', 'delete', 'take', 'next'), key, flags }),
  },
  { weight: 1, arbitrary: fc.constant<Operation>({ op: 'freeze' }) },
)
const shape = fc.record({
  type: fc.constantFrom('array', 'hash', 'lru_hash'),
  keySize: fc.oneof(fc.constant(4), fc.integer({ min: 0, max: 24 })),
  valueSize: fc.integer({ min: 0, max: 70 }),
  maxEntries: fc.integer({ min: 0, max: 5 }),
  flags: fc.oneof(
    fc.constantFrom(0, 1, 8, 16),
    fc.nat(20).map((bit) => 1 << bit),
  ),
}) satisfies fc.Arbitrary<NewMap>

describe.skipIf(skip)('beside the running kernel', () => {
  it('the same maps are made, and the same operations give the same errno and bytes', () => {
    let made = 0
    fc.assert(
      fc.property(shape, fc.array(operation, { maxLength: 40 }), (spec, operations) => {
        // numa_node needs a node that exists; the kernel rounds an LRU's size up by CPU, so only an empty one is full
        const roomy = spec.type === 'lru_hash' && spec.maxEntries > 0 ? { ...spec, maxEntries: 1000 } : spec
        const [linux, machine] = [errnoOf(() => onLinux(roomy)), errnoOf(() => onMachine(roomy))]
        if (typeof linux === 'number' || typeof machine === 'number') {
          if (typeof linux !== 'number') linux.close()
          expect(machine).toBe(linux)
          return
        }
        made++
        try {
          operations.forEach((step, i) => {
            // in which order a hash is iterated is its own business
            const act = (subject: Subject): unknown =>
              step.op === 'next' && roomy.type !== 'array' ? keysOf(subject).sort() : subject.run(step, i & 0xff)
            expect(act(machine), `${JSON.stringify(step)} of ${JSON.stringify(roomy)}`).toEqual(act(linux))
          })
        } finally {
          linux.close()
        }
      }),
      { numRuns: 1500, seed: 618 },
    )
    expect(made).toBeGreaterThan(200)
  })
})
