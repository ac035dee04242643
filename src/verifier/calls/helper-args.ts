/**
 * Arguments of helpers. Each kind of argument is a row: which registers it takes (in the order in which the refusal lists
 * them), whether the pointer must be unmodified, and what else is checked or remembered. Texts and errnos as Linux 6.18.
 */
import type { HelperArg, HelperArgType, HelperPrototype } from '../../profile/index.js'
import type { Env } from '../env.js'
import { checkHelperMemory, checkMemoryAndSize } from '../memory/helper-memory.js'
import { checkPointerOffset } from '../memory/pointer.js'
import { markPrecise } from '../precision.js'
import { isNullScalar, mayBeNull, type Reg, typeName } from '../registers.js'
import { constantKey } from './const-key.js'
import { dropLock, takeLock } from './lock.js'
import { checkMapField, sameMap, type UsedMap } from './map-field.js'

/** What the arguments of one call have told so far. */
export interface HelperCall {
  readonly helper: HelperPrototype
  /** The map that R1 to R5 named. */
  map: UsedMap | undefined
  /** A constant key, for arrays. */
  key: bigint | undefined
  /** The function that was passed. */
  callback: number | undefined
  /** The largest size that was passed. */
  size: bigint
}

interface ArgRule {
  /** Register types, as the log names them. */
  readonly takes: readonly string[]
  /** The pointer may have an offset. */
  readonly anyOffset?: boolean
  readonly check?: (env: Env, call: HelperCall, n: number, arg: HelperArg) => void
}

const memory = ['fp', 'pkt', 'pkt_meta', 'map_key', 'map_value', 'mem', 'ringbuf_mem', 'buf', 'trusted_ptr_']

/** A buffer whose size is the next argument: checked there. */
const sized: ArgRule = { takes: memory, anyOffset: true }

const size = (zeroAllowed: boolean): ArgRule => ({
  takes: ['scalar'],
  anyOffset: true,
  check(env, call, n) {
    const { umax } = env.reg(n).value
    call.size = umax
    const buffer = call.helper.args[n - 2]?.type
    const access = buffer === 'uninit_mem' || buffer === 'mem_write' ? 'write' : 'read'
    checkMemoryAndSize(env, n - 1, n, access, { zeroAllowed })
  },
})

const fixed = (access: 'read' | 'write'): ArgRule => ({
  takes: memory,
  anyOffset: true,
  check: (env, _call, n, arg) => checkHelperMemory(env, n, arg.size ?? 0, access, {}),
})

const value = (access: 'read' | 'write'): ArgRule => ({
  takes: memory,
  anyOffset: true,
  check: (env, call, n) => checkHelperMemory(env, n, call.map?.map.spec.valueSize ?? 0, access, {}),
})

const rules: Partial<Record<HelperArgType, ArgRule>> = {
  const_map_ptr: { takes: ['map_ptr'], check: useMap },
  map_key: {
    takes: memory,
    anyOffset: true,
    check(env, call, n) {
      if (!call.map) return
      checkHelperMemory(env, n, call.map.map.spec.keySize, 'read', {})
      call.key = constantKey(env, n, call.map.map)
    },
  },
  map_value: value('read'),
  map_value_or_null: value('read'),
  uninit_map_value: value('write'),
  mem: sized,
  mem_or_null: sized,
  uninit_mem: sized,
  mem_write: sized,
  fixed_mem: fixed('read'),
  fixed_mem_write: fixed('write'),
  const_size: size(false),
  const_size_or_zero: size(true),
  const_alloc_size_or_zero: {
    takes: ['scalar'],
    anyOffset: true,
    check(env, _call, n) {
      if (env.reg(n).value.tnum.mask !== 0n) env.reject('EACCES', `R${n} is not a known constant'`)
      markPrecise(env, n)
    },
  },
  ctx: { takes: ['ctx'] },
  ctx_or_null: { takes: ['ctx'] },
  spin_lock: { takes: ['map_value', 'ptr_'], anyOffset: true, check: useLock },
  timer: { takes: ['map_value'], anyOffset: true, check: useTimer },
  func: {
    takes: ['func'],
    check(env, call, n) {
      const reg = env.reg(n)
      if (reg.type === 'func') call.callback = reg.subprogram
    },
  },
  stack_or_null: { takes: ['fp'], anyOffset: true },
}

