/**
 * Specialised routines do what the general ones do: the same results, and the same memory byte for byte, whatever the map
 * and the operations, and also where both take turns on one map.
 */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createLinker, ModuleWriter } from '../wasm/index.js'
import { grown } from './alloc.js'
import {
  createFuncs,
  createMap,
  createProg,
  createRuntime,
  guarded,
  MACHINE,
  MACHINE_AT,
  MAP,
  type MapHelpers,
  type NewMap,
  type Runtime,
  snapshot,
  specialiseMap,
} from './index.js'
import { refresh } from './runtime.js'

interface Helpers {
  lookup(key: number): number
  update(key: number, value: number, flags: number, cpu: number): number
  remove(key: number): number
}

/** The helpers for a map as a module of their own over the machine's memory. */
function instantiate(runtime: Runtime, helpers: MapHelpers): Helpers {
  const writer = new ModuleWriter()
  writer.importMemory('host', 'memory', { min: 1, max: 32768, shared: runtime.mode === 'atomic' })
  const linker = createLinker(writer, runtime.mode, [grown])
  const put = (name: string, helper: keyof MapHelpers & `bpf_${string}`): void =>
    writer.exportFunc(name, linker.index(guarded(helpers[helper].routine, runtime.mode)))
  put('lookup', 'bpf_map_lookup_elem')
  put('update', 'bpf_map_update_elem')
  put('remove', 'bpf_map_delete_elem')
  linker.flush()
  const host = { memory: runtime.memory, grown: () => void refresh(runtime.views, runtime.memory) }
  return new WebAssembly.Instance(new WebAssembly.Module(writer.finish()), { host }).exports as unknown as Helpers
}

/** A machine with the map, room for keys and values, and a callback. */
function world(spec: NewMap, mode: Runtime['mode'] = 'plain') {
  const runtime = createRuntime({ cpus: 2, seed: 3n, mode })
  const map = createMap(runtime, spec)
  const prog = createProg(runtime, { type: 31 })
  const [callback] = createFuncs(runtime, prog, [10]) as [number]
  const keyAt = runtime.calls.allocZeroed(spec.keySize + 8)
  const room = runtime.calls.allocZeroed(spec.valueSize + 8)
  const { calls } = runtime
  const general: Helpers = {
    lookup: (key) => calls.mapLookup(map, key),
    update: (key, value, flags, cpu) => calls.mapUpdate(map, key, value, flags, cpu),
    remove: (key) => calls.mapDelete(map, key),
  }
  return { runtime, map, prog, callback, keyAt, room, general, special: spec.special ?? {} }
}
type World = ReturnType<typeof world>

const specials = fc.constantFrom<NewMap['special']>(
  {},
  { wq: 8 },
  { timer: 0 },
  { lock: 4 },
  { wq: 8, timer: 24, lock: 40, taskWork: 48 },
)
const maps: fc.Arbitrary<NewMap> = fc
  .record({
    kind: fc.constantFrom(
      { type: 'hash' as const },
      { type: 'hash' as const, flags: 1 },
      { type: 'lru_hash' as const },
      { type: 'array' as const },
    ),
    keySize: fc.oneof(fc.constantFrom(4, 8, 12, 16, 17, 63, 64, 65, 71), fc.integer({ min: 1, max: 40 })),
    extra: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(4, 8, 16, 64, 65, 100)),
    maxEntries: fc.integer({ min: 1, max: 9 }),
    special: specials,
  })
  .map(({ kind, keySize, extra, maxEntries, special = {} }) => {
    const { lock, ...others } = special
    const fields = kind.type === 'lru_hash' ? others : special
    const valueSize = (Object.keys(special).length ? 56 : 0) + extra
    return { ...kind, keySize: kind.type === 'array' ? 4 : keySize, valueSize, maxEntries, special: fields }
  })

