/**
 * Which loops are being explored, per chain of calls: from the first state that was remembered in the loop until all its
 * paths ended. Linux (6.17) uses this to decide when a loop over iterators has converged; for ordinary loops it only shows
 * in the log.
 */
import type { Env } from './env.js'
import { insnOfFrame, type State } from './state.js'

/** Open visits of loops. */
export interface LoopVisits {
  /** A state was remembered. */
  enter(env: Env, state: State): void
  /** All paths below a remembered state ended. */
  leave(env: Env, state: State): void
  forget(): void
}

/** The outermost loop that the state stands in, with the calls that lead to it; `undefined` outside of loops. */
function loopOf(env: Env, state: State): string | undefined {
  const calls: number[] = []
  for (let number = 0; number < state.frames.length; number++) {
    const insn = insnOfFrame(state, state.insn, number)
    const loop = env.loops[insn]
    if (loop) return [...calls, loop].join(',')
    calls.push(insn)
  }
  return undefined
}

/** Nothing is being visited. */
export function createLoopVisits(): LoopVisits {
  const entries = new Map<string, State>()
  const log = (env: Env, what: string, loop: string): void => {
    if (env.log.level === 2) env.log.write(`SCC ${what} (${loop})\n`)
  }
  return {
    enter(env, state) {
      const loop = loopOf(env, state)
      if (!loop || entries.has(loop)) return
      entries.set(loop, state)
      log(env, 'enter', loop)
    },
    leave(env, state) {
      const loop = loopOf(env, state)
      if (!loop || entries.get(loop) !== state) return
      entries.delete(loop)
      log(env, 'exit', loop)
    },
    forget: () => entries.clear(),
  }
}
