/**
 * One call of a kfunc in TypeScript: registers to arguments by the BTF prototype, changed bytes back to memory, the result to
 * R0. The prototype is read once, when the program is loaded, so that a shape which cannot be passed fails there.
 */
import { BpfError } from '../bits/index.js'
import type { Btf, BtfType } from '../btf/types.js'
import type { BpfMap, Codec } from '../host/index.js'
import type { Kfunc, KfuncPointer } from './kfunc.js'

/** What a call needs of the machine. Addresses outside its memory throw `BpfError` (`bad-address`). */
export interface KfuncMemory {
  /** A copy. */
  read(address: number, size: number): Uint8Array
  write(address: number, bytes: Uint8Array): void
  /** The map whose pointer a program holds. */
  map(address: number): BpfMap | undefined
}

type ScalarType = { readonly bytes: number; readonly signed: boolean; readonly bool: boolean }

type Parameter =
  | { readonly kind: 'scalar'; readonly type: ScalarType; readonly isSize: boolean }
  | { readonly kind: 'buffer'; readonly sizeAt: number; readonly constant: boolean }
  | { readonly kind: 'typed'; readonly codec: Codec; readonly constant: boolean }
  | { readonly kind: 'string' | 'map' | 'opaque' | 'ignored' }

/** A prototype, read. */
export interface KfuncPlan {
  readonly name: string
  readonly parameters: readonly Parameter[]
  readonly result: ScalarType | 'void' | 'pointer'
}

/** Registers R1 to R5 carry arguments. */
const maxParameters = 5
/** Longest `__str` argument. */
const maxString = 4096

/**
 * Reads the prototype of a FUNC. `codecOf` makes codecs of that BTF. Throws `BpfError` (`kfunc-prototype`) where it cannot be
 * called from TypeScript, or takes fewer arguments than the implementation has parameters.
 */
export function planKfunc(
  name: string,
  kfunc: Kfunc,
  btf: Btf,
  funcId: number,
  codecOf: (typeId: number) => Codec,
): KfuncPlan {
  const disagree = (sentence: string) => new BpfError('kfunc-prototype', sentence, { place: `kfunc ${name}` })
  const func = btf.type(funcId)
  const proto = func.kind === 'func' ? btf.type(func.type) : func
  if (proto.kind !== 'func_proto') throw disagree('its declaration is no function')
  if (proto.params.length > maxParameters) throw disagree(`it has more than ${maxParameters} parameters`)
  const parameters = proto.params.map((param, i): Parameter => {
    const type = btf.resolve(param.type)
    if (/__(ign|prog)$/.test(param.name)) return { kind: 'ignored' }
    const scalar = scalarOf(type)
    if (scalar) return { kind: 'scalar', type: scalar, isSize: /__szk?$/.test(param.name) }
    if (type.kind !== 'ptr') throw disagree(`parameter ${i + 1} (${type.kind} ${type.name}) cannot be passed`)
    if (/__map$/.test(param.name)) return { kind: 'map' }
    if (/__str$/.test(param.name)) return { kind: 'string' }
    const constant = isConst(btf, type.type)
    if (/__szk?$/.test(proto.params[i + 1]?.name ?? '')) return { kind: 'buffer', sizeAt: i + 1, constant }
    return sized(btf, type.type) ? { kind: 'typed', codec: codecOf(type.type), constant } : { kind: 'opaque' }
  })
  const wanted = parameters.filter(({ kind }) => kind !== 'ignored').length
  if (kfunc.impl.length > wanted) {
    throw disagree(`the function takes ${kfunc.impl.length} arguments, its declaration in BTF has ${wanted}`)
  }
  const returned = btf.resolve(proto.returnType)
  const result = returned.kind === 'void' ? 'void' : returned.kind === 'ptr' ? 'pointer' : scalarOf(returned)
  if (!result) throw disagree(`it cannot return ${returned.kind} ${returned.name}`)
  return { name, parameters, result }
}

function scalarOf(type: BtfType): ScalarType | undefined {
  if (type.kind === 'int') return { bytes: type.size, signed: type.signed, bool: type.bool }
  if (type.kind === 'enum' || type.kind === 'enum64') return { bytes: type.size, signed: type.signed, bool: false }
  return undefined
}

function isConst(btf: Btf, id: number): boolean {
  let type = btf.type(id)
  while (type.kind === 'typedef' || type.kind === 'volatile' || type.kind === 'restrict' || type.kind === 'type_tag') {
    type = btf.type(type.type)
  }
  return type.kind === 'const'
}

