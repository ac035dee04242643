/**
 * Global functions are verified once, on their own, for any arguments that fit their BTF prototype; a call only checks that
 * its arguments fit. This version judges functions whose parameters are all scalars.
 */
import type { BtfType } from '../../btf/index.js'
import type { Env } from '../env.js'
import { anyScalar, type Reg } from '../registers.js'

/** The type of each parameter of function `number`. */
function parameters(env: Env, number: number): readonly BtfType[] {
  const { btf } = env.program
  const { typeId, name } = env.subprogram(number)
  const func = btf?.types[typeId]
  if (!btf || func?.kind !== 'func') return env.unsupported(`the global function ${name} without BTF`)
  const proto = btf.type(func.type)
  if (proto.kind !== 'func_proto') return env.unsupported(`the global function ${name} without a prototype`)
  if (proto.params.length > 5) {
    env.reject('EINVAL', `Global function ${name}() with ${proto.params.length} > 5 args. Buggy compiler.`)
  }
  return proto.params.map((param) => btf.resolve(param.type))
}

function isScalar(type: BtfType): boolean {
  return type.kind === 'int' || type.kind === 'enum' || type.kind === 'enum64'
}

/** A call of a global function: R1 to R5 must fit its prototype. */
export function checkGlobalArguments(env: Env, number: number): void {
  const { name } = env.subprogram(number)
  for (const [i, type] of parameters(env, number).entries()) {
    const n = i + 1
    const reg = env.reg(n)
    if (!isScalar(type)) env.unsupported('pointer arguments of global functions')
    if (reg.type === 'scalar') continue
    env.note(`R${n} is not a scalar`)
    env.reject('EINVAL', `Caller passes invalid args into func#${number} ('${name}')`)
  }
}

/** What R1 to R5 hold when a global function is verified on its own. */
export function globalArguments(env: Env, number: number): Reg[] {
  return parameters(env, number).map((type) => {
    if (!isScalar(type)) return env.unsupported('pointer arguments of global functions')
    return anyScalar
  })
}
