/**
 * Program and function descriptors: made and read by JavaScript when programs are loaded and released. The counting itself
 * is done by the routines of `prog.ts`.
 */
import { ErrnoError, errnos } from '../uapi/index.js'
import { FUNC, FUNC_MAGIC, MACHINE, MACHINE_AT, PROG, PROG_MAGIC, progFlags } from './layout.js'
import type { Runtime } from './runtime.js'

/** What a new program is. */
export interface NewProg {
  /** Kernel number of the program type. */
  readonly type: number
  readonly sleepable?: boolean
  /** Left in `PROG.tag` for JavaScript's own table. */
  readonly tag?: number
}

function allocate({ calls }: Runtime, size: number): number {
  const address = calls.allocZeroed(size)
  if (address === 0) throw new ErrnoError(errnos.ENOMEM, 'prog_load')
  return address
}

/** Makes a program's descriptor with one user reference; returns its address. Throws `ErrnoError` (ENOMEM). */
export function createProg(runtime: Runtime, { type, sleepable = false, tag = 0 }: NewProg): number {
  const { load32, store32 } = runtime
  const prog = allocate(runtime, PROG.size)
  const id = load32(MACHINE_AT + MACHINE.nextProgId)
  store32(prog + PROG.magic, PROG_MAGIC)
  store32(prog + PROG.id, id)
  store32(prog + PROG.refs, 1)
  store32(prog + PROG.flags, sleepable ? progFlags.sleepable : 0)
  store32(prog + PROG.type, type)
  store32(prog + PROG.tag, tag)
  store32(prog + PROG.next, load32(MACHINE_AT + MACHINE.progs))
  store32(MACHINE_AT + MACHINE.progs, prog)
  store32(MACHINE_AT + MACHINE.nextProgId, id + 1)
  return prog
}

/**
 * Makes the function descriptors of a program, one for each first instruction in `starts`; returns their addresses, the
 * values that programs see as pointers to functions. They lie side by side and are freed as one, by the first address.
 * Throws `ErrnoError` (ENOMEM).
 */
export function createFuncs(runtime: Runtime, prog: number, starts: readonly number[]): number[] {
  const { store32 } = runtime
  const first = allocate(runtime, FUNC.size * starts.length)
  store32(prog + PROG.funcs, first)
  store32(prog + PROG.funcCount, starts.length)
  return starts.map((pc, index) => {
    const func = first + index * FUNC.size
    store32(func + FUNC.magic, FUNC_MAGIC)
    store32(func + FUNC.prog, prog)
    store32(func + FUNC.pc, pc)
    store32(func + FUNC.index, index)
    return func
  })
}

/** Addresses of all programs that have a descriptor, oldest first; `PROG.refs` is 0 for released ones. */
export function programs({ load32 }: Runtime): number[] {
  const all: number[] = []
  for (let prog = load32(MACHINE_AT + MACHINE.progs); prog; prog = load32(prog + PROG.next)) all.unshift(prog)
  return all
}

/** Whether a program was released: no descriptor and no asynchronous object holds it, its id is gone (1.5, 1.7). */
export function isReleased({ load32 }: Runtime, prog: number): boolean {
  return load32(prog + PROG.refs) === 0
}

/**
 * Programs that were released and that no task executes any more: their code may be thrown away. The caller drops what
 * hangs on them (maps, function descriptors), then calls `freeProg`.
 */
export function deadProgs(runtime: Runtime): number[] {
  const { load32 } = runtime
  return programs(runtime).filter((prog) => isReleased(runtime, prog) && load32(prog + PROG.running) === 0)
}

/** Frees a dead program's descriptor. */
export function freeProg({ calls, load32, store32 }: Runtime, prog: number): void {
  let at = MACHINE_AT + MACHINE.progs
  while (load32(at) !== prog) at = load32(at) + PROG.next
  store32(at, load32(prog + PROG.next))
  store32(prog + PROG.magic, 0)
  calls.free(prog)
}
