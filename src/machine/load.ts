/**
 * Loading an object into a machine, as libbpf loads it into Linux: kfuncs are looked up, maps made and filled, programs
 * verified, instructions relocated. Either everything is there in the end, or nothing.
 */
import { BpfError } from '../bits/index.js'
import { type Btf, valueCodec } from '../btf/index.js'
import type { Engine } from '../engine/index.js'
import {
  type BpfMap,
  type Codec,
  type Collection,
  type GlobalSection,
  globalsOf,
  type LoadOptions,
  sectionVariables,
} from '../host/index.js'
import type { MapSpec, ObjectSpec, ProgramSpec } from '../object/spec.js'
import type { Profile } from '../profile/index.js'
import { createProg, MAP } from '../runtime/index.js'
import { programTypes } from '../uapi/index.js'
import type { ContextProgram } from './contexts/index.js'
import { assertOpen, type Core, closeProgram, type MapEntry, type ProgramEntry } from './core.js'
import { engineFor } from './engines.js'
import type { Kfunc } from './kfunc.js'
import { type KfuncSet, kfuncSet } from './kfuncs.js'
import { entryOf, makeMap, openMap, rawSection } from './maps.js'
import { type MachineProgram, openProgram } from './program.js'
import { relocate } from './relocate.js'
import { callResolver } from './resolve.js'
import { verifyPrograms } from './verify.js'

/** Options of `machine.load`. */
export interface MachineLoadOptions extends LoadOptions {
  /** Kernel functions in TypeScript, by name. */
  kfuncs?: Readonly<Record<string, Kfunc>>
  /** `false` skips the verifier (default `true`): what a program may do is then limited by the machine's memory only. */
  verify?: boolean
}

/** What a machine made of an object. */
export interface MachineCollection extends Collection {
  readonly programs: Readonly<Record<string, MachineProgram>>
}

/** Everything that one load made, to be undone by `close`, or at once when a later part fails. */
interface Loaded {
  readonly core: Core
  readonly maps: Map<string, MapEntry>
  readonly faces: Record<string, BpfMap>
  readonly programs: Record<string, MachineProgram>
}

/** Loads. Throws `VerifierError` where a program is refused, `ErrnoError` and `BpfError` for whatever else fails. */
export function load(core: Core, profile: Profile, spec: ObjectSpec, options: MachineLoadOptions): MachineCollection {
  assertOpen(core)
  const chosen = choosePrograms(spec, options.programs)
  const kfuncs = kfuncSet(profile, spec, options.kfuncs ?? {})
  const loaded: Loaded = { core, maps: new Map(), faces: {}, programs: {} }
  const close = () => {
    for (const program of Object.values(loaded.programs)) program.close()
    for (const map of Object.values(loaded.faces)) map.close()
  }
  try {
    makeMaps(loaded, spec, chosen, options.maps ?? {})
    const needs = (options.verify ?? true) ? verifyPrograms(spec, chosen, kfuncs) : undefined
    for (const program of chosen) loadProgram(loaded, spec, program, kfuncs, needs?.get(program) ?? 0)
  } catch (error) {
    close()
    throw error
  }
  const sections: GlobalSection[] = []
  for (const [name, entry] of loaded.maps) {
    // By this object's BTF, also where the map is another collection's.
    const variables = sectionVariables(spec.maps[name] ?? entry.spec, spec.btf)
    if (variables.length > 0) {
      sections.push({ name: entry.spec.section ?? name, raw: rawSection(core, entry), variables })
    }
  }
  return {
    programs: loaded.programs,
    maps: loaded.faces,
    globals: globalsOf(sections),
    close,
    async [Symbol.asyncDispose]() {
      close()
    },
  }
}

function choosePrograms(spec: ObjectSpec, names: readonly string[] | undefined): ProgramSpec[] {
  if (!names) return Object.values(spec.programs).filter(({ autoload }) => autoload)
  return names.map((name) => {
    const program = Object.hasOwn(spec.programs, name) ? spec.programs[name] : undefined
    if (program) return program
    throw new BpfError('unknown-program', `the object has no program ${name}`, { place: `object ${spec.name}` })
  })
}

