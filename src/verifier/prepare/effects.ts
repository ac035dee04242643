/**
 * What a function may do to its caller, found from its instructions and those of all that it calls: move the packet, sleep.
 * A call of a global function relies on this, since its body is not looked at there (Linux 6.13, 6.14).
 */
import { pseudoCall } from '../../isa/index.js'
import type { Insn } from '../../isa/insn.js'
import type { Reference } from '../../object/spec.js'
import type { Profile } from '../../profile/index.js'
import { isFuncLoad, isLocalCall } from './flow.js'

/** Effects of one function. */
export interface Effects {
  readonly changesPacket: boolean
  readonly mightSleep: boolean
}

const packetKfuncs = new Set(['bpf_xdp_pull_data'])

/** Effects of the functions that begin at `starts`. */
export function functionEffects(
  insns: readonly Insn[],
  starts: readonly number[],
  references: ReadonlyMap<number, Reference>,
  profile: Profile,
): Effects[] {
  const found = starts.map(() => ({ changesPacket: false, mightSleep: false }))
  const calls: [caller: number, callee: number][] = []
  for (const [number, start] of starts.entries()) {
    const effects = found[number]
    for (let i = start; i < (starts[number + 1] ?? insns.length); i++) {
      const insn = insns[i]
      if (!insn || !effects) continue
      if (isLocalCall(insn) || isFuncLoad(insn)) calls.push([number, starts.indexOf(i + insn.imm + 1)])
      else if (insn.code === 0x85) {
        const name = references.get(i)?.name ?? ''
        const isKfunc = insn.src === pseudoCall.kfunc
        const helper = isKfunc ? undefined : profile.helper(insn.imm)
        const sleeps = isKfunc ? profile.kfunc(name)?.flags.sleepable : helper?.mightSleep
        effects.changesPacket ||= isKfunc ? packetKfuncs.has(name) : (helper?.changesPacket ?? false)
        effects.mightSleep ||= sleeps ?? false
      }
    }
  }
  for (let changed = true; changed; ) {
    changed = false
    for (const [caller, callee] of calls) {
      const [to, from] = [found[caller], found[callee]]
      if (!to || !from) continue
      const packet = to.changesPacket || from.changesPacket
      const sleep = to.mightSleep || from.mightSleep
      if (packet === to.changesPacket && sleep === to.mightSleep) continue
      to.changesPacket = packet
      to.mightSleep = sleep
      changed = true
    }
  }
  return found
}
