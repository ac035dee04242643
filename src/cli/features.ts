/**
 * `workerbee features [kind]`: the kernel's table (`profile/`) joined with the tables of what is implemented. Nothing is
 * listed by hand: a map type is supported if the runtime makes one, a helper if the engine, the runtime or the machine has
 * it and the verifier has its prototype.
 */
import { controls } from '../engine/interpreter/control.js'
import { runnableTypes } from '../machine/contexts/index.js'
import { hostHelpers } from '../machine/host-helpers.js'
import { getProfile, type Profile } from '../profile/index.js'
import { createMap, createRuntime, isLeaf } from '../runtime/index.js'
import { helperIds, type MapType, mapTypes, programTypes } from '../uapi/index.js'
import { usageError } from './exit.js'
import type { Io } from './io.js'
import { toJson } from './show.js'

/** Options of `features`. */
export interface FeaturesOptions {
  readonly kind?: string
  readonly kernel?: string
  readonly json?: boolean
}

/** Something that the kernel offers, and whether this build does. */
export interface Feature {
  readonly kind: 'helper' | 'kfunc' | 'map' | 'program'
  readonly name: string
  readonly supported: boolean
}

type Kind = keyof typeof KINDS

const KINDS = {
  programs: programFeatures,
  maps: mapFeatures,
  helpers: helperFeatures,
  kfuncs: kfuncFeatures,
} as const

/** What a kernel offers of a kind, joined with what is implemented. */
export function featuresOf(kind: Kind, profile: Profile): Feature[] {
  return KINDS[kind](profile)
}

/** Prints counts of everything, or the names of one kind. */
export async function features(options: FeaturesOptions, io: Io): Promise<number> {
  const profile = getProfile(options.kernel ?? '6.18')
  const kinds = Object.keys(KINDS) as Kind[]
  const chosen = options.kind === undefined ? kinds : kinds.filter((kind) => kind === options.kind)
  if (chosen.length === 0) throw usageError('KIND', `${kinds.join(', ')} is wanted, not '${options.kind}'`)
  for (const kind of chosen) {
    const found = featuresOf(kind, profile)
    const names = found.filter(({ supported }) => supported).map(({ name }) => name)
    if (options.json) for (const feature of found) io.out(toJson(feature))
    else if (options.kind === undefined) {
      io.out(
        `${kind.padEnd(8)} ${String(names.length).padStart(4)} of ${found.length} that Linux ${profile.kernel} has`,
      )
    } else for (const feature of found) io.out(`${feature.supported ? io.colors.green('yes') : 'no '}  ${feature.name}`)
  }
  return 0
}

function programFeatures(): Feature[] {
  const runnable = new Set<string>(runnableTypes())
  return named('program', Object.keys(programTypes), (name) => runnable.has(name))
}

function mapFeatures(): Feature[] {
  const runtime = createRuntime({ cpus: 1, seed: 0n })
  const makes = (type: string): boolean => {
    try {
      createMap(runtime, { type: type as MapType, keySize: 4, valueSize: 8, maxEntries: 1 })
      return true
    } catch {
      return false
    }
  }
  return named('map', Object.keys(mapTypes), makes)
}

function helperFeatures(profile: Profile): Feature[] {
  const known = Object.entries(helperIds).filter(([, id]) => profile.hasHelper(id))
  return known.map(([name, id]) => ({
    kind: 'helper',
    name,
    supported: implemented(name) && profile.helper(id) !== undefined,
  }))
}

function kfuncFeatures(profile: Profile): Feature[] {
  const rows = [...profile.kfuncs.values()]
  return rows.map(({ name, described }) => ({ kind: 'kfunc', name, supported: described && implemented(name) }))
}

function implemented(name: string): boolean {
  return isLeaf(name) || Object.hasOwn(controls, name) || Object.hasOwn(hostHelpers, name)
}

/** All but `unspec`, which is none. */
function named(kind: Feature['kind'], names: readonly string[], supported: (name: string) => boolean): Feature[] {
  return names.filter((name) => name !== 'unspec').map((name) => ({ kind, name, supported: supported(name) }))
}
