/** From an object's blueprint to the program that is verified: maps with their special fields, functions with linkage. */
import { type Btf, specialFields } from '../btf/index.js'
import { isWide } from '../isa/index.js'
import type { FunctionInfo, MapSpec, ObjectSpec, ProgramSpec } from '../object/spec.js'
import type { Profile } from '../profile/index.js'
import { mapFlags } from '../uapi/index.js'
import { type Effects, functionEffects } from './prepare/effects.js'
import type { MapView, Program, Subprogram } from './program.js'

/** The kernel keeps 15 characters of a name. */
const maxName = 15

/** A map as the verifier sees it. */
export function mapView(spec: MapSpec, btf: Btf | undefined): MapView {
  const hasBtf = btf !== undefined && spec.valueTypeId !== 0
  const cannotChange = spec.frozen && (spec.flags & mapFlags.rdonly_prog) !== 0
  return {
    name: spec.name.slice(0, maxName),
    spec,
    hasBtf,
    fields: hasBtf ? specialFields(btf, spec.valueTypeId).fields : [],
    inner: spec.innerMap && mapView(spec.innerMap, btf),
    constantBytes: cannotChange ? spec.contents : undefined,
  }
}

/** The maps of an object by name, each seen once, so that two references to a map are the same map. */
export function mapViews(object: ObjectSpec): ReadonlyMap<string, MapView> {
  return new Map(Object.entries(object.maps).map(([name, spec]) => [name, mapView(spec, object.btf)]))
}

/** A program of the object; `starts` are the first instructions of its functions, in order. */
export function loadProgram(
  object: ObjectSpec,
  spec: ProgramSpec,
  maps: ReadonlyMap<string, MapView>,
  starts: readonly number[],
  profile: Profile,
): Program {
  const used = new Map<number, MapView>()
  for (const [index, { kind, name }] of spec.references) {
    const insn = spec.insns[index]
    const map = maps.get(name)
    if ((kind === 'map' || kind === 'map_value') && map && insn && isWide(insn)) used.set(index, map)
  }
  return {
    spec,
    insns: spec.insns,
    subprograms: subprograms(spec, object.btf, starts, functionEffects(spec.insns, starts, spec.references, profile)),
    lines: spec.lines,
    license: object.license,
    btf: object.btf,
    references: spec.references,
    relocated: new Set(spec.coreRelocations.map(({ insn }) => insn)),
    maps: used,
  }
}

function subprograms(
  spec: ProgramSpec,
  btf: Btf | undefined,
  starts: readonly number[],
  effects: readonly Effects[],
): Subprogram[] {
  return starts.map((start, number) => {
    const known = spec.functions.find((each) => each.start === start)
    const end = starts[number + 1] ?? spec.insns.length
    const name = known?.name ?? ''
    const { changesPacket = false, mightSleep = false } = effects[number] ?? {}
    const global = number > 0 && isGlobal(known, btf)
    return { name, start, end, typeId: known?.typeId ?? 0, global, changesPacket, mightSleep }
  })
}

function isGlobal(known: FunctionInfo | undefined, btf: Btf | undefined): boolean {
  const type = known?.typeId ? btf?.types[known.typeId] : undefined
  return type?.kind === 'func' && type.linkage === 'global'
}
