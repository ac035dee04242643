/**
 * The kfuncs of one load: those of the kernel's profile and those that the user supplies, checked against what the programs
 * declare. What the verifier, the relocation and the calls need to know about them comes from here.
 */
import { BpfError } from '../bits/index.js'
import { valueCodec } from '../btf/values.js'
import type { ObjectSpec } from '../object/spec.js'
import { type KfuncRow, type Profile, withKfuncs } from '../profile/index.js'
import type { Kfunc } from './kfunc.js'
import { type KfuncPlan, planKfunc } from './kfunc-call.js'
import { compatible, type Prototype, withNames } from './prototype.js'

/** A kfunc in TypeScript that the object declares. */
export interface SuppliedKfunc {
  readonly kfunc: Kfunc
  readonly plan: KfuncPlan
}

/** All kfuncs of one load. */
export interface KfuncSet {
  /** The kernel's profile with the user's kfuncs in it: what the verifier works with. */
  readonly profile: Profile
  /** By name. */
  readonly supplied: ReadonlyMap<string, SuppliedKfunc>
  /** Weak externs that the kernel has in another shape: they count as missing (3.5). */
  readonly incompatible: ReadonlySet<string>
}

/**
 * Checks the object's kfunc externs. Throws `BpfError`: `kfunc-prototype` where a declaration disagrees with BTF, `kfunc-flags`
 * where flags disagree with the kernel's.
 */
export function kfuncSet(profile: Profile, spec: ObjectSpec, kfuncs: Readonly<Record<string, Kfunc>>): KfuncSet {
  const supplied = new Map<string, SuppliedKfunc>()
  const incompatible = new Set<string>()
  const rows: KfuncRow[] = []
  for (const extern of spec.externs) {
    if (extern.kind !== 'kfunc' || !spec.btf || extern.typeId === 0) continue
    const { name } = extern
    const known = profile.kfunc(name)
    const declared: Prototype = { btf: spec.btf, func: extern.typeId }
    if (known?.kernelId && !compatible(known.types(), declared, name)) {
      incompatible.add(name)
      if (extern.weak) continue
      throw new BpfError(
        'kfunc-prototype',
        `its declaration is incompatible with that of Linux ${profile.kernel}${hint(profile, name)}`,
        { place: `kfunc ${name}` },
      )
    }
    const kfunc = Object.hasOwn(kfuncs, name) ? kfuncs[name] : undefined
    if (!kfunc) continue
    const prototype = known?.kernelId ? known.types() : named(declared, name, kfunc)
    if (known) assertFlags(known, kfunc)
    const plan = planKfunc(name, kfunc, prototype.btf, prototype.func, (type) => valueCodec(prototype.btf, type))
    supplied.set(name, { kfunc, plan })
    rows.push({
      name,
      kernelId: known?.kernelId ?? 0,
      described: true,
      flags: { ...known?.flags, ...flagsOf(kfunc) },
      programTypes: kfunc.flags.programTypes ?? known?.programTypes ?? 'all',
      types: () => prototype,
    })
  }
  return { profile: rows.length > 0 ? withKfuncs(profile, rows) : profile, supplied, incompatible }
}

function named(declared: Prototype, name: string, { flags }: Kfunc): Prototype {
  return flags.parameters ? withNames(declared, name, flags.parameters) : declared
}

function hint(profile: Profile, name: string): string {
  const text = profile.kfuncHint(name)
  return text ? `: ${text}` : ''
}

const flagNames = ['sleepable', 'acquire', 'release', 'retNull'] as const

function flagsOf({ flags }: Kfunc): Partial<Record<(typeof flagNames)[number], boolean>> {
  return Object.fromEntries(flagNames.flatMap((name) => (flags[name] ? [[name, true]] : [])))
}

/** The kernel's own flags stand; a declaration may repeat them, not contradict them. */
function assertFlags(known: KfuncRow, { flags }: Kfunc): void {
  const wrong = flagNames.find((name) => flags[name] !== undefined && flags[name] !== (known.flags[name] ?? false))
  if (!wrong) return
  throw new BpfError('kfunc-flags', `the kernel's own is ${known.flags[wrong] ? '' : 'not '}${wrong}`, {
    place: `kfunc ${known.name}`,
  })
}
