/**
 * Where exploration stops because it was here before. At a prune point the current state is compared with those that were
 * remembered there; if none covers it, it may be remembered itself. When to remember and when to give a remembered state
 * up are Linux's heuristics (6.18): they decide how many instructions a verification takes, and whether a big loop ends
 * before the limit of a million.
 */
import type { Env } from './env.js'
import { maybeLooping, statesEqual } from './equal.js'
import { Rejection } from './errors.js'
import { recordHistory } from './history.js'
import { formatFrame } from './log/format.js'
import { createLoopVisits } from './loop-visits.js'
import { forgetPrecision, propagatePrecision } from './precision.js'
import { flowFlags } from './prepare/flow.js'
import { notInit } from './registers.js'
import { copyState, currentFrame, emptySlot, type Frame, frameAt, insnOfFrame, type State } from './state.js'

/** A state that was remembered. */
interface Remembered {
  readonly state: State
  hits: number
  misses: number
  /** No longer compared with; kept while paths below it are open. */
  dropped: boolean
}

/** Numbers of the statistics line. */
export interface PruneStats {
  maxStatesPerInsn: number
  totalStates: number
  peakStates: number
}

/** The remembered states of one verification. */
export interface Pruner {
  readonly stats: PruneStats
  /** Instructions and jumps counted by exploration; jumps decide when a state is worth remembering. */
  insnsProcessed: number
  jumpsProcessed: number
  /** How many instructions the caller is willing to wait for. */
  giveUpAfter: number
  /** At a prune point: true where the path is covered by what was explored before. */
  visit(env: Env, lastId: number): boolean
  /** A path ended: states all of whose paths ended may be used for pruning. */
  finish(env: Env, state: State): void
  /** Another function is explored from its start: nothing that was remembered applies. */
  forget(): void
}

/** How many misses per hit a state survives. */
const patience = 3
const checkpointPatience = 64

/** Starts with nothing remembered. `buckets` is the number of instructions: Linux hashes states into so many lists. */
export function createPruner(buckets: number): Pruner {
  /** Newest first. */
  const lists = new Map<number, Remembered[]>()
  const owners = new Map<State, Remembered>()
  const stats: PruneStats = { maxStatesPerInsn: 0, totalStates: 0, peakStates: 0 }
  let kept = 0
  let waiting = 0
  let lastJumps = 0
  let lastInsns = 0
  const loopVisits = createLoopVisits()

  const bucketOf = (insn: number, frame: Frame): number => ((insn ^ frame.callsite) >>> 0) % buckets

  const pruner: Pruner = {
    stats,
    insnsProcessed: 0,
    jumpsProcessed: 0,
    giveUpAfter: Number.POSITIVE_INFINITY,

    visit(env, lastId) {
      const { state: cur, insn } = env
      const flags = env.flags[insn] ?? 0
      const forced = (flags & flowFlags.checkpoint) !== 0 || cur.history.length > 40
      const jumps = pruner.jumpsProcessed - lastJumps
      const insns = pruner.insnsProcessed - lastInsns
      let remember = forced || (jumps >= 2 && insns >= 8)
      const bucket = bucketOf(insn, currentFrame(cur))
      const list = lists.get(bucket) ?? []
      const looked = list.length
      const liveAt = (number: number): number => env.liveRegs[insnOfFrame(cur, insn, number)] ?? 0
      for (const { state } of list) if (state.insn === insn) clean(env, state, cur)

      for (const each of list.slice()) {
        const old = each.state
        if (old.insn !== insn) continue
        const open = old.branches > 0
        // A call that runs a callback ends where nothing new would come of running it again.
        const repeats = open && (flags & flowFlags.callsBack) !== 0
        if ((repeats || !open) && statesEqual(old, cur, repeats ? 'range' : 'safe', liveAt, lastId)) {
          each.hits++
          if (flags & flowFlags.jump) recordHistory(cur, insn, env.prevInsn, {}, true)
          propagatePrecision(env, old)
          return true
        }
        if (open) {
          if (!repeats && isStuck(old, cur) && statesEqual(old, cur, 'exact', liveAt, lastId)) refuseLoop(env, old)
          if (!forced && jumps < 20 && insns < 100) remember = false
        }
        if (remember) each.misses++
        const allowed = flags & flowFlags.checkpoint && old.branches > 0 ? checkpointPatience : patience
        if (each.misses > each.hits * allowed + allowed) drop(each, list)
      }

      stats.maxStatesPerInsn = Math.max(stats.maxStatesPerInsn, looked)
      if (!remember) return false
      stats.totalStates++
      kept++
      stats.peakStates = Math.max(stats.peakStates, kept + waiting)
      lastJumps = pruner.jumpsProcessed
      lastInsns = pruner.insnsProcessed
      forgetPrecision(cur)
      const state = copyState(cur)
      state.insn = insn
      const made: Remembered = { state, hits: 0, misses: 0, dropped: false }
      owners.set(state, made)
      cur.parent = state
      cur.firstInsn = insn
      cur.depth = state.depth + 1
      cur.history = []
      loopVisits.enter(env, state)
      list.unshift(made)
      lists.set(bucket, list)
      return false
    },

    finish(env, state) {
      for (let each: State | undefined = state; each; each = each.parent) {
        each.branches--
        if (each.branches > 0) return
        loopVisits.leave(env, each)
        const owner = owners.get(each)
        if (!owner?.dropped) continue
        owners.delete(each)
        waiting--
      }
    },

    forget() {
      lists.clear()
      owners.clear()
      loopVisits.forget()
      kept = 0
      waiting = 0
    },
  }

  const drop = (each: Remembered, list: Remembered[]): void => {
    list.splice(list.indexOf(each), 1)
    kept--
    waiting++
    each.dropped = true
    if (each.state.branches > 0) return
    owners.delete(each.state)
    waiting--
  }

  return pruner
}

/** Forgets what nobody reads any more in a state whose paths have all ended, so that it covers more. */
function clean(env: Env, old: State, cur: State): void {
  if (old.branches > 0 || old.cleaned || old.frames.length !== cur.frames.length) return
  if (old.frames.some((frame, number) => frame.callsite !== frameAt(cur, number).callsite)) return
  old.cleaned = true
  const insns = old.frames.map((_, number) => insnOfFrame(old, old.insn, number))
  for (const frame of old.frames) {
    const live = env.liveRegs[insns[frame.number] ?? 0] ?? 0
    for (let n = 0; n < 10; n++) if (!(live & (1 << n))) frame.regs[n] = notInit
    for (let i = 0; i < frame.stack.length; i++) {
      if (!env.stackLiveness.isLive(old, insns, frame.number, i)) frame.stack[i] = emptySlot
    }
  }
}

/** A first look for a path that goes round with nothing changed. Another entry into an async callback is no loop. */
function isStuck(old: State, cur: State): boolean {
  const was = currentFrame(old)
  if (was.inAsyncCallback && was.asyncEntryCount !== currentFrame(cur).asyncEntryCount) return false
  return old.callbackUnrollDepth === cur.callbackUnrollDepth && maybeLooping(old, cur)
}

/** The path is back where it was, with nothing changed. */
function refuseLoop(env: Env, old: State): never {
  const message = `infinite loop detected at insn ${env.insn}`
  env.noteSource()
  env.note(message)
  env.log.write(`cur state:${formatFrame(env.state, currentFrame(env.state))}`)
  env.log.write(`old state:${formatFrame(old, currentFrame(old))}`)
  throw new Rejection('EINVAL', message)
}
