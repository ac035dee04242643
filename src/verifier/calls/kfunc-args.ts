/**
 * Arguments of kfuncs: what each parameter is follows from its BTF type and name, for memory also from the register. Texts
 * and errnos as Linux 6.18 (wq-semantics 3c); they count arguments from 0 where Linux 7.x counts registers.
 */
import { BpfError } from '../../bits/index.js'
import type { BtfType } from '../../btf/index.js'
import type { KfuncRow } from '../../profile/index.js'
import type { Env } from '../env.js'
import { Rejection } from '../errors.js'
import { checkHelperMemory, checkMemoryAndSize } from '../memory/helper-memory.js'
import { checkPointerOffset } from '../memory/pointer.js'
import { markPrecise } from '../precision.js'
import { isNullScalar, mayBeNull, type Reg, typeName } from '../registers.js'
import { nonNull } from './helper-args.js'
import { restoreIrqFlags, saveIrqFlags } from './irq-flag.js'
import {
  hasSuffix,
  isScalarStruct,
  isScalarType,
  type KfuncParam,
  type KfuncPrototype,
  kindName,
} from './kfunc-proto.js'
import { checkMapField, sameMap, type UsedMap } from './map-field.js'

/** What the arguments of one call have told so far. */
export interface KfuncCall {
  readonly row: KfuncRow
  readonly proto: KfuncPrototype
  /** The map of the workqueue, or the map that was passed. */
  map: UsedMap | undefined
  /** The function that was passed. */
  callback: number | undefined
  /** The reference that comes with an argument, and where: for kfuncs that release. */
  release: { readonly id: number; readonly n: number } | undefined
  /** The constant that says how long the returned memory is. */
  resultSize: { readonly size: number; readonly readOnly: boolean } | undefined
}

/** Structs whose arguments this verifier does not judge yet. */
const unknownStructs: ReadonlySet<string> = new Set([
  'bpf_task_work',
  'bpf_dynptr',
  'bpf_list_head',
  'bpf_list_node',
  'bpf_rb_root',
  'bpf_rb_node',
  'bpf_res_spin_lock',
  'bpf_refcount',
])

/** Suffixes of conventions that this verifier does not judge yet. */
const unknownSuffixes = ['__alloc', '__refcounted_kptr', '__str', '__const_str', '__uninit', '__iter']

/** Checks all arguments. Ends the verification where one does not fit or is not known. */
export function checkKfuncArgs(env: Env, call: KfuncCall): void {
  const { params } = call.proto
  for (let index = 0; index < params.length; index++) {
    const param = params[index]
    if (!param || hasSuffix(param, '__prog') || hasSuffix(param, '__ign')) continue
    if (isScalarType(param.type)) checkScalar(env, call, index, param)
    else if (checkPointer(env, call, index, param) === 'with its size') index++
  }
  if (call.row.flags.release && !call.release) {
    env.reject('EINVAL', `release kernel function ${call.row.name} expects refcounted PTR_TO_BTF_ID`)
  }
}

/** Whether pointers must be known to be good; what is given back always must. */
function isTrusted({ flags }: KfuncRow): boolean {
  return flags.trustedArgs === true || flags.release === true
}

function checkScalar(env: Env, call: KfuncCall, index: number, param: KfuncParam): void {
  const n = index + 1
  const reg = env.reg(n)
  if (reg.type !== 'scalar') env.reject('EINVAL', `R${n} is not a scalar`)
  const isSize = param.name === 'rdonly_buf_size' || param.name === 'rdwr_buf_size'
  if (!isSize && !hasSuffix(param, '__k')) return
  const { tnum } = reg.value
  if (tnum.mask !== 0n) env.reject('EINVAL', isSize ? `R${n} is not a const` : `R${n} must be a known constant`)
  markPrecise(env, n)
  if (isSize) call.resultSize = { size: Number(tnum.value), readOnly: param.name === 'rdonly_buf_size' }
}

function checkPointer(env: Env, call: KfuncCall, index: number, param: KfuncParam): 'alone' | 'with its size' {
  const { row } = call
  const { target } = param
  const n = index + 1
  if (!target) return env.reject('EINVAL', `Unrecognized arg#${index} type ${kindName(param.type)}`)
  const reg = env.reg(n)
  const isNull = isNullScalar(reg)
  const nullable = hasSuffix(param, '__nullable')
  if ((isTrusted(row) || row.flags.rcu) && !nullable && (isNull || mayBeNull(reg))) {
    env.reject('EACCES', `Possibly NULL pointer passed to trusted arg${index}`)
  }
  if (reg.refId) call.release = { id: reg.refId, n }
  const kind = pointerKind(env, call, index, param, target, reg)
  if (kind === 'null') return 'alone'
  checks[kind](env, call, index, target)
  return kind === 'memory and size' ? 'with its size' : 'alone'
}

