/** Memory that a call reads or writes: a pointer and a size, checked by what the pointer points to. */
import type { Env } from '../env.js'
import { markPrecise } from '../precision.js'
import { isNullScalar, mayBeNull, type Reg, typeName } from '../registers.js'
import { checkLoad, checkStore } from './access.js'
import { checkRegion } from './bounds.js'
import { checkMapAccessType, checkMapValue } from './map-value.js'
import { checkPacket } from './packet.js'
import { checkRange, checkStackBounds, writeStack } from './stack.js'

/** What a call may do with the memory. */
export interface HelperMemoryOptions {
  /** A size of 0 is fine, with NULL too. */
  readonly zeroAllowed?: boolean
  /** The size is only an upper bound: not all of it may be written. */
  readonly variableSize?: boolean
}

/** Sizes at or beyond this are never allowed (BPF_MAX_VAR_SIZ). */
const maxSize = 1n << 29n

/** How a call's access to one kind of memory is checked. */
type Rule = (env: Env, n: number, size: number, access: 'read' | 'write', options: HelperMemoryOptions) => void

const packet: Rule = (env, n, size, _access, options) => checkPacket(env, n, env.reg(n).off, size, options)

const rules: Partial<Record<Reg['type'], Rule>> = {
  fp: stackMemory,
  pkt: packet,
  pkt_meta: packet,
  map_key(env, n, size, access) {
    const reg = env.reg(n)
    if (reg.type !== 'map_key') return
    if (access === 'write') env.reject('EACCES', `R${n} cannot write into ${typeName(reg)}`)
    checkRegion(env, n, reg.off, size, reg.map.spec.keySize)
  },
  map_value(env, n, size, access, options) {
    const { off } = env.reg(n)
    checkMapAccessType(env, n, off, size, access)
    checkMapValue(env, n, off, size, options)
  },
  mem(env, n, size, access, options) {
    const reg = env.reg(n)
    if (reg.type !== 'mem') return
    if (access === 'write' && reg.readOnly) env.reject('EACCES', `R${n} cannot write into ${typeName(reg)}`)
    checkRegion(env, n, reg.off, size, reg.size, options)
  },
  btf_ptr: (env, n) => env.unsupported(`${typeName(env.reg(n))} as memory of a call`),
}

/** Register `n` points to `size` bytes that the call reads, or writes. */
export function checkHelperMemory(
  env: Env,
  n: number,
  size: number,
  access: 'read' | 'write',
  options: HelperMemoryOptions = {},
): void {
  const reg = env.reg(n)
  const rule = mayBeNull(reg) ? undefined : rules[reg.type]
  if (rule) {
    rule(env, n, size, access, options)
    return
  }
  if (reg.type === 'ctx' && env.program.spec.type === 'syscall' && (size > 0 || options.zeroAllowed)) {
    contextMemory(env, n, size, access)
    return
  }
  if (options.zeroAllowed && size === 0 && isNullScalar(reg)) return
  env.reject('EACCES', `R${n} type=${typeName(reg)} expected=fp`)
}

/** A syscall program's context: its last byte must be there. */
function contextMemory(env: Env, n: number, size: number, access: 'read' | 'write'): void {
  if (size === 0) return
  if (access === 'read') checkLoad(env, n, size - 1, 1)
  else checkStore(env, n, size - 1, 1, undefined)
}

function stackMemory(env: Env, n: number, size: number, access: 'read' | 'write', options: HelperMemoryOptions): void {
  if (size === 0 && !options.zeroAllowed) env.reject('EACCES', 'invalid zero-sized read')
  const reg = env.reg(n)
  const { frame, min, max } = checkStackBounds(env, n, reg.off, size, access)
  const known = reg.value.tnum.mask === 0n
  if (access === 'write' && known && !options.variableSize) {
    // Everything is overwritten, whatever it was.
    for (let i = 0; i < size; i++) writeStack(env, n, reg.off + i, 1, undefined)
    return
  }
  checkRange(env, n, frame, min, max + size, access === 'write')
}

/** Register `pointer` points to as many bytes as the scalar in register `size` says at most. */
export function checkMemoryAndSize(
  env: Env,
  pointer: number,
  size: number,
  access: 'read' | 'write',
  options: HelperMemoryOptions = {},
): void {
  const { value } = env.reg(size)
  if (value.smin < 0n) {
    env.reject('EACCES', `R${size} min value is negative, either use unsigned or 'var &= const'`)
  }
  if (value.umin === 0n && !options.zeroAllowed) {
    env.reject('EACCES', `R${size} invalid zero-sized read: u64=[${value.umin},${value.umax}]`)
  }
  if (value.umax >= maxSize) {
    env.reject('EACCES', `R${size} unbounded memory access, use 'var &= const' or 'if (var < const)'`)
  }
  const variableSize = value.tnum.mask !== 0n
  checkHelperMemory(env, pointer, Number(value.umax), access, { ...options, variableSize })
  markPrecise(env, size)
}