const nullable: ReadonlySet<HelperArgType> = new Set<HelperArgType>([
  'map_value_or_null',
  'mem_or_null',
  'ctx_or_null',
  'stack_or_null',
])

/** Checks argument `index` (R1 is 0). Ends the verification where it does not fit or is not known. */
export function checkHelperArg(env: Env, call: HelperCall, index: number): void {
  const arg = call.helper.args[index]
  if (!arg) return
  const n = index + 1
  const reg = env.readReg(n)
  if (arg.type === 'anything') return
  if ((reg.type === 'pkt' || reg.type === 'pkt_meta') && !call.helper.pktAccess) {
    env.reject('EACCES', 'helper access to the packet is not allowed')
  }
  const rule = rules[arg.type]
  if (!rule) env.unsupported(`argument type ${arg.type} of helper ${call.helper.name}`)
  if (isNullScalar(reg) && nullable.has(arg.type)) return
  checkType(env, n, reg, rule, nullable.has(arg.type))
  // Where NULL is fine, what is checked is the pointer; R1 to R5 do not outlive the call.
  if (mayBeNull(reg)) env.setReg(n, nonNull(reg))
  if (!rule.anyOffset) checkPointerOffset(env, n)
  rule.check?.(env, call, n, arg)
}

/** The same pointer, if it is not NULL. */
export function nonNull(reg: Reg): Reg {
  return 'orNull' in reg ? { ...reg, orNull: false } : reg
}

function checkType(env: Env, n: number, reg: Reg, { takes }: ArgRule, orNull: boolean): void {
  const name = typeName(reg)
  const plain = orNull && mayBeNull(reg) ? name.replace(/_or_null$/, '') : name
  // Read-only memory may be passed where it is only read; which helper arguments say so is not in the table yet.
  if (plain === 'rdonly_mem' && takes === memory) env.unsupported('read-only memory as an argument of a helper')
  if (plain === 'trusted_ptr_' && takes === memory) env.unsupported('kernel objects as memory of a helper')
  if (!takes.includes(plain)) env.reject('EACCES', `R${n} type=${name} expected=${takes.join(', ')}`)
}

function useMap(env: Env, call: HelperCall, n: number): void {
  const reg = env.reg(n)
  if (reg.type !== 'map_ptr') return
  // A timer came before: its map and this one must be the same. The words name R1 and R2, as only timers do that.
  if (call.map && !sameMap(call.map, reg)) {
    env.reject(
      'EINVAL',
      `timer pointer in R1 map_uid=${call.map.mapUid} doesn't match map pointer in R2 map_uid=${reg.mapUid}`,
    )
  }
  if (reg.map.spec.type === 'sockmap' || reg.map.spec.type === 'sockhash') env.unsupported(`${reg.map.spec.type} maps`)
  call.map = { map: reg.map, mapUid: reg.mapUid }
}

function useLock(env: Env, call: HelperCall, n: number): void {
  const reg = env.reg(n)
  if (reg.type !== 'map_value') env.unsupported('locks in allocated objects')
  if (call.helper.name === 'bpf_spin_lock') takeLock(env, n, reg)
  else dropLock(env, n, reg)
}

function useTimer(env: Env, call: HelperCall, n: number): void {
  const reg = env.reg(n)
  if (reg.type !== 'map_value') return
  checkMapField(env, n, reg, 'bpf_timer')
  call.map = { map: reg.map, mapUid: reg.mapUid }
}