const step = fc.record({
  op: fc.constantFrom('update', 'update', 'update', 'delete', 'lookup', 'lookup', 'wq', 'timer', 'lock', 'pick'),
  key: fc.nat(7),
  flags: fc.constantFrom(0, 0, 0, 1, 2, 3, 4, 5, 8, -1),
  cpu: fc.nat(1),
  /** Where the new value comes from: fresh bytes, or what an earlier lookup gave, at this distance. */
  from: fc.option(fc.integer({ min: -9, max: 9 }), { nil: undefined, freq: 2 }),
  general: fc.boolean(),
})
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** Does one step; the pointers that lookups gave are kept in `pointers`. */
function act({ runtime, prog, callback, keyAt, room, special, map }: World, by: Helpers, s: Step, pointers: number[]) {
  const { calls, views, load32, store32 } = runtime
  const size = load32(map + MAP.keySize)
  for (let i = 0; i < size; i++) views.u8[keyAt + i] = i === 0 || i === size - 1 ? s.key : i
  for (let i = 4; i < size && load32(map + MAP.type) === 2; i++) views.u8[keyAt + i] = 0
  if (load32(map + MAP.type) === 2) store32(keyAt, s.key)
  const stale = s.from === undefined ? undefined : pointers.at(-1)
  if (s.op === 'update') {
    views.u8.fill(s.key * 7 + s.flags + 1, room, room + load32(map + MAP.valueSize))
    return by.update(keyAt, stale === undefined ? room : stale + (s.from ?? 0), s.flags, s.cpu)
  }
  if (s.op === 'delete') return by.remove(keyAt)
  if (s.op === 'pick') {
    const object = calls.wqPick(s.cpu)
    if (object) calls.wqFinish(object)
    return object
  }
  const value = by.lookup(keyAt)
  if (value) pointers.push(value)
  if (!value || s.op === 'lookup') return value
  if (s.op === 'lock' && special.lock !== undefined) store32(value + special.lock, s.flags & 1)
  if (s.op === 'wq' && special.wq !== undefined) {
    const cell = value + special.wq
    return calls.wqInit(cell, map, 0) | calls.wqSetCallback(cell, callback, 0, prog) | calls.wqStart(cell, 0, s.cpu)
  }
  if (s.op === 'timer' && special.timer !== undefined) {
    const cell = value + special.timer
    return (
      calls.timerInit(cell, map, 1) | calls.timerSetCallback(cell, callback, prog) | calls.timerStart(cell, 9n, 0, 0)
    )
  }
  return value
}

it('specialised = general: results and every byte of memory, for any map and any operations', () => {
  fc.assert(
    fc.property(maps, fc.array(step, { minLength: 20, maxLength: 60 }), (spec, steps) => {
      const [a, b] = [world(spec), world(spec)]
      const special = instantiate(b.runtime, specialiseMap(b.runtime, b.map))
      const pointers: [number[], number[]] = [[], []]
      for (const s of steps) {
        const expected = act(a, a.general, s, pointers[0])
        expect(act(b, s.general ? b.general : special, s, pointers[1]), JSON.stringify(s)).toBe(expected)
      }
      expect(Buffer.compare(snapshot(a.runtime), snapshot(b.runtime))).toBe(0)
    }),
    { numRuns: 300 },
  )
}, 60_000)

it('waits only where the map gives a reason to', () => {
  const waits = (spec: Partial<NewMap>): string[] => {
    const { runtime, map } = world({ type: 'hash', keySize: 4, valueSize: 32, maxEntries: 2, ...spec })
    const { bpf_map_update_elem: update, bpf_map_delete_elem: remove } = specialiseMap(runtime, map)
    return [update.waits, remove.waits]
  }
  expect(waits({})).toEqual(['never', 'never'])
  expect(waits({ special: { wq: 0 } })).toEqual(['never', 'never'])
  expect(waits({ special: { lock: 0 } })).toEqual(['before', 'never'])
  expect(waits({ special: { timer: 0 } })).toEqual(['after', 'after'])
})

it('names the timer whose callback runs while it is deleted, and forgets it at the next operation', () => {
  const w = world({ type: 'hash', keySize: 4, valueSize: 16, maxEntries: 2, special: { timer: 0 } })
  const special = instantiate(w.runtime, specialiseMap(w.runtime, w.map))
  const { calls } = w.runtime
  expect(special.update(w.keyAt, w.room, 0, 0)).toBe(0)
  const cell = special.lookup(w.keyAt)
  calls.timerInit(cell, w.map, 1)
  calls.timerSetCallback(cell, w.callback, w.prog)
  calls.timerStart(cell, 0n, 0, 0)
  calls.clockAdvanceTo(100n)
  const object = calls.timerPick(0)
  expect(object).not.toBe(0)
  const waitFor = (): number => w.runtime.load32(MACHINE_AT + MACHINE.waitFor)
  expect(special.remove(w.keyAt)).toBe(0)
  expect(waitFor()).toBe(object)
  expect(special.remove(w.keyAt)).toBe(-2)
  expect(waitFor()).toBe(0)
})

it('takes the machine lock in an atomic module, and gives it back', () => {
  const w = world({ type: 'lru_hash', keySize: 8, valueSize: 8, maxEntries: 2 }, 'atomic')
  const special = instantiate(w.runtime, specialiseMap(w.runtime, w.map))
  expect(special.update(w.keyAt, w.room, 0, 0)).toBe(0)
  expect(special.lookup(w.keyAt)).toBe(w.general.lookup(w.keyAt))
})
