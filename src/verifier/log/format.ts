/**
 * Registers, stack slots and frames as the kernel's log prints them: `R1=map_value(map=beats,ks=4,vs=16,off=8)`,
 * `fp-8=mmmm0000`.
 */
import { type Reg, typeName } from '../registers.js'
import { formatRanges, formatScalar, formatSigned, formatUnsigned } from '../scalar/index.js'
import { emptySlot, type Frame, regAt, type Slot, type State } from '../state.js'

/** One register as the log prints it, seen from frame number `frame`. */
export function formatReg(reg: Reg, frame: number): string {
  if (reg.type === 'scalar') return (reg.precise ? 'P' : '') + formatScalar(reg.value, identity(reg))
  const fixed = reg.value.tnum.mask === 0n
  let text = typeName(reg)
  if (reg.type === 'fp') {
    if (reg.frame !== frame) text += `[${reg.frame}]`
    if (fixed) return text + formatSigned(reg.value.smin + BigInt(reg.off))
  }
  if (reg.type === 'btf_ptr') text += reg.typeName
  const parts = identity(reg)
  if (reg.type === 'map_ptr' || reg.type === 'map_value' || reg.type === 'map_key') {
    if (reg.map.name) parts.push(`map=${reg.map.name}`)
    parts.push(`ks=${reg.map.spec.keySize}`, `vs=${reg.map.spec.valueSize}`)
  }
  if (reg.off) parts.push(`off=${formatSigned(BigInt(reg.off))}`)
  if (reg.type === 'pkt' || reg.type === 'pkt_meta') {
    parts.push(`r=${formatUnsigned(BigInt.asUintN(64, BigInt(reg.range)))}`)
  }
  if (reg.type === 'mem') parts.push(`sz=${formatUnsigned(BigInt(reg.size))}`)
  if (!fixed) parts.push(...formatRanges(reg.value))
  else if (reg.value.tnum.value) parts.push(`imm=${formatSigned(reg.value.smin)}`)
  return `${text}(${parts.join(',')})`
}

function identity(reg: Reg): string[] {
  const parts: string[] = []
  if (reg.id) parts.push(`id=${reg.id}${reg.idAdd ? (reg.off < 0 ? reg.off : `+${reg.off}`) : ''}`)
  if (reg.refId) parts.push(`ref_obj_id=${reg.refId}`)
  return parts
}

/** One stack slot: ` fp-8=...`; empty where nothing was written to it. */
export function formatSlot(slot: Slot, index: number, frame: number): string {
  if (slot.types === emptySlot.types) return ''
  const place = ` fp${-8 * (index + 1)}=`
  if (slot.types[7] !== 'r') return place + slot.types
  return place + slot.types.slice(0, slot.types.indexOf('r')) + formatReg(slot.spilled, frame)
}

/** What is to be printed of a frame: register numbers and slot indices. */
export interface Selection {
  readonly reg: (n: number) => boolean
  readonly slot: (index: number) => boolean
}

/** A whole frame, or the selected part, with the references that are held: the text after `5:`, with a newline. */
export function formatFrame(state: State, frame: Frame, only?: Selection): string {
  let text = frame.number ? ` frame${frame.number}:` : ''
  for (let n = 0; n <= 10; n++) {
    const reg = regAt(frame, n)
    if (reg.type === 'not_init' || (only && !only.reg(n))) continue
    text += ` R${n}=${formatReg(reg, frame.number)}`
  }
  for (let i = 0; i < frame.stack.length; i++) {
    if (!only || only.slot(i)) text += formatSlot(frame.stack[i] ?? emptySlot, i, frame.number)
  }
  const ids = state.references.filter((reference) => reference.id).map((reference) => reference.id)
  if (ids.length) text += ` refs=${ids.join(',')}`
  if (frame.inCallback) text += ' cb'
  if (frame.inAsyncCallback) text += ' async_cb'
  return `${text}\n`
}
