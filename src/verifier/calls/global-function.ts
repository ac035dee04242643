/**
 * Global functions are verified once, on their own, for any arguments that fit their BTF prototype; a call only checks that
 * its arguments fit. Parameters are scalars, the context, or pointers to memory of the size of what they point to, which
 * may be NULL unless tagged `arg:nonnull`. Texts as in Linux 6.18.
 */
import type { Btf, BtfType } from '../../btf/index.js'
import type { Env } from '../env.js'
import { Rejection } from '../errors.js'
import { checkHelperMemory } from '../memory/helper-memory.js'
import { checkPointerOffset } from '../memory/pointer.js'
import { anyScalar, asNotNull, ctxReg, isNullScalar, mayBeNull, memPointer, type Reg } from '../registers.js'
import { mapRegs } from '../state.js'

/** What a parameter takes. */
type Parameter =
  | { readonly kind: 'scalar' }
  | { readonly kind: 'ctx' }
  | { readonly kind: 'memory'; readonly size: number; readonly nullable: boolean }

interface Prototype {
  readonly btf: Btf
  readonly name: string
  readonly params: readonly { readonly type: number; readonly tags: readonly string[] }[]
}

function prototype(env: Env, number: number): Prototype {
  const { btf } = env.program
  const { typeId, name } = env.subprogram(number)
  const func = btf?.types[typeId]
  if (!btf || func?.kind !== 'func') return env.unsupported(`the global function ${name} without BTF`)
  const proto = btf.type(func.type)
  if (proto.kind !== 'func_proto') return env.unsupported(`the global function ${name} without a prototype`)
  if (proto.params.length > 5) {
    env.reject('EINVAL', `Global function ${name}() with ${proto.params.length} > 5 args. Buggy compiler.`)
  }
  if (!isScalar(btf.resolve(proto.returnType))) {
    env.reject('EINVAL', `Global function ${name}() doesn't return scalar. Only those are supported.`)
  }
  const tagged = btf.types.flatMap((type) => (type.kind === 'decl_tag' && type.type === typeId ? [type] : []))
  const params = proto.params.map(({ type }, i) => ({
    type,
    tags: tagged.filter(({ component }) => component === i).map((tag) => tag.name),
  }))
  return { btf, name, params }
}

function isScalar(type: BtfType): boolean {
  return type.kind === 'int' || type.kind === 'enum' || type.kind === 'enum64'
}

function parameters(env: Env, number: number): Parameter[] {
  const { btf, name, params } = prototype(env, number)
  return params.map(({ type, tags }, i): Parameter => {
    const resolved = btf.resolve(type)
    if (isScalar(resolved)) return { kind: 'scalar' }
    if (resolved.kind !== 'ptr') {
      return env.reject('EINVAL', `Arg#${i} type ${resolved.kind.toUpperCase()} in ${name}() is not supported yet.`)
    }
    const strange = tags.find((tag) => tag.startsWith('arg:') && tag !== 'arg:ctx' && tag !== 'arg:nonnull')
    if (strange) return env.unsupported(`parameters tagged ${strange}`)
    const target = btf.resolve(resolved.type)
    if (tags.includes('arg:ctx') || isContext(env, target)) return { kind: 'ctx' }
    if (!['struct', 'union', 'int', 'enum', 'enum64', 'ptr', 'array', 'float'].includes(target.kind)) {
      return env.unsupported(`a pointer to ${target.kind} ${target.name} as a parameter of a global function`)
    }
    if (target.kind === 'struct' && target.name === 'bpf_dynptr') return env.unsupported('dynptrs')
    return { kind: 'memory', size: btf.sizeOf(resolved.type), nullable: !tags.includes('arg:nonnull') }
  })
}

function isContext(env: Env, target: BtfType): boolean {
  const { type } = env.program.spec
  return target.kind === 'struct' && type !== undefined && target.name === env.profile.program(type).contextStruct
}

/** A call of a global function: R1 to R5 must fit its prototype, and what it does must be allowed here. */
export function checkGlobalCall(env: Env, number: number): void {
  const { name, mightSleep } = env.subprogram(number)
  const wanted = parameters(env, number)
  const { rcuLocks, preemptLocks, irqId } = env.state
  if (mightSleep && (!env.sleepable || rcuLocks || preemptLocks || irqId)) {
    env.note('global functions that may sleep are not allowed in non-sleepable context,')
    env.note('i.e., in a RCU/IRQ/preempt-disabled section, or in')
    env.reject('EINVAL', 'a non-sleepable BPF program context')
  }
  try {
    for (const [i, parameter] of wanted.entries()) checkArgument(env, i, parameter)
  } catch (signal) {
    if (!(signal instanceof Rejection)) throw signal
    const message = `Caller passes invalid args into func#${number} ('${name}')`
    env.note(message)
    throw new Rejection(signal.errno, message)
  }
}

/** What a call changes in the caller beyond R0 to R5: pointers into the packet are gone if the function may move it. */
export function applyGlobalEffects(env: Env, number: number): void {
  if (!env.subprogram(number).changesPacket) return
  mapRegs(env.state, (reg) => (['pkt', 'pkt_meta', 'pkt_end'].includes(reg.type) ? anyScalar : reg))
}

function checkArgument(env: Env, i: number, parameter: Parameter): void {
  const n = i + 1
  const reg = env.reg(n)
  if (parameter.kind === 'scalar') {
    if (reg.type !== 'scalar') env.reject('EINVAL', `R${n} is not a scalar`)
    return
  }
  if (parameter.kind === 'ctx') {
    if (reg.type !== 'ctx') env.reject('EINVAL', `arg#${i} expects pointer to ctx`)
    checkPointerOffset(env, n)
    return
  }
  if (isNullScalar(reg)) {
    if (!parameter.nullable) env.reject('EINVAL', `arg#${i} is expected to be non-NULL`)
    return
  }
  // Memory that is there must be readable and writable; NULL is the function's business.
  env.setReg(n, asNotNull(reg))
  try {
    checkHelperMemory(env, n, parameter.size, 'read', { zeroAllowed: true, variableSize: true })
    checkHelperMemory(env, n, parameter.size, 'write', { zeroAllowed: true, variableSize: true })
  } catch (signal) {
    if (!(signal instanceof Rejection)) throw signal
    throw new Rejection('EINVAL', signal.message)
  } finally {
    env.setReg(n, reg)
  }
  if (!parameter.nullable && mayBeNull(reg)) env.reject('EINVAL', `arg#${i} is expected to be non-NULL`)
}

/** What R1 to R5 hold when a global function is verified on its own. */
export function globalArguments(env: Env, number: number): Reg[] {
  return parameters(env, number).map((parameter) => {
    if (parameter.kind === 'scalar') return anyScalar
    if (parameter.kind === 'ctx') return ctxReg
    const { size, nullable } = parameter
    return memPointer(size, { orNull: nullable, id: nullable ? env.newId() : 0 })
  })
}
