/** After a NULL check, every copy of the pointer is known to be NULL, or not. */
import { constantReg, mapPtr, type Reg } from '../registers.js'
import { currentFrame, mapRegs, regAt, type State } from '../state.js'

/** All copies of the maybe-NULL pointer in register `n` become NULL (a scalar 0), or a pointer. */
export function markNullness(state: State, n: number, isNull: boolean): void {
  const checked = regAt(currentFrame(state), n)
  if (!('orNull' in checked) || !checked.orNull) return
  const { id, refId } = checked
  // A reference that turned out to be NULL need not be released.
  if (refId && refId === id && isNull) {
    state.references = state.references.filter((reference) => reference.kind !== 'pointer' || reference.id !== id)
  }
  mapRegs(state, (reg) => {
    if (reg.id !== id || !('orNull' in reg) || !reg.orNull) return reg
    return isNull ? constantReg(0n) : known(reg)
  })
}

function known(reg: Extract<Reg, { orNull: boolean }>): Reg {
  if (reg.type === 'map_value') {
    const { map } = reg
    if (map.inner) return mapPtr(map.inner, uidOf(map.inner, reg.id))
    // The id of a value with a lock says which lock it is.
    const keepsId = map.fields.some((field) => field.kind === 'bpf_spin_lock' || field.kind === 'bpf_res_spin_lock')
    return { ...reg, orNull: false, id: keepsId ? reg.id : 0 }
  }
  return { ...reg, orNull: false, id: 0 }
}

/** Inner maps whose values hold timers, workqueues or task work are told apart by their lookup. */
function uidOf(inner: { readonly fields: readonly { readonly kind: string }[] }, id: number): number {
  const distinct = ['bpf_timer', 'bpf_wq', 'bpf_task_work']
  return inner.fields.some((field) => distinct.includes(field.kind)) ? id : 0
}
