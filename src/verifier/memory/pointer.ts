/**
 * Rules about pointers themselves: alignment, pointers that must be passed as they were given, arithmetic that stays sane.
 */
import type { Env } from '../env.js'
import { type Reg, typeName } from '../registers.js'
import { formatTnum, tnumAdd, tnumConst } from '../scalar/index.js'
import { S64_MIN } from '../scalar/scalar.js'
import { maxVarOffset } from './bounds.js'

const alignedNames: Partial<Record<Reg['type'], string>> = {
  map_key: 'key ',
  map_value: 'value ',
  ctx: 'context ',
  fp: 'stack ',
}

/**
 * Aligned to the size of the access? On x86 only the stack must be (spilled registers are tracked by slot), and whatever
 * an atomic instruction accesses (`strict`).
 */
export function checkAlignment(env: Env, n: number, offset: number, size: number, strict: boolean): void {
  const reg = env.reg(n)
  if (size <= 1 || !(strict || reg.type === 'fp')) return
  if (reg.type === 'pkt' || reg.type === 'pkt_meta') {
    const total = tnumAdd(reg.value.tnum, tnumConst(BigInt.asUintN(64, BigInt(reg.off + offset))))
    if (((total.value | total.mask) & BigInt(size - 1)) === 0n) return
    env.reject(
      'EACCES',
      `misaligned packet access off 0+${formatTnum(reg.value.tnum)}+${reg.off}+${offset} size ${size}`,
    )
  }
  const total = tnumAdd(reg.value.tnum, tnumConst(BigInt.asUintN(64, BigInt(reg.off + offset))))
  if (((total.value | total.mask) & BigInt(size - 1)) === 0n) return
  const name = alignedNames[reg.type] ?? ''
  env.reject('EACCES', `misaligned ${name}access off ${formatTnum(reg.value.tnum)}+${reg.off}+${offset} size ${size}`)
}

/** Register `n` must point where it was made to point: `fixedOk` allows a constant offset. */
export function checkPointerOffset(env: Env, n: number, fixedOk = false): void {
  const reg = env.reg(n)
  if (reg.off < 0) {
    env.reject('EACCES', `negative offset ${typeName(reg)} ptr R${n} off=${reg.off} disallowed`)
  }
  if (!fixedOk && reg.off !== 0) {
    env.reject('EACCES', `dereference of modified ${typeName(reg)} ptr R${n} off=${reg.off} disallowed`)
  }
  const { tnum } = reg.value
  if (tnum.mask === 0n && tnum.value === 0n) return
  env.reject('EACCES', `variable ${typeName(reg)} access var_off=${formatTnum(tnum)} disallowed`)
}

/** Offsets that no pointer may have, whatever it points to. `reg` is an operand or a result of pointer arithmetic. */
export function checkSaneOffset(env: Env, reg: Reg, type: string): void {
  const { value } = reg
  if (value.tnum.mask === 0n) {
    const known = BigInt.asIntN(64, value.tnum.value)
    if (known >= maxVarOffset || known <= -maxVarOffset) {
      env.reject('EINVAL', `math between ${type} pointer and ${known} is not allowed`)
    }
  }
  if (BigInt(reg.off) >= maxVarOffset || BigInt(reg.off) <= -maxVarOffset) {
    env.reject('EINVAL', `${type} pointer offset ${reg.off} is not allowed`)
  }
  if (value.smin === S64_MIN) {
    env.reject('EINVAL', `math between ${type} pointer and register with unbounded min value is not allowed`)
  }
  if (value.smin >= maxVarOffset || value.smin <= -maxVarOffset) {
    env.reject('EINVAL', `value ${value.smin} makes ${type} pointer be out of bounds`)
  }
}
