/**
 * From a program's spec to what BPF_PROG_LOAD takes: libbpf's part of loading. Instructions get the numbers that only this
 * kernel knows (descriptors of maps, BTF ids of kfuncs), and the debug information is turned into the kernel's records.
 */
import { BpfError, ByteWriter } from '../bits/index.js'
import type { Insn } from '../isa/insn.js'
import type { ObjectSpec, ProgramSpec, Reference } from '../object/spec.js'
import { attachTypes, programTypes } from '../uapi/index.js'
import { kernelSymbols } from './kernel.js'
import type { BtfBlob } from './object-btf.js'
import type { ProgramLoad } from './program.js'

const sleepableFlag = 1 << 4
const pseudo = { mapFd: 1, mapValue: 2, btfId: 3, kfuncCall: 2 } as const
/** libbpf's helper number for a call of a kfunc that was not found: reached, it is refused by this number in the log. */
export const unresolvedKfunc = 2002000000

/** What a prepared program refers to. */
export interface Surroundings {
  readonly object: ObjectSpec
  /** Descriptor of a map by its name in the object. */
  mapFd(name: string): number
  /** The object's BTF in the kernel; 0 without. */
  readonly btfFd: number
  readonly btf: BtfBlob | undefined
}

type Patch = Partial<Insn> & { second?: number }

/** The numbers for one reference. `nth` counts the program's references. */
function patch(reference: Reference, nth: number, at: number, around: Surroundings): Patch {
  const { kind, name, weak } = reference
  if (kind === 'map') return { src: pseudo.mapFd, imm: around.mapFd(name), second: 0 }
  if (kind === 'map_value') return { src: pseudo.mapValue, imm: around.mapFd(name) }
  const symbols = kernelSymbols()
  const id = kind === 'kfunc' ? symbols.func.get(name) : (symbols.func.get(name) ?? symbols.var.get(name))
  if (id !== undefined) {
    if (kind === 'kfunc') return { src: pseudo.kfuncCall, dst: 0, off: 0, imm: id }
    return { src: pseudo.btfId, imm: id, second: 0 }
  }
  if (!weak) {
    throw new BpfError('unresolved-extern', `the running kernel has no ${kind} '${name}'`, {
      place: `instruction ${at}`,
    })
  }
  if (kind === 'kfunc') return { src: 0, dst: 0, off: 0, imm: unresolvedKfunc + nth }
  return { src: 0, imm: 0, second: 0 }
}

/** Bytecode with every reference filled in. */
export function encodeProgram(program: ProgramSpec, around: Surroundings): Uint8Array {
  const externs = around.object.externs.map(({ name }) => name)
  const insns = program.insns.map((insn) => ({ ...insn }))
  for (const [at, reference] of program.references) {
    const insn = insns[at]
    if (!insn)
      throw new BpfError('bad-reference', `instruction ${at} does not exist`, { place: `program ${program.name}` })
    const { second, ...first } = patch(reference, externs.indexOf(reference.name), at, around)
    Object.assign(insn, first)
    const next = insns[at + 1]
    if (second !== undefined && next) next.imm = second
  }
  const out = new ByteWriter()
  for (const { code, dst, src, off, imm } of insns) {
    out
      .u8(code)
      .u8((dst & 15) | ((src & 15) << 4))
      .u16(off & 0xffff)
      .u32(imm >>> 0)
  }
  return out.finish()
}

/** Records of functions; none where one of them has no BTF, since the kernel wants all or nothing. */
function functionRecords(program: ProgramSpec): Uint8Array {
  const out = new ByteWriter()
  for (const { start, typeId } of program.functions) {
    if (typeId === 0) return new Uint8Array(0)
    out.u32(start).u32(typeId)
  }
  return out.finish()
}

function lineRecords(program: ProgramSpec, btf: BtfBlob): Uint8Array {
  const out = new ByteWriter()
  for (const { insn, file, text, line, column } of program.lines) {
    out
      .u32(insn)
      .u32(btf.string(file))
      .u32(btf.string(text))
      .u32(((line << 10) | (column & 1023)) >>> 0)
  }
  return out.finish()
}

/** Adds the strings of a program's line records; to be called for every program before the BTF is loaded. */
export function collectStrings(program: ProgramSpec, btf: BtfBlob): void {
  lineRecords(program, btf)
}

/** Where programs of these attach types are attached, as a prefix of a name in the kernel's BTF and its kind. */
const targets: Partial<Record<string, readonly [prefix: string, kind: 'func' | 'typedef']>> = {
  trace_raw_tp: ['btf_trace_', 'typedef'],
  trace_fentry: ['', 'func'],
  trace_fexit: ['', 'func'],
  modify_return: ['', 'func'],
  trace_iter: ['bpf_iter_', 'func'],
  lsm_mac: ['bpf_lsm_', 'func'],
  lsm_cgroup: ['bpf_lsm_', 'func'],
}

function attachTarget(program: ProgramSpec): number {
  const target = program.attachType ? targets[program.attachType] : undefined
  if (!target || !program.attachTo) return 0
  const [prefix, kind] = target
  const id = kernelSymbols()[kind].get(prefix + program.attachTo)
  if (id === undefined) {
    const sentence = `the running kernel has no ${kind} '${prefix}${program.attachTo}' to attach to`
    throw new BpfError('no-attach-target', sentence, { place: `program ${program.name}` })
  }
  return id
}

/** Everything for BPF_PROG_LOAD. Throws `BpfError`: `no-program-type`, `unresolved-extern`, `no-attach-target`. */
export function prepareProgram(program: ProgramSpec, around: Surroundings): ProgramLoad {
  const { type, attachType, name } = program
  if (!type) {
    const sentence = `section '${program.section}' does not say what type of program this is`
    throw new BpfError('no-program-type', sentence, { place: `program ${name}` })
  }
  return {
    type: programTypes[type],
    insns: encodeProgram(program, around),
    license: around.object.license,
    name,
    flags: program.flags | (program.sleepable ? sleepableFlag : 0),
    expectedAttachType: attachType ? attachTypes[attachType] : 0,
    kernelVersion: around.object.kernelVersion,
    attachBtfId: attachTarget(program),
    btfFd: around.btfFd,
    ...(around.btf ? { funcInfo: functionRecords(program), lineInfo: lineRecords(program, around.btf) } : {}),
  }
}