function makeMaps(
  loaded: Loaded,
  spec: ObjectSpec,
  programs: readonly ProgramSpec[],
  shared: Readonly<Record<string, BpfMap>>,
): void {
  const { core } = loaded
  const used = new Set(programs.flatMap(({ references }) => [...references.values()].map(({ name }) => name)))
  const unknown = Object.keys(shared).find((name) => !Object.hasOwn(spec.maps, name))
  if (unknown) throw new BpfError('unknown-map', `the object has no map ${unknown}`, { place: 'option maps' })
  for (const [name, map] of Object.entries(spec.maps)) {
    try {
      const entry = Object.hasOwn(shared, name) ? reuse(core, map, shared[name]) : makeMap(core, map, spec.btf)
      loaded.maps.set(name, entry)
      loaded.faces[name] = Object.hasOwn(shared, name) ? openMap(core, entry) : entry.face
    } catch (error) {
      // A map of a type that a machine lacks is in nobody's way while no program asks for it.
      if (!(error instanceof BpfError) || error.code !== 'unsupported-map-type' || used.has(name)) throw error
    }
  }
}

/** Another collection's map in place of one of this object: it must have the same shape, as libbpf demands. */
function reuse(core: Core, spec: MapSpec, map: BpfMap | undefined): MapEntry {
  const place = `map ${spec.name}`
  const entry = map && entryOf(core, map)
  if (!entry || core.maps.get(entry.address) !== entry) {
    throw new BpfError('foreign-map', 'the map to share is closed, or of another machine', { place })
  }
  const fields = ['type', 'keySize', 'valueSize', 'maxEntries', 'flags'] as const
  const differs = fields.find((field) => entry.spec[field] !== spec[field])
  if (differs) {
    throw new BpfError('map-mismatch', `${differs} is ${entry.spec[differs]} there and ${spec[differs]} here`, {
      place,
    })
  }
  core.rt.calls.mapUserGet(entry.address)
  return entry
}

function loadProgram(
  loaded: Loaded,
  spec: ObjectSpec,
  program: ProgramSpec,
  kfuncs: KfuncSet,
  contextBytes: number,
): void {
  const { core, maps } = loaded
  const { rt } = core
  if (!program.type) {
    throw new BpfError('no-program-type', `section ${program.section} does not say of what type it is`, {
      place: `program ${program.name}`,
    })
  }
  const find = (name: string): MapEntry => {
    const entry = maps.get(name)
    if (entry) return entry
    throw new BpfError('unknown-map', `there is no map ${name}`)
  }
  const address = createProg(rt, { type: programTypes[program.type], sleepable: program.sleepable })
  const hostCalls: number[] = []
  const held = new Set<number>()
  const hold = (name: string): number => {
    const map = find(name).address
    held.add(map)
    return map
  }
  let handles: readonly number[] = []
  let engine: Engine = core.engines.interpreter
  try {
    const code = relocate(program, address, {
      map: hold,
      mapValue: (name) => rt.load32(hold(name) + MAP.storage),
      ...callResolver(core, kfuncs, hostCalls),
    })
    engine = engineFor(
      core.engines,
      hostCalls.map((id) => core.hostCalls.get(id)),
    )
    handles = engine.prepare(code)
  } catch (error) {
    for (const id of hostCalls) core.hostCalls.delete(id)
    closeProgram(core, address)
    throw error
  }
  for (const map of held) rt.calls.mapGet(map)
  const entry: ProgramEntry = { address, spec: program, engine, handles, maps: [...held], hostCalls }
  core.programs.set(address, entry)
  for (const [index, { name }] of program.functions.entries()) {
    const handle = handles[index]
    if (handle !== undefined) core.functions.set(handle, { program: entry, name })
  }
  const context: ContextProgram = { name: program.name, argument: argumentOf(program, spec.btf), contextBytes }
  loaded.programs[program.name] = openProgram(core, entry, context, () => {
    if (!core.closed) closeProgram(core, address)
  })
}

/** How the struct lies in memory to which a program's first parameter points, where its BTF says. */
function argumentOf({ functions }: ProgramSpec, btf: Btf | undefined): Codec | undefined {
  const func = btf?.types[functions[0]?.typeId ?? 0]
  const proto = func?.kind === 'func' ? btf?.types[func.type] : undefined
  const parameter = proto?.kind === 'func_proto' ? proto.params[0] : undefined
  const pointer = parameter && btf?.resolve(parameter.type)
  if (!btf || pointer?.kind !== 'ptr') return undefined
  const target = btf.resolve(pointer.type)
  return target.kind === 'struct' ? valueCodec(btf, target.id) : undefined
}
