/** What calls and symbols of a program mean on a machine: leaf routines, engine controls, or calls back into JavaScript. */
import { BpfError } from '../bits/index.js'
import type { CallTarget } from '../engine/index.js'
import { controls } from '../engine/interpreter/control.js'
import type { Reference } from '../object/spec.js'
import { isLeaf, NULL_PAGE_END } from '../runtime/index.js'
import { helperIds } from '../uapi/index.js'
import { addHostCall, type Core, type HostEntry } from './core.js'
import { type HostHelper, hostHelpers } from './host-helpers.js'
import type { KfuncSet } from './kfuncs.js'

/** How calls are resolved for one program; the ids of the host calls made are added to `made`. */
export interface CallResolver {
  helper(id: number): CallTarget
  kfunc(reference: Reference): CallTarget
  ksym(reference: Reference): number
}

const helperNames = new Map<number, string>(Object.entries(helperIds).map(([name, id]) => [id, name]))
const recorded = new Set(['bpf_wq_start', 'bpf_timer_start'])

/** The resolver for one program. */
export function callResolver(core: Core, { profile, supplied, incompatible }: KfuncSet, made: number[]): CallResolver {
  const host = (entry: HostEntry): CallTarget => {
    const id = addHostCall(core, entry)
    made.push(id)
    return { kind: 'host', id }
  }
  const leaf = (name: string): CallTarget | undefined => {
    if (!isLeaf(name)) return undefined
    if (core.options.timelineLimit > 0 && recorded.has(name)) return host({ kind: 'start', name })
    return { kind: 'leaf', name }
  }
  return {
    helper(id) {
      const name = helperNames.get(id)
      if (!name || !profile.hasHelper(id)) {
        throw new BpfError('unknown-helper', `Linux ${profile.kernel} has no helper with number ${id}`)
      }
      const known = leaf(name)
      if (known) return known
      if (Object.hasOwn(controls, name)) return { kind: 'control', name }
      const helpers: Readonly<Record<string, HostHelper>> = hostHelpers
      const run = Object.hasOwn(helpers, name) ? helpers[name] : undefined
      if (run) return host({ kind: 'helper', name, run })
      throw new BpfError('unsupported-helper', `${name} is not supported yet`)
    },
    kfunc({ name, weak }) {
      const own = supplied.get(name)
      if (own) return host({ kind: 'kfunc', ...own })
      if (profile.kfunc(name) && !incompatible.has(name)) {
        const known = leaf(name)
        if (known) return known
        if (Object.hasOwn(controls, name)) return { kind: 'control', name }
        if (!weak)
          throw new BpfError('unsupported-kfunc', `${name} is not supported yet; it can be supplied in TypeScript`)
      }
      if (weak) return host({ kind: 'unresolved', name })
      const hint = profile.kfuncHint(name)
      throw new BpfError(
        'unknown-kfunc',
        `Linux ${profile.kernel} has no kfunc ${name}${hint ? `: ${hint}` : '; it can be supplied in TypeScript'}`,
      )
    },
    ksym({ name, weak }) {
      if (supplied.has(name) || (profile.kfunc(name) && !incompatible.has(name))) return NULL_PAGE_END
      if (weak) return 0
      throw new BpfError('unsupported-ksym', `the kernel symbol ${name} is not supported yet`)
    },
  }
}
