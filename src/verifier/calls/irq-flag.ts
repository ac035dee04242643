/**
 * bpf_local_irq_save and bpf_local_irq_restore: the saved flags lie in a stack slot of their own (`fp-8=ffffffff`), are given
 * back once, and in the reverse order. Linux 6.14 and later.
 */
import type { Env } from '../env.js'
import { writeStack } from '../memory/stack.js'
import { anyScalar, notInit, type StackReg } from '../registers.js'
import { emptySlot, type Frame, frameAt, type Slot } from '../state.js'

const saved = 'ffffffff'

interface Place {
  readonly frame: Frame
  readonly index: number
  readonly slot: Slot
}

/** The slot that register `n` points at; `undefined` where it cannot hold flags, which `note` then says. */
function slotOf(env: Env, reg: StackReg): Place | undefined {
  const { tnum } = reg.value
  if (tnum.mask !== 0n) {
    env.note('irq_flag has to be at a constant offset')
    return undefined
  }
  const offset = reg.off + Number(BigInt.asIntN(64, tnum.value))
  if (offset % 8 !== 0) {
    env.note(`cannot pass in irq_flag at an offset=${offset}`)
    return undefined
  }
  const frame = frameAt(env.state, reg.frame)
  const index = -offset / 8 - 1
  return { frame, index, slot: frame.stack[index] ?? emptySlot }
}

/** Register `n`, a stack pointer, receives the flags. */
export function saveIrqFlags(env: Env, n: number, reg: StackReg): void {
  const place = slotOf(env, reg)
  if (!place || place.slot.types.includes('f')) {
    env.reject('EINVAL', `expected uninitialized irq flag as arg#${n - 1}`)
  }
  writeStack(env, n, reg.off, 8, undefined)
  const id = env.newId()
  env.state.references.push({ kind: 'irq', id, insn: env.insn, owner: undefined })
  env.state.irqId = id
  place.frame.stack[place.index] = { types: saved, spilled: { ...anyScalar, refId: id } }
  env.touchSlot(place.index)
}

/** Register `n`, a stack pointer, holds the flags of the innermost bpf_local_irq_save. */
export function restoreIrqFlags(env: Env, n: number, reg: StackReg): void {
  const { state } = env
  const place = slotOf(env, reg)
  if (place?.slot.types !== saved) {
    env.reject('EINVAL', `expected an initialized irq flag as arg#${n - 1}`)
  }
  const { frame, index, slot } = place
  env.stackLiveness.read(state, frame.number, env.insn, 1n << BigInt(index))
  const innermost = state.references.find(({ kind, id }) => kind === 'irq' && id === state.irqId)
  if (slot.spilled.refId !== state.irqId) {
    const at = `expected id=${state.irqId} acquired at insn_idx=${innermost?.insn}`
    env.reject('EACCES', `cannot restore irq state out of order, ${at}`)
  }
  state.references = state.references.filter((reference) => reference !== innermost)
  state.irqId = state.references.filter(({ kind }) => kind === 'irq').pop()?.id ?? 0
  frame.stack[index] = { types: emptySlot.types, spilled: notInit }
  env.touchSlot(index)
}