function sized(btf: Btf, id: number): boolean {
  const { kind } = btf.resolve(id)
  return ['struct', 'union', 'int', 'enum', 'enum64', 'array', 'ptr'].includes(kind)
}

function scalar({ bytes, signed, bool }: ScalarType, register: bigint): number | bigint | boolean {
  if (bool) return (register & 0xffn) !== 0n
  const value = signed ? BigInt.asIntN(bytes * 8, register) : BigInt.asUintN(bytes * 8, register)
  return bytes > 4 ? value : Number(value)
}

/** Bytes lent to the implementation; `original` tells what it changed. */
interface Loan {
  readonly address: number
  readonly bytes: Uint8Array
  readonly original: Uint8Array
}

/** Starts the call; `finish` writes changed bytes back and gives R0. `registers` are R1 to R5, unsigned. */
export function callKfunc(
  plan: KfuncPlan,
  kfunc: Kfunc,
  registers: readonly bigint[],
  memory: KfuncMemory,
): { result: unknown; finish: (result: unknown) => bigint } {
  const loans: Loan[] = []
  const lend = (address: number, size: number, constant: boolean): Uint8Array => {
    const bytes = memory.read(address, size)
    if (!constant) loans.push({ address, bytes, original: bytes.slice() })
    return bytes
  }
  const args = plan.parameters.flatMap((parameter, i): unknown[] => {
    const register = registers[i] ?? 0n
    if (parameter.kind === 'ignored') return []
    if (parameter.kind === 'scalar') {
      const value = scalar(parameter.type, register)
      return [parameter.isSize ? Number(value) : value]
    }
    if (register === 0n) return [null]
    const address = toAddress(plan, register)
    if (parameter.kind === 'buffer') {
      return [lend(address, Number(BigInt.asUintN(32, registers[parameter.sizeAt] ?? 0n)), parameter.constant)]
    }
    if (parameter.kind === 'typed') {
      return [pointer(address, lend(address, parameter.codec.size, parameter.constant), parameter.codec)]
    }
    if (parameter.kind === 'string') return [readString(memory, address)]
    if (parameter.kind === 'map') return [memory.map(address) ?? null]
    return [pointer(address, new Uint8Array(), undefined)]
  })
  const impl = kfunc.impl as (...args: unknown[]) => unknown
  return {
    result: impl(...args),
    finish(result) {
      for (const loan of loans) writeBack(memory, loan)
      return resultOf(plan, result)
    },
  }
}

function pointer(address: number, bytes: Uint8Array, codec: Codec | undefined): KfuncPointer {
  return {
    address,
    bytes,
    get value() {
      return codec?.read(bytes)
    },
    set value(value: unknown) {
      if (!codec) throw new BpfError('bad-value', 'BTF does not know what this pointer points to')
      bytes.set(codec.write(value))
    },
  }
}

function toAddress(plan: KfuncPlan, register: bigint): number {
  if (register <= 0x7fffffffn) return Number(register)
  throw new BpfError('bad-address', `0x${register.toString(16)} is no address`, { place: `kfunc ${plan.name}` })
}

function readString(memory: KfuncMemory, address: number): string {
  const bytes: number[] = []
  for (let i = 0; i < maxString; i++) {
    const [byte = 0] = memory.read(address + i, 1)
    if (byte === 0) break
    bytes.push(byte)
  }
  return new TextDecoder().decode(Uint8Array.from(bytes))
}

/** Only what the function changed: meanwhile others may have written beside it. */
function writeBack(memory: KfuncMemory, { address, bytes, original }: Loan): void {
  for (let i = 0; i < bytes.length; ) {
    let end = i
    while (end < bytes.length && bytes[end] !== original[end]) end += 1
    if (end > i) memory.write(address + i, bytes.subarray(i, end))
    i = end + 1
  }
}

function resultOf({ name, result: type }: KfuncPlan, result: unknown): bigint {
  const bad = (what: string) => new BpfError('kfunc-result', what, { place: `kfunc ${name}` })
  if (type === 'void') return 0n
  if (type === 'pointer') {
    if (result === null || result === undefined) return 0n
    if (typeof result === 'object' && 'address' in result && typeof result.address === 'number') {
      return BigInt(result.address)
    }
    throw bad('it must return null or a pointer that it was given')
  }
  if (typeof result === 'boolean') return result ? 1n : 0n
  if (typeof result === 'bigint' || Number.isSafeInteger(result)) {
    return BigInt.asUintN(type.bytes * 8, BigInt(result as number | bigint))
  }
  throw bad(`it must return a whole number, not ${typeof result}`)
}
