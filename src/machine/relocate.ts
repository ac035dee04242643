/**
 * From a program as its object has it to one that an engine can execute: map pointers, addresses of global data and of
 * symbols become numbers, and each call gets its target. The same place where a loader for Linux fills in descriptors and
 * BTF ids.
 */
import { BpfError } from '../bits/index.js'
import type { CallTarget, Code } from '../engine/engine.js'
import { type Insn, isWide, pseudoCall, pseudoLoad } from '../isa/index.js'
import type { ProgramSpec, Reference } from '../object/spec.js'

/** What names stand for. Each function throws `BpfError` for what it does not know. */
export interface Surroundings {
  /** Address of a map descriptor. */
  map(name: string): number
  /** Address of a global data map's only value. */
  mapValue(name: string): number
  /** Address of a `__ksym` variable or of a kfunc as a value; 0 for a weak one that does not exist. */
  ksym(reference: Reference): number
  /** What a helper's number calls. */
  helper(id: number): CallTarget
  /** What a kfunc's name calls. */
  kfunc(reference: Reference): CallTarget
}

const callCode = 0x85

/** Relocates a program. Throws `BpfError` with the instruction as its place. */
export function relocate(program: ProgramSpec, prog: number, around: Surroundings): Code {
  const insns: Insn[] = program.insns.map((insn) => ({ ...insn }))
  const calls = new Map<number, CallTarget>()
  for (const [index, insn] of insns.entries()) {
    const reference = program.references.get(index)
    const second = insns[index + 1]
    try {
      if (insn.code === callCode && insn.src !== pseudoCall.local) calls.set(index, callTarget(insn, reference, around))
      else if (isWide(insn) && second && insn.src !== pseudoLoad.func && insn.src !== pseudoLoad.number) {
        insn.imm = address(insn, second, reference, around) | 0
        insn.src = pseudoLoad.number
        second.imm = 0
      }
    } catch (error) {
      if (!(error instanceof BpfError)) throw error
      throw new BpfError(error.code, error.message, {
        place: `program ${program.name}, instruction ${index}`,
        cause: error,
      })
    }
  }
  return { name: program.name, prog, insns, functions: program.functions, calls }
}

function callTarget(insn: Insn, reference: Reference | undefined, around: Surroundings): CallTarget {
  if (insn.src === pseudoCall.helper) return around.helper(insn.imm)
  if (insn.src !== pseudoCall.kfunc) {
    throw new BpfError('bad-call', `a call of kind ${insn.src} is unknown`)
  }
  if (!reference) throw new BpfError('bad-reference', 'a call of a kfunc that nothing names')
  return around.kfunc(reference)
}

function address(insn: Insn, second: Insn, reference: Reference | undefined, around: Surroundings): number {
  if (!reference) {
    throw new BpfError('bad-reference', `a 64-bit immediate of kind ${insn.src} refers to nothing in the object`)
  }
  if (reference.kind === 'map') return around.map(reference.name)
  if (reference.kind === 'map_value') return around.mapValue(reference.name) + second.imm
  return around.ksym(reference)
}
