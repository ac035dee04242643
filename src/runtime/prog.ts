/**
 * Programs as the runtime sees them: who holds one. References come from user space and from asynchronous objects (1.5);
 * at the last one the program is released, its id is gone. Its code stays until no callback executes it (1.21).
 */
import { routine } from '../wasm/index.js'
import { PROG } from './layout.js'

/** Takes a reference; the caller holds one already. */
export const progGet = routine('prog_get', ['i32'], undefined, (f, prog) => {
  f.add32(prog, PROG.refs, 1)
})

/** Takes a reference on a program that may have been released. 1: taken; 0: too late. */
export const progGetIfLive = routine('prog_get_if_live', ['i32'], 'i32', (f, prog) => {
  f.if(prog.load32(PROG.refs).eqz(), () => f.return(0))
  f.add32(prog, PROG.refs, 1)
  return 1
})

/** Drops a reference; at the last one the program loses its id. 0 is ignored. */
export const progPut = routine('prog_put', ['i32'], undefined, (f, prog) => {
  f.if(prog.eqz(), () => f.return())
  f.add32(prog, PROG.refs, -1)
  f.if(prog.load32(PROG.refs).eqz(), () => f.store32(prog, PROG.id, 0))
})
