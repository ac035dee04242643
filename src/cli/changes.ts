/** What a run changed: writable globals and map elements, before and after. */
import { readValue } from '../btf/index.js'
import type { BpfMap, Collection } from '../host/index.js'
import type { MapSpec, ObjectSpec } from '../object/index.js'
import { showElement, toJson } from './show.js'

/** Elements of one map that are read; the rest of a larger map is counted only. */
const MOST_ELEMENTS = 10_000

/** One element as it was read. */
export interface Element {
  readonly key: unknown
  readonly value: unknown
}

/** Values at one moment: globals by name, elements by map and key. */
export interface Snapshot {
  readonly globals: ReadonlyMap<string, unknown>
  readonly maps: ReadonlyMap<string, MapSnapshot>
}

interface MapSnapshot {
  /** By the text of the key. */
  readonly elements: ReadonlyMap<string, Element>
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
  const elements = new Map<string, Element>()
  let seen = 0
  for (const [key, value] of map) {
    if (++seen > MOST_ELEMENTS) return { elements, more: true }
    if (zero === undefined || toJson(value) !== zero) elements.set(keyText(key), { key, value })
  }
  return { elements, more: false }
}

function zeroValue(spec: ObjectSpec, { valueTypeId, valueSize }: MapSpec): unknown {
  const bytes = new Uint8Array(valueSize)
  return spec.btf && valueTypeId ? readValue(spec.btf, valueTypeId, bytes) : bytes
}

/** A key as JSON has it. */
function keyText(key: unknown): string {
  return typeof key === 'string' ? key : toJson(key).replace(/^"(.*)"$/, '$1')
}

/** One thing that is not as it was, from and to; `undefined` where it did not or does not exist. */
export interface Change {
  readonly name: string
  readonly before: unknown
  readonly after: unknown
  /** The map and key, where it is an element. */
  readonly element?: { readonly map: string; readonly key: unknown }
}

/** What differs between two moments, globals first. */
export function changesBetween(before: Snapshot, after: Snapshot): Change[] {
  const globals = [...after.globals].map(([name, value]) => ({ name, before: before.globals.get(name), after: value }))
  const elements = [...after.maps].flatMap(([map, { elements }]) => {
    const old = before.maps.get(map)?.elements ?? new Map<string, Element>()
    return [...new Set([...old.keys(), ...elements.keys()])].map((text): Change => {
      const [was, is] = [old.get(text), elements.get(text)]
      const key = (is ?? was)?.key
      return { name: showElement(map, key), before: was?.value, after: is?.value, element: { map, key } }
    })
  })
  return [...globals, ...elements].filter((change) => toJson(change.before ?? null) !== toJson(change.after ?? null))
}

/** Maps that have more elements than were read. */
export function truncatedMaps(snapshot: Snapshot): string[] {
  return [...snapshot.maps].filter(([, { more }]) => more).map(([name]) => name)
}