type PointerKind =
  | 'null'
  | 'context'
  | 'map'
  | 'workqueue'
  | 'irq flag'
  | 'callback'
  | 'object'
  | 'memory'
  | 'memory and size'

function pointerKind(
  env: Env,
  call: KfuncCall,
  index: number,
  param: KfuncParam,
  target: BtfType,
  reg: Reg,
): PointerKind {
  const { proto, row } = call
  if (isContext(env, target)) return 'context'
  if (hasSuffix(param, '__nullable') && isNullScalar(reg)) return 'null'
  const unknown = unknownSuffixes.find((suffix) => hasSuffix(param, suffix))
  if (unknown) return env.unsupported(`arguments named '${unknown}' (kfunc ${row.name})`)
  if (hasSuffix(param, '__map')) return 'map'
  if (hasSuffix(param, '__irq_flag')) return 'irq flag'
  if (target.kind === 'struct') {
    if (target.name === 'bpf_wq') return 'workqueue'
    if (unknownStructs.has(target.name) || target.name.startsWith('bpf_iter_')) {
      return env.unsupported(`argument type struct ${target.name} (kfunc ${row.name})`)
    }
  }
  if (reg.type === 'btf_ptr' || reg.type === 'map_ptr') {
    if (target.kind === 'struct') return 'object'
    const what = `${kindName(target)} ${target.name}`
    env.reject('EINVAL', `kernel function ${row.name} args#${index} pointer type ${what} is not supported`)
  }
  if (target.kind === 'func_proto') return 'callback'
  const next = proto.params[index + 1]
  const hasSize = next !== undefined && (hasSuffix(next, '__sz') || hasSuffix(next, '__szk')) && isScalarType(next.type)
  // Structs of the kernel are known by name only; those of the user's declarations in full.
  if (target.kind === 'struct' && target.members.length === 0) {
    return env.unsupported(`argument type struct ${target.name} (kfunc ${row.name})`)
  }
  const plain = isScalarType(target) || isScalarStruct(proto.btf, target) || (hasSize && target.kind === 'void')
  if (!plain) {
    const what = `${kindName(target)} ${target.name}`
    const wanted = `${hasSize ? 'void, ' : ''}scalar, or struct with scalar`
    env.reject('EINVAL', `arg#${index} pointer type ${what} must point to ${wanted}`)
  }
  return hasSize ? 'memory and size' : 'memory'
}

/** Names that stand for the context of a program type: the struct that programs see, or the kernel's own. */
const contextAliases: Readonly<Record<string, string>> = { sk_buff: '__sk_buff', xdp_buff: 'xdp_md' }

function isContext(env: Env, target: BtfType): boolean {
  if (target.kind !== 'struct' || !env.program.spec.type) return false
  const { contextStruct } = env.profile.program(env.program.spec.type)
  return contextStruct !== undefined && (contextAliases[target.name] ?? target.name) === contextStruct
}

const checks: Record<
  Exclude<PointerKind, 'null'>,
  (env: Env, call: KfuncCall, index: number, target: BtfType) => void
