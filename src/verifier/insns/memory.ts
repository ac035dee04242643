/** Loads, stores, atomics and 64-bit immediate loads. */
import { type OpcodeRow, pseudoLoad } from '../../isa/index.js'
import type { Insn } from '../../isa/insn.js'
import type { Env, Step } from '../env.js'
import { checkLoad, checkStore } from '../memory/access.js'
import { anyScalar, constantReg, funcPointer, mapPtr, mapValue, memPointer, type Reg, typeName } from '../registers.js'
import { constant } from '../scalar/index.js'

/** Accesses through these are rewritten by the kernel, so an instruction must meet only one of them. */
const rewritten = new Set<Reg['type']>(['ctx', 'btf_ptr'])

/** An instruction that met one kind of pointer may not meet another where the kernel rewrites the access. */
function notePointer(env: Env, reg: Reg): void {
  const notes = env.notes[env.insn]
  if (!notes) return
  const name = rewritten.has(reg.type) ? `!${typeName(reg)}` : typeName(reg)
  if (notes.pointer === undefined) notes.pointer = name
  else if (notes.pointer !== name && (name.startsWith('!') || notes.pointer.startsWith('!'))) {
    env.reject('EINVAL', 'same insn cannot be used with different pointers')
  }
}

/** `dst = *(size *)(src + off)`. */
export function checkLoadInsn(env: Env, insn: Insn, row: OpcodeRow): Step {
  const pointer = env.readReg(insn.src)
  env.checkWritable(insn.dst)
  const signed = row.op === 'ldsx'
  const loaded = checkLoad(env, insn.src, insn.off, row.size, { signed, strict: row.kind === 'atomic' })
  env.setReg(insn.dst, loaded)
  notePointer(env, pointer)
  return 'next'
}

/** `*(size *)(dst + off) = src` or `= imm`. */
export function checkStoreInsn(env: Env, insn: Insn, row: OpcodeRow): Step {
  const isReg = row.source === 'reg'
  if (isReg) env.readReg(insn.src)
  const pointer = env.readReg(insn.dst)
  const value = isReg ? { reg: insn.src } : { imm: insn.imm }
  checkStore(env, insn.dst, insn.off, row.size, value, { strict: row.kind === 'atomic' })
  notePointer(env, pointer)
  return 'next'
}

function atomicPointerOk(reg: Reg): boolean {
  return !['ctx', 'pkt', 'pkt_meta', 'btf_ptr'].includes(reg.type)
}

/** Atomic read-modify-write, load-acquire and store-release. */
export function checkAtomic(env: Env, insn: Insn, row: OpcodeRow): Step {
  if (row.op === 'load_acquire') {
    const pointer = env.readReg(insn.src)
    checkLoadInsn(env, insn, row)
    if (!atomicPointerOk(pointer)) {
      env.reject('EACCES', `BPF_ATOMIC loads from R${insn.src} ${typeName(pointer)} is not allowed`)
    }
    return 'next'
  }
  if (row.op === 'store_release') {
    const pointer = env.readReg(insn.dst)
    checkStoreInsn(env, insn, row)
    if (!atomicPointerOk(pointer)) refuseAtomicStore(env, insn.dst, pointer)
    return 'next'
  }
  env.readReg(insn.src)
  const pointer = env.readReg(insn.dst)
  const compares = row.op === 'atomic_cmpxchg'
  if (compares) env.readReg(0)
  if (!atomicPointerOk(pointer)) refuseAtomicStore(env, insn.dst, pointer)
  const fetches = compares || row.op === 'atomic_xchg' || row.op.startsWith('atomic_fetch')
  const target = compares ? 0 : insn.src
  if (fetches) {
    env.checkWritable(target)
    env.setReg(target, anyScalar)
  }
  const old = checkLoad(env, insn.dst, insn.off, row.size, { strict: true })
  if (fetches) env.setReg(target, old)
  checkStore(env, insn.dst, insn.off, row.size, undefined, { strict: true })
  return 'next'
}

function refuseAtomicStore(env: Env, n: number, reg: Reg): never {
  return env.reject('EACCES', `BPF_ATOMIC stores into R${n} ${typeName(reg)} is not allowed`)
}

/** `dst = imm64`: a number, a map, a place in a map's value, a function, a kernel symbol. */
export function checkImm64(env: Env, insn: Insn): Step {
  env.checkWritable(insn.dst)
  env.setReg(insn.dst, immediate(env, insn))
  env.insn++
  return 'next'
}

function immediate(env: Env, insn: Insn): Reg {
  const upper = env.program.insns[env.insn + 1]?.imm ?? 0
  if (insn.src === pseudoLoad.number) {
    const value = (BigInt(upper >>> 0) << 32n) | BigInt(insn.imm >>> 0)
    return { ...constantReg(0n), value: constant(value) }
  }
  if (insn.src === pseudoLoad.func) return functionAddress(env, env.insn + insn.imm + 1)
  const map = env.program.maps.get(env.insn)
  if (map) {
    const isValue = insn.src === pseudoLoad.mapValue || insn.src === pseudoLoad.mapIdxValue
    if (map.spec.type === 'arena') env.unsupported('arenas')
    return isValue ? mapValue(map, { off: upper }) : mapPtr(map)
  }
  const reference = env.program.references.get(env.insn)
  if (reference?.kind !== 'ksym') return env.unsupported('an immediate load that refers to nothing')
  if (env.profile.kfunc(reference.name)) return memPointer(0, { readOnly: true })
  if (reference.weak) return constantReg(0n)
  return env.unsupported(`the kernel variable ${reference.name}`)
}

function functionAddress(env: Env, start: number): Reg {
  const number = env.subprogramAt(start)
  if (number === undefined) return env.unsupported('the address of an instruction that begins no function')
  const { typeId, global } = env.subprogram(number)
  if (!typeId) env.reject('EINVAL', 'missing btf func_info')
  if (global) env.reject('EINVAL', 'callback function not static')
  return funcPointer(number)
}
