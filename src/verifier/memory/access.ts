/** One load or store, by what its pointer points to. */
import type { Env } from '../env.js'
import { anyScalar, packetPointer, type Reg, typeName } from '../registers.js'
import { signExtend, truncate } from '../scalar/index.js'
import { checkRegion } from './bounds.js'
import { checkMapAccessType, checkMapValue, constantLoad } from './map-value.js'
import { checkPacket } from './packet.js'
import { checkAlignment, checkPointerOffset } from './pointer.js'
import { readStack, type StoreValue, writeStack } from './stack.js'

/** How a load or store is made. */
export interface AccessOptions {
  /** Sign-extending load. */
  readonly signed?: boolean
  /** Must be aligned whatever it points to (atomics). */
  readonly strict?: boolean
}

/** Checks `dst = *(size *)(Rn + offset)` and gives what `dst` then holds. */
export function checkLoad(env: Env, n: number, offset: number, size: number, options: AccessOptions = {}): Reg {
  checkAlignment(env, n, offset, size, options.strict ?? false)
  const loaded = load(env, n, offset, size, options.signed ?? false)
  if (loaded.type !== 'scalar' || size === 8) return loaded
  const value = options.signed ? signExtend(loaded.value, (size * 8) as 8 | 16 | 32) : truncate(loaded.value, size)
  return value === loaded.value ? loaded : { ...loaded, value }
}

function load(env: Env, n: number, offset: number, size: number, signed: boolean): Reg {
  const reg = env.reg(n)
  const off = offset + reg.off
  switch (reg.type) {
    case 'fp':
      return readStack(env, n, off, size)
    case 'map_value':
      if (reg.orNull) break
      checkMapAccessType(env, n, off, size, 'read')
      checkMapValue(env, n, off, size)
      return constantLoad(reg, off, size, signed) ?? anyScalar
    case 'map_key':
      checkRegion(env, n, off, size, reg.map.spec.keySize)
      return anyScalar
    case 'mem':
      if (reg.orNull) break
      checkRegion(env, n, off, size, reg.size)
      return anyScalar
    case 'ctx':
      return loadContext(env, n, off, size)
    case 'pkt':
    case 'pkt_meta':
      checkPacket(env, n, off, size)
      return anyScalar
    case 'btf_ptr':
      return env.unsupported(`loads through ${typeName(reg)}${reg.typeName}`)
    case 'map_ptr':
      if (!reg.orNull) return env.unsupported('loads from a map itself')
  }
  return env.reject('EACCES', `R${n} invalid mem access '${typeName(reg)}'`)
}

/** Checks `*(size *)(Rn + offset) = value`; an `undefined` value stands for anything. */
export function checkStore(
  env: Env,
  n: number,
  offset: number,
  size: number,
  value: StoreValue,
  options: AccessOptions = {},
): void {
  checkAlignment(env, n, offset, size, options.strict ?? false)
  const reg = env.reg(n)
  const off = offset + reg.off
  switch (reg.type) {
    case 'fp':
      return writeStack(env, n, off, size, value)
    case 'map_value':
      if (reg.orNull) break
      checkMapAccessType(env, n, off, size, 'write')
      return checkMapValue(env, n, off, size)
    case 'map_key':
      return env.reject('EACCES', `write to change key R${n} not allowed`)
    case 'mem':
      if (reg.orNull) break
      if (reg.readOnly) return env.reject('EACCES', `R${n} cannot write into ${typeName(reg)}`)
      return checkRegion(env, n, off, size, reg.size)
    case 'ctx':
      return storeContext(env, n, off, size)
    case 'pkt':
    case 'pkt_meta':
      if (!env.profile.program(programType(env)).packetWrite) env.reject('EACCES', 'cannot write into packet')
      return checkPacket(env, n, off, size)
    case 'btf_ptr':
      return env.unsupported(`stores through ${typeName(reg)}${reg.typeName}`)
    case 'map_ptr':
      if (!reg.orNull) return env.unsupported('stores into a map itself')
  }
  return env.reject('EACCES', `R${n} invalid mem access '${typeName(reg)}'`)
}

function programType(env: Env) {
  return env.program.spec.type ?? env.unsupported('programs without a type')
}

/** Whether the profile knows the context of this program type. */
function contextKnown(env: Env): boolean {
  return env.profile.program(programType(env)).context !== undefined
}

/** The bytes that a syscall program's context may have (U16_MAX); the caller says how many there are. */
const maxSyscallContext = 65535

function loadContext(env: Env, n: number, offset: number, size: number): Reg {
  const type = programType(env)
  if (type === 'syscall') return syscallContext(env, n, offset, size)
  checkPointerOffset(env, n)
  if (!contextKnown(env)) env.unsupported(`the context of ${type} programs`)
  const gives = env.profile.contextAccess(type, 'read', offset, size)
  switch (gives) {
    case undefined:
      return refuseContext(env, offset, size)
    case 'scalar':
      return anyScalar
    case 'pkt':
    case 'pkt_end':
    case 'pkt_meta':
      return packetPointer(gives)
    default:
      return env.unsupported(`${gives} in the context of ${type} programs`)
  }
}

function storeContext(env: Env, n: number, offset: number, size: number): void {
  const type = programType(env)
  if (type === 'syscall') {
    syscallContext(env, n, offset, size)
    return
  }
  checkPointerOffset(env, n)
  if (!contextKnown(env)) env.unsupported(`the context of ${type} programs`)
  if (env.profile.contextAccess(type, 'write', offset, size) === undefined) refuseContext(env, offset, size)
}

/** A syscall program's context is plain memory of a size that only the caller knows. */
function syscallContext(env: Env, n: number, offset: number, size: number): Reg {
  checkPointerOffset(env, n)
  if (offset < 0 || offset >= maxSyscallContext || offset % size !== 0) refuseContext(env, offset, size)
  return anyScalar
}

function refuseContext(env: Env, offset: number, size: number): never {
  return env.reject('EACCES', `invalid bpf_context access off=${offset} size=${size}`)
}
