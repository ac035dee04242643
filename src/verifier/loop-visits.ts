/**
 * Loops that are being explored, per chain of calls: from the first state that was remembered in the loop until all its
 * paths ended. A callback that a call runs any number of times makes such a loop: a path that comes back to the call in a
 * state that was met before ends there ("backedge"), although what follows that state is not fully explored yet. Until it
 * is, ranges are compared whether they matter or not; when it is, what mattered is carried over the backedges until
 * nothing new matters (Linux 6.17).
 */
import type { Env } from './env.js'
import { markAllPrecise, propagatePrecision } from './precision.js'
import { copyState, insnOfFrame, type State } from './state.js'

/** Open visits of loops. */
export interface LoopVisits {
  /** A state was remembered. */
  enter(env: Env, state: State): void
  /** All paths below a remembered state ended. */
  leave(env: Env, state: State): void
  /** The current path was ended because `old` covers it, which itself is not fully explored. */
  endAt(env: Env, old: State): void
  /** Whether a state stands in a loop in which paths were ended that way. */
  isOpen(env: Env, state: State): boolean
  forget(): void
}

interface Visit {
  readonly entry: State
  readonly backedges: { readonly from: State; readonly to: State }[]
}

/** How often marks are carried around a loop before everything is marked. */
const maxRounds = 64

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
  const visits = new Map<string, Visit>()
  const log = (env: Env, what: string, loop: string): void => {
    if (env.log.level === 2) env.log.write(`SCC ${what} (${loop})\n`)
  }
  return {
    enter(env, state) {
      const loop = loopOf(env, state)
      if (!loop || visits.has(loop)) return
      visits.set(loop, { entry: state, backedges: [] })
      log(env, 'enter', loop)
    },
    leave(env, state) {
      const loop = loopOf(env, state)
      const visit = loop === undefined ? undefined : visits.get(loop)
      if (!loop || visit?.entry !== state) return
      visits.delete(loop)
      log(env, 'exit', loop)
      settle(env, visit)
    },
    endAt(env, old) {
      const loop = loopOf(env, old)
      const visit = loop === undefined ? undefined : visits.get(loop)
      if (!loop || !visit) {
        env.unsupported('a loop whose first state is not known')
        return
      }
      log(env, 'backedge', loop)
      visit.backedges.unshift({ from: copyState(env.state), to: old })
    },
    isOpen(env, state) {
      const loop = loopOf(env, state)
      return loop !== undefined && (visits.get(loop)?.backedges.length ?? 0) > 0
    },
    forget: () => visits.clear(),
  }
}

/** Carries precision over the backedges until nothing changes. */
function settle(env: Env, { backedges }: Visit): void {
  for (let round = 0, changed = backedges.length > 0; changed; round++) {
    if (round >= maxRounds) {
      for (const { from } of backedges) markAllPrecise(from)
      return
    }
    changed = false
    for (const { from, to } of backedges)
      if (propagatePrecision(env, to, { state: from, insn: from.insn })) changed = true
  }
}
