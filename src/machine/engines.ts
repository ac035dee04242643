/**
 * Which engine executes a program. The interpreter counts, can be stopped anywhere and waits for promises; the compiler is
 * fast and does none of this. A machine asks for one of them; a program that may have to wait in the middle (it calls a
 * sleepable kfunc in TypeScript) is interpreted in any case. Callbacks belong to their program, so both may serve one queue.
 */
import {
  type Compiler,
  compilerOptions,
  createCompiler,
  createInterpreter,
  type Engine,
  runtimeOptions,
} from '../engine/index.js'
import type { Runtime } from '../runtime/index.js'
import type { HostEntry } from './core.js'

/** The engines of a machine, by name. */
export type EngineName = Engine['name']

/** The engines of one machine; the compiler only where it was asked for. */
export interface Engines {
  readonly interpreter: Engine
  readonly compiler: Compiler | undefined
}

/** Makes them. `host` does a host call of compiled code; the interpreter stops for its own. */
export function createEngines(
  rt: Runtime,
  name: EngineName,
  host: (task: number, id: number) => void,
  compile: ((bytes: Uint8Array<ArrayBuffer>) => WebAssembly.Module) | undefined,
): Engines {
  return {
    interpreter: createInterpreter(runtimeOptions(rt)),
    compiler:
      name === 'compiler'
        ? createCompiler({ ...compilerOptions(rt, host), ...(compile ? { compile } : {}) })
        : undefined,
  }
}

/** The engine for a program with these host calls. */
export function engineFor({ interpreter, compiler }: Engines, hostCalls: readonly (HostEntry | undefined)[]): Engine {
  const maySuspend = hostCalls.some((entry) => entry?.kind === 'kfunc' && entry.kfunc.flags.sleepable)
  return compiler && !maySuspend ? compiler : interpreter
}
