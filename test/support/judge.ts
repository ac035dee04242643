/** Verifies a few instructions written as text, with three maps at hand: `judge('r0 = 0\nexit')`. */
import { type Btf, btfBuilder, parseBtf } from '../../src/btf/index.js'
import { assemble, type Insn } from '../../src/isa/index.js'
import type { LineInfo, MapSpec, ObjectSpec, ProgramSpec, Reference } from '../../src/object/spec.js'
import { getProfile } from '../../src/profile/index.js'
import type { ProgramType } from '../../src/uapi/index.js'
import { type LogLevel, type ProgramVerification, verifyProgram } from '../../src/verifier/index.js'

/** How the instructions are loaded. */
export interface JudgeOptions {
  readonly type?: ProgramType
  readonly logLevel?: LogLevel
  readonly license?: string
  /** Map names by the index of the ld_imm64 that loads them. */
  readonly maps?: Readonly<Record<number, string>>
  /** First instructions of all functions; with more than one the program has BTF, and all but the first are static. */
  readonly functions?: readonly number[]
  /** Makes the functions after the first global. */
  readonly global?: boolean
  readonly lines?: readonly LineInfo[]
  readonly maxProcessed?: number
}

function map(name: string, type: MapSpec['type'], valueSize: number, maxEntries: number, more = {}): MapSpec {
  return {
    name,
    type,
    keySize: 4,
    valueSize,
    maxEntries,
    flags: 0,
    keyTypeId: 0,
    valueTypeId: 0,
    numaNode: 0,
    mapExtra: 0n,
    pinning: 'none',
    innerMap: undefined,
    initialValues: new Map(),
    contents: undefined,
    section: undefined,
    frozen: false,
    ...more,
  }
}

/** `arr`: one value of 48 bytes; `big`: 100 of 16; `hsh`: 8 of 64; `ro`: eight frozen bytes. */
export const maps: Readonly<Record<string, MapSpec>> = {
  arr: map('arr', 'array', 48, 1),
  big: map('big', 'array', 16, 100),
  hsh: map('hsh', 'hash', 64, 8),
  ro: map('ro', 'array', 8, 1, { flags: 1 << 7, frozen: true, contents: Uint8Array.of(1, 2, 3, 4, 0xff, 0, 0, 0) }),
}

function functionTypes(linkage: 'static' | 'global'): { btf: Btf; main: number; other: number } {
  const types = btfBuilder()
  const int = types.int('int', 4, { signed: true })
  const type = types.add({ kind: 'func_proto', name: '', returnType: int, params: [] })
  const main = types.add({ kind: 'func', name: 'main_prog', type, linkage: 'global' })
  const other = types.add({ kind: 'func', name: 'cb', type, linkage })
  return { btf: parseBtf(types.finish()), main, other }
}

/** Verifies decoded instructions. */
export function judgeInsns(insns: readonly Insn[], options: JudgeOptions = {}): ProgramVerification {
  const { functions = [0], type = 'socket_filter', logLevel = 0, lines = [] } = options
  const { btf, main, other } = functionTypes(options.global ? 'global' : 'static')
  const references = new Map<number, Reference>()
  for (const [index, name] of Object.entries(options.maps ?? {})) {
    const kind = insns[Number(index)]?.src === 2 ? 'map_value' : 'map'
    references.set(Number(index), { kind, name, weak: false, typeId: 0 })
  }
  const program: ProgramSpec = {
    name: 'p',
    section: 'p',
    type,
    attachType: undefined,
    attachTo: undefined,
    sleepable: type === 'syscall',
    flags: 0,
    autoload: true,
    insns,
    references,
    functions: functions.map((start, i) => ({ name: i ? 'cb' : 'main_prog', start, typeId: i ? other : main })),
    lines,
    coreRelocations: [],
  }
  const object: ObjectSpec = {
    name: 'test',
    license: options.license ?? 'GPL',
    kernelVersion: 0,
    btf: functions.length > 1 ? btf : undefined,
    programs: { p: program },
    maps,
    variables: {},
    externs: [],
    warnings: [],
  }
  const { maxProcessed = 1_000_000 } = options
  return verifyProgram(object, program, { profile: getProfile(), logLevel, maxProcessed })
}

/** Verifies instructions given as text in the syntax of the kernel's log. */
export function judge(text: string, options: JudgeOptions = {}): ProgramVerification {
  return judgeInsns(assemble(text), options)
}

/** `accept`, or the errno and the message of a refusal. */
export function verdict(text: string, options: JudgeOptions = {}): string {
  const { verdict, errno, message } = judge(text, options)
  return verdict === 'accept' ? 'accept' : `${errno ?? verdict}: ${message}`
}
