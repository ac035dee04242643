/**
 * Small things that most routines share: the machine block, CPU blocks, negative errnos, and the machine's lock.
 *
 * In a module emitted `plain` there is one thread and no lock. Emitted `atomic`, every routine that JavaScript or a shim
 * may call is wrapped to hold the one lock of the machine while it works: correct first, finer later. Routines call each
 * other unwrapped.
 */
import { errnos } from '../uapi/index.js'
import { type AnyRoutine, type Arg, type Fn, i32, type Mode, type Routine, routine, type Value } from '../wasm/index.js'
import { CPU, MACHINE, MACHINE_AT } from './layout.js'

/** An expression of an i32: most often an address. */
export type I32 = Value<'i32'>

/** The machine block. */
export const machine: I32 = i32(MACHINE_AT)

/** -EINVAL and its kin, as routines return them. */
export const error = Object.fromEntries(Object.entries(errnos).map(([name, number]) => [name, -number])) as {
  readonly [K in keyof typeof errnos]: number
}

/** Address of the block of a CPU, by its number. */
export function cpuBlock(cpu: I32): I32 {
  return machine.load32(MACHINE.cpus).add(cpu.mul(CPU.size))
}

/** Adds to a word of the machine block. */
export function bump(f: Fn, offset: number, by: Arg<'i32'>): void {
  f.add32(machine, offset, by)
}

const wrapped = new WeakMap<AnyRoutine, AnyRoutine>()

/** The routine as outsiders may call it: itself in a plain module, under the machine's lock in an atomic one. */
export function guarded(inner: AnyRoutine, mode: Mode): AnyRoutine {
  if (mode === 'plain') return inner
  const known = wrapped.get(inner)
  if (known) return known
  const call = inner as Routine<readonly ('i32' | 'i64')[], 'i32' | 'i64' | undefined>
  const outer = routine(`${inner.id}_locked`, inner.params, inner.result, (f, ...args) => {
    f.while(machine.cmpxchg32(MACHINE.lock, 0, 1).ne(0), () => {})
    const made = call(...args)
    const result = 'type' in made ? f.local(made) : undefined
    if (!('type' in made)) f.do(made)
    f.sharedStore32(machine, MACHINE.lock, 0)
    return result ?? 0
  })
  wrapped.set(inner, outer)
  return outer
}
