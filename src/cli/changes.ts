/** What a run changed: writable globals and map elements, before and after. */
import { readValue } from '../btf/index.js'
import type { BpfMap, Collection } from '../host/index.js'
import type { MapSpec, ObjectSpec } from '../object/index.js'
import { showValue, toJson } from './show.js'

/** Elements of one map that are read; the rest of a larger map is counted only. */
const MOST_ELEMENTS = 10_000

/** Values at one moment: globals by name, elements by map and key. */
export interface Snapshot {
  readonly globals: ReadonlyMap<string, unknown>
  readonly maps: ReadonlyMap<string, MapSnapshot>
}

interface MapSnapshot {
  readonly elements: ReadonlyMap<string, unknown>
  /** There are more elements than were read. */
  readonly more: boolean
}

/** Before the first run nothing but what the object itself says: globals as initialised, arrays zero, other maps empty. */
export function emptySnapshot(spec: ObjectSpec): Snapshot {
  const globals = new Map(writableGlobals(spec).map((name) => [name, spec.variables[name]]))
  return { globals, maps: new Map() }
}

/** Reads globals and maps. */
export function takeSnapshot(spec: ObjectSpec, app: Collection): Snapshot {
  const globals = new Map(writableGlobals(spec).map((name) => [name, app.globals[name]]))
  const maps = new Map<string, MapSnapshot>()
  for (const [name, map] of Object.entries(app.maps)) {
    if (!map.spec.contents) maps.set(name, readMap(spec, map))
  }
  return { globals, maps }
}

/** Names of variables that programs may write. */
function writableGlobals(spec: ObjectSpec): string[] {
  const { btf } = spec
  if (!btf) return []
  return Object.values(spec.maps).flatMap((map) => {
    const type = map.contents && !map.frozen ? btf.types[map.valueTypeId] : undefined
    const ids = type?.kind === 'datasec' ? type.vars.map((variable) => variable.type) : []
    return ids.map((id) => btf.type(id).name)
  })
}

/** Elements by key; of an array those that are not zero, since all of them always exist. */
function readMap(spec: ObjectSpec, map: BpfMap): MapSnapshot {
  const zero = map.spec.type === 'array' ? toJson(zeroValue(spec, map.spec)) : undefined
  const elements = new Map<string, unknown>()
  let seen = 0
  for (const [key, value] of map) {
    if (++seen > MOST_ELEMENTS) return { elements, more: true }
    if (zero === undefined || toJson(value) !== zero) elements.set(showKey(key), value)
  }
  return { elements, more: false }
}

function zeroValue(spec: ObjectSpec, { valueTypeId, valueSize }: MapSpec): unknown {
  const bytes = new Uint8Array(valueSize)
  return spec.btf && valueTypeId ? readValue(spec.btf, valueTypeId, bytes) : bytes
}

function showKey(key: unknown): string {
  return typeof key === 'string' ? key : showValue(key)
}

/** One thing that is not as it was: `beats[0]`, from and to; `undefined` where it did not or does not exist. */
export interface Change {
  readonly name: string
  readonly before: unknown
  readonly after: unknown
}

/** What differs between two moments, globals first. */
export function changesBetween(before: Snapshot, after: Snapshot): Change[] {
  const changes: Change[] = []
  const compare = (name: string, from: unknown, to: unknown): void => {
    if (toJson(from ?? null) !== toJson(to ?? null)) changes.push({ name, before: from, after: to })
  }
  for (const [name, value] of after.globals) compare(name, before.globals.get(name), value)
  for (const [map, { elements }] of after.maps) {
    const old = before.maps.get(map)?.elements ?? new Map<string, unknown>()
    for (const key of new Set([...old.keys(), ...elements.keys()])) {
      compare(`${map}[${key}]`, old.get(key), elements.get(key))
    }
  }
  return changes
}

/** Maps that have more elements than were read. */
export function truncatedMaps(snapshot: Snapshot): string[] {
  return [...snapshot.maps].filter(([, { more }]) => more).map(([name]) => name)
}
