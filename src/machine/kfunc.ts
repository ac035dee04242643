/**
 * Kernel functions written in TypeScript. A declaration carries the flags that the kernel's BTF_ID_FLAGS would; the types
 * come from BTF: the kernel's prototype where it has that kfunc, the program's own extern otherwise.
 */
import type { ProgramType } from '../uapi/index.js'

/** What the verifier must know about a kfunc besides its prototype. */
export interface KfuncFlags {
  /** KF_SLEEPABLE: only callable where sleeping is allowed. */
  readonly sleepable?: boolean
  /** KF_ACQUIRE: returns a reference that the program must release. */
  readonly acquire?: boolean
  /** KF_RELEASE: releases the reference in its argument. */
  readonly release?: boolean
  /** KF_RET_NULL: the pointer that it returns may be NULL. */
  readonly retNull?: boolean
  /** Program types that may call it; default: all. */
  readonly programTypes?: readonly ProgramType[]
  /**
   * Names of the parameters, with the suffixes that carry meaning (`['buf', 'buf__sz']`). The kernel's BTF has them; in an
   * object clang leaves them out of `extern` declarations, so a kfunc that the kernel lacks gets them from here.
   */
  readonly parameters?: readonly string[]
}

/** What an implementation may give back; `undefined` only where the prototype returns void. */
export type KfuncResult = number | bigint | boolean | null | undefined | KfuncPointer

/** An implementation. Its parameters are those of the prototype, see {@link KfuncPointer}; it may be `async`. */
export type KfuncImpl = (...args: never[]) => KfuncResult | Promise<KfuncResult> | void | Promise<void>

/** A declared kfunc, for `load(spec, { kfuncs: { name: kfunc(...) } })`. */
export interface Kfunc {
  readonly flags: KfuncFlags
  readonly impl: KfuncImpl
}

/**
 * Declares a kfunc. How arguments arrive:
 *
 * | parameter in C | argument |
 * |---|---|
 * | integer or enum up to 32 bits; a size | `number` |
 * | 64-bit integer | `bigint` |
 * | `bool` | `boolean` |
 * | pointer followed by a size (`__sz`, `__szk`) | `Uint8Array` of that size |
 * | `const char *x__str` | `string` |
 * | `void *x__map` | the map |
 * | pointer to a complete type | `KfuncPointer`: bytes, and the value by BTF |
 * | any other pointer | `KfuncPointer` with an address only |
 * | NULL | `null` |
 * | `x__ign`, `x__prog` | left out |
 *
 * Bytes are a copy; what the function changes in them is written back when it ends (for an `async` one, when its promise
 * settles), unless the parameter points to `const`. An integer result is cut to the prototype's size.
 */
export function kfunc(flags: KfuncFlags, impl: KfuncImpl): Kfunc {
  return { flags, impl }
}

/** A pointer argument. May be returned where the prototype returns a pointer. */
export interface KfuncPointer {
  /** Address in the machine's memory. */
  readonly address: number
  /** A copy of what it points to; empty where BTF does not know its size. */
  readonly bytes: Uint8Array
  /** The same as a value by BTF; assigning changes `bytes`. */
  value: unknown
}
