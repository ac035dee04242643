/** One load or store, by what its pointer points to: a table row a kind of pointer. A maybe-NULL pointer has no row. */
import type { AttachType, MapType, ProgramType } from '../../uapi/index.js'
import type { Env } from '../env.js'
import { anyScalar, changed, mayBeNull, packetPointer, type Reg, typeName } from '../registers.js'
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
  return value === loaded.value ? loaded : changed(loaded, value, loaded)
}

/** How a kind of pointer is loaded from; `off` includes the pointer's fixed offset. */
type Load = (env: Env, n: number, off: number, size: number, signed: boolean) => Reg

const fromPacket: Load = (env, n, off, size) => {
  checkPacket(env, n, off, size)
  return anyScalar
}

const loads: Partial<Record<Reg['type'], Load>> = {
  fp: readStack,
  ctx: loadContext,
  pkt: fromPacket,
  pkt_meta: fromPacket,
  map_value(env, n, off, size, signed) {
    checkMapAccessType(env, n, off, size, 'read')
    checkMapValue(env, n, off, size)
    const reg = env.reg(n)
    return (reg.type === 'map_value' && constantLoad(reg, off, size, signed)) || anyScalar
  },
  map_key(env, n, off, size) {
    const reg = env.reg(n)
    if (reg.type === 'map_key') checkRegion(env, n, off, size, reg.map.spec.keySize)
    return anyScalar
  },
  mem(env, n, off, size) {
    const reg = env.reg(n)
    if (reg.type === 'mem') checkRegion(env, n, off, size, reg.size)
    return anyScalar
  },
  btf_ptr: (env, n) => env.unsupported(`loads through ${typeName(env.reg(n))}`),
  map_ptr: (env) => env.unsupported('loads from a map itself'),
}

/** The kernel's struct behind maps of a type, where its name was seen. */
const mapStructs: Partial<Record<MapType, string>> = {
  array: 'bpf_array',
  percpu_array: 'bpf_array',
  hash: 'bpf_htab',
  percpu_hash: 'bpf_htab',
  lru_hash: 'bpf_htab',
  lru_percpu_hash: 'bpf_htab',
}

function refuseMapStore(env: Env, n: number, off: number): void {
  const reg = env.reg(n)
  const name = reg.type === 'map_ptr' ? mapStructs[reg.map.spec.type] : undefined
  if (!name) env.unsupported('stores into a map itself')
  if (off < 0) env.reject('EACCES', `R${n} is ${name} invalid negative access: off=${off}`)
  env.reject('EACCES', `only read from ${name} is supported`)
}

/** How a kind of pointer is stored through. */
type Store = (env: Env, n: number, off: number, size: number, value: StoreValue) => void

const toPacket: Store = (env, n, off, size) => {
  if (!env.profile.program(programType(env)).packetWrite) env.reject('EACCES', 'cannot write into packet')
  checkPacket(env, n, off, size)
}

const stores: Partial<Record<Reg['type'], Store>> = {
  fp: writeStack,
  ctx: storeContext,
  pkt: toPacket,
  pkt_meta: toPacket,
  map_value(env, n, off, size) {
    checkMapAccessType(env, n, off, size, 'write')
    checkMapValue(env, n, off, size)
  },
  map_key: (env, n) => env.reject('EACCES', `write to change key R${n} not allowed`),
  mem(env, n, off, size) {
    const reg = env.reg(n)
    if (reg.type !== 'mem') return
    if (reg.readOnly) env.reject('EACCES', `R${n} cannot write into ${typeName(reg)}`)
    checkRegion(env, n, off, size, reg.size)
  },
  btf_ptr: (env, n) => env.unsupported(`stores through ${typeName(env.reg(n))}`),
  map_ptr: refuseMapStore,
}

function load(env: Env, n: number, offset: number, size: number, signed: boolean): Reg {
  const reg = env.reg(n)
  const rule = mayBeNull(reg) ? undefined : loads[reg.type]
  if (!rule) return env.reject('EACCES', `R${n} invalid mem access '${typeName(reg)}'`)
  return rule(env, n, offset + reg.off, size, signed)
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
  const rule = mayBeNull(reg) ? undefined : stores[reg.type]
  if (!rule) env.reject('EACCES', `R${n} invalid mem access '${typeName(reg)}'`)
  rule(env, n, offset + reg.off, size, value)
}

function programType(env: Env): ProgramType {
  return env.program.spec.type ?? env.unsupported('programs without a type')
}

/** Types whose context depends on the attach type: the one that the profile knows. */
const contextOf: Partial<Record<ProgramType, AttachType>> = {
  cgroup_sock: 'cgroup_inet_sock_create',
  cgroup_sock_addr: 'cgroup_inet4_connect',
  cgroup_sockopt: 'cgroup_getsockopt',
  xdp: 'xdp',
}

/** Ends as unsupported where the profile does not know the context of this program. */
function requireContext(env: Env): void {
  const type = programType(env)
  const { attachType } = env.program.spec
  if (env.profile.program(type).context === undefined) env.unsupported(`the context of ${type} programs`)
  const known = contextOf[type]
  if (known && attachType && attachType !== known) env.unsupported(`the context of ${type} programs for ${attachType}`)
}

/** The bytes that a syscall program's context may have (U16_MAX); the caller says how many there are. */
const maxSyscallContext = 65535

function loadContext(env: Env, n: number, offset: number, size: number): Reg {
  const type = programType(env)
  if (type === 'syscall') return syscallContext(env, n, offset, size)
  checkPointerOffset(env, n)
  requireContext(env)
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
  requireContext(env)
  if (env.profile.contextAccess(type, 'write', offset, size) === undefined) refuseContext(env, offset, size)
}

/** A syscall program's context is plain memory of a size that only the caller knows. */
function syscallContext(env: Env, n: number, offset: number, size: number): Reg {
  checkPointerOffset(env, n)
  if (offset < 0 || offset >= maxSyscallContext || offset % size !== 0) refuseContext(env, offset, size)
  env.contextBytes = Math.max(env.contextBytes, offset + size)
  return anyScalar
}

function refuseContext(env: Env, offset: number, size: number): never {
  return env.reject('EACCES', `invalid bpf_context access off=${offset} size=${size}`)
}