> = {
  context(env: Env, _call, index) {
    const reg = env.reg(index + 1)
    if (reg.type === 'ctx') return checkPointerOffset(env, index + 1)
    checkOffset(env, index + 1, reg)
    env.reject('EINVAL', `arg#${index} expected pointer to ctx, but got ${typeName(reg)}`)
  },
  map: checkMap,
  workqueue(env: Env, call, index) {
    const n = index + 1
    const reg = env.reg(n)
    checkOffset(env, n, reg)
    if (reg.type !== 'map_value' || reg.orNull) env.reject('EINVAL', `arg#${index} doesn't point to a map value`)
    checkMapField(env, n, reg, 'bpf_wq')
    call.map = { map: reg.map, mapUid: reg.mapUid }
  },
  'irq flag'(env: Env, call, index) {
    const n = index + 1
    const reg = env.reg(n)
    checkOffset(env, n, reg)
    if (reg.type !== 'fp') return env.reject('EINVAL', `arg#${index} doesn't point to an irq flag on stack`)
    const isSave = call.row.name === 'bpf_local_irq_save'
    if (isSave) saveIrqFlags(env, n, reg)
    else if (call.row.name === 'bpf_local_irq_restore') restoreIrqFlags(env, n, reg)
    else env.unsupported(`kfunc ${call.row.name}`)
  },
  callback(env: Env, call, index) {
    const n = index + 1
    const reg = env.reg(n)
    checkOffset(env, n, reg)
    if (reg.type !== 'func') env.reject('EINVAL', `arg${index} expected pointer to func`)
    call.callback = reg.subprogram
  },
  object: checkObject,
  memory(env, call, index, target) {
    const reg = env.reg(index + 1)
    if (isNullScalar(reg)) return
    const size = sizeOf(env, call, index, target)
    if (mayBeNull(reg)) env.setReg(index + 1, nonNull(reg))
    checkHelperMemory(env, index + 1, size, 'read', {})
    checkHelperMemory(env, index + 1, size, 'write', {})
  },
  'memory and size'(env, call, index) {
    const n = index + 1
    const param = call.proto.params[index]
    if (param && hasSuffix(param, '__opt') && isNullScalar(env.reg(n))) return
    if (mayBeNull(env.reg(n))) env.setReg(n, nonNull(env.reg(n)))
    if (env.reg(n + 1).type !== 'scalar') env.reject('EINVAL', `R${n + 1} is not a scalar`)
    try {
      checkMemoryAndSize(env, n, n + 1, 'read', { zeroAllowed: true })
      checkMemoryAndSize(env, n, n + 1, 'write', { zeroAllowed: true })
    } catch (error) {
      if (!(error instanceof Rejection)) throw error
      env.reject(error.errno, `arg#${index} arg#${index + 1} memory, len pair leads to invalid memory access`)
    }
  },
}

/** Pointers to stack, packet, key, value and memory, and numbers, may have any offset; others must be as they were given. */
function checkOffset(env: Env, n: number, reg: Reg): void {
  const free: readonly Reg['type'][] = ['fp', 'pkt', 'pkt_meta', 'map_key', 'map_value', 'mem', 'scalar']
  if (!free.includes(reg.type)) checkPointerOffset(env, n, reg.type === 'btf_ptr')
}

function checkMap(env: Env, call: KfuncCall, index: number): void {
  const n = index + 1
  const reg = env.reg(n)
  if (!('map' in reg)) env.reject('EINVAL', `pointer in R${n} isn't map pointer`)
  if (call.map && !sameMap(call.map, reg)) {
    env.reject(
      'EINVAL',
      `workqueue pointer in R1 map_uid=${call.map.mapUid} doesn't match map pointer in R2 map_uid=${reg.mapUid}`,
    )
  }
  call.map = { map: reg.map, mapUid: reg.mapUid }
  checkOffset(env, n, reg)
  if (reg.type === 'map_ptr' && !reg.orNull) return
  const name = typeName(reg)
  env.reject('EINVAL', `arg#${index} is ${name} expected ${name.replace(/_or_null$/, '')} or socket`)
}

function checkObject(env: Env, call: KfuncCall, index: number, target: BtfType): void {
  const n = index + 1
  const reg = env.reg(n)
  const { row } = call
  if (isTrusted(row) || row.flags.rcu) {
    const trusted = reg.refId !== 0 || reg.type === 'map_ptr' || (reg.type === 'btf_ptr' && reg.flags === 'trusted_')
    const isRcu = reg.type === 'btf_ptr' && reg.flags === 'rcu_'
    if (!trusted && !row.flags.rcu) env.reject('EINVAL', `R${n} must be referenced or trusted`)
    if (!trusted && !isRcu) env.reject('EINVAL', `R${n} must be a rcu pointer`)
  }
  checkOffset(env, n, reg)
  if (reg.type !== 'btf_ptr' || reg.orNull || reg.flags === 'untrusted_') {
    const name = typeName(reg)
    env.reject('EINVAL', `arg#${index} is ${name} expected ${name.replace(/_or_null|untrusted_/g, '')} or socket`)
  }
  if (reg.typeName === target.name && reg.off === 0) return
  if (reg.off !== 0) env.unsupported('pointers into kernel objects as arguments')
  const text = `pointer to struct ${target.name} but R${n} has a pointer to struct ${reg.typeName}`
  env.reject('EINVAL', `kernel function ${row.name} args#${index} expected ${text}`)
}

function sizeOf(env: Env, { proto }: KfuncCall, index: number, target: BtfType): number {
  try {
    return proto.btf.sizeOf(target.id)
  } catch (error) {
    if (!(error instanceof BpfError)) throw error
    const what = `'${kindName(target)} ${target.name}'`
    return env.reject('EINVAL', `arg#${index} reference type(${what}) size cannot be determined: -22`)
  }
}
