/**
 * Linking, as libbpf does it: a program's code is its main function, then every function of `.text` that it reaches by
 * call or by address, appended the first time an instruction mentions it and followed at once into its own calls. Calls
 * and callbacks become distances between instructions; maps, data and externs stay references for the host.
 */
import { BpfError } from '../bits/index.js'
import { type Insn, pseudoCall, pseudoLoad } from '../isa/index.js'
import { type CodeFunction, type CodeSection, opcodes, type Target } from './code.js'
import { objectLimits } from './limits.js'
import type { CoreRelocation, FunctionInfo, LineInfo, Reference } from './spec.js'

/** A program's linked code. */
export interface LinkedCode {
  readonly insns: Insn[]
  readonly references: Map<number, Reference>
  readonly functions: FunctionInfo[]
  readonly lines: LineInfo[]
  readonly coreRelocations: CoreRelocation[]
}

const pseudoOf = {
  map: pseudoLoad.mapFd,
  map_value: pseudoLoad.mapValue,
  ksym: pseudoLoad.btfId,
  kfunc: pseudoCall.kfunc,
} as const

/** Counts instructions over all programs of an object, so that a small file cannot ask for any amount of memory. */
export interface LinkBudget {
  insns: number
}

/** Links one program. Throws `BpfError`: `bad-call`, `program-too-large`, `object-too-large`. */
export function linkProgram(main: CodeFunction, text: CodeSection | undefined, budget: LinkBudget): LinkedCode {
  const linked: LinkedCode = { insns: [], references: new Map(), functions: [], lines: [], coreRelocations: [] }
  const starts = new Map<CodeFunction, number>()
  const place = { place: `program ${main.name}` }

  const append = (func: CodeFunction): Position => {
    const base = linked.insns.length
    budget.insns += func.count
    if (base + func.count > objectLimits.programInsns) {
      throw new BpfError('program-too-large', `more than ${objectLimits.programInsns} instructions`, place)
    }
    if (budget.insns > objectLimits.linkedInsns) {
      const sentence = `all programs together exceed ${objectLimits.linkedInsns} instructions`
      throw new BpfError('object-too-large', sentence, place)
    }
    starts.set(func, base)
    linked.functions.push({ name: func.name, start: base, typeId: func.typeId })
    for (let i = 0; i < func.count; i++) linked.insns.push({ ...insnAt(func, i) })
    copyRecords(func, base, linked)
    return { func, base, next: 0 }
  }

  // An explicit stack instead of recursion: how deep calls nest is up to the file.
  const stack = [append(main)]
  for (let top = stack.at(-1); top; top = stack.at(-1)) {
    const { func, base } = top
    if (top.next >= func.count) {
      stack.pop()
      continue
    }
    const index = top.next++
    const insn = linked.insns[base + index]
    if (!insn) continue
    const target = func.section.targets.get(func.start + index)
    const callee = target?.kind === 'reference' ? undefined : calledBy(func, index, insn, target, text)
    if (target?.kind === 'reference') refer(linked, base + index, insn, target)
    if (callee) {
      if (!starts.has(callee)) stack.push(append(callee))
      insn.src = insn.code === opcodes.call ? pseudoCall.local : pseudoLoad.func
      insn.imm = (starts.get(callee) ?? 0) - (base + index) - 1
    }
    if (insn.code === opcodes.wideLoad) top.next++
  }
  return linked
}

interface Position {
  readonly func: CodeFunction
  readonly base: number
  next: number
}

function insnAt(func: CodeFunction, index: number): Insn {
  const insn = func.section.insns[func.start + index]
  if (!insn) throw new BpfError('bad-call', `function ${func.name} ends outside its section`)
  return insn
}

/** The function that an instruction calls or takes the address of, if it does. */
function calledBy(
  func: CodeFunction,
  index: number,
  insn: Insn,
  target: Target | undefined,
  text: CodeSection | undefined,
): CodeFunction | undefined {
  const isCall = insn.code === opcodes.call && insn.src === pseudoCall.local
  const isAddress = insn.code === opcodes.wideLoad && insn.src === pseudoLoad.func
  const fail = (sentence: string): never => {
    const place = `section ${func.section.name}, instruction ${func.start + index}`
    throw new BpfError('bad-call', sentence, { place })
  }
  let at: number
  if (target?.kind === 'function') at = target.insn
  else if (isCall && func.section === text) at = func.start + index + insn.imm + 1
  else if (isCall || isAddress)
    return fail('it refers to a function of its own section, which must be .text, or lacks its relocation')
  else return undefined
  return functionAt(text, at) ?? fail(`no function begins at instruction ${at} of .text`)
}

/** Functions of `.text` by first instruction; where names share one, the first. */
const byStart = new WeakMap<CodeSection, Map<number, CodeFunction>>()

function functionAt(text: CodeSection | undefined, insn: number): CodeFunction | undefined {
  if (!text) return undefined
  let index = byStart.get(text)
  if (!index) {
    index = new Map()
    for (const func of text.functions) if (!index.has(func.start)) index.set(func.start, func)
    byStart.set(text, index)
  }
  return index.get(insn)
}

function refer(linked: LinkedCode, at: number, insn: Insn, target: Extract<Target, { kind: 'reference' }>): void {
  const { reference, offset } = target
  insn.src = pseudoOf[reference.kind]
  insn.imm = 0
  if (reference.kind === 'kfunc') insn.off = 0
  const second = linked.insns[at + 1]
  if (insn.code === opcodes.wideLoad && second) second.imm = offset
  linked.references.set(at, reference)
}

function copyRecords(func: CodeFunction, base: number, linked: LinkedCode): void {
  const end = func.start + func.count
  const { lines, coreRelocations } = func.section
  for (let i = lowerBound(lines, func.start); ; i++) {
    const entry = lines[i]
    if (!entry || entry[0] >= end) break
    const [insn, { file, text, line, column }] = entry
    linked.lines.push({ insn: insn - func.start + base, file, text, line, column })
  }
  for (let i = lowerBound(coreRelocations, func.start); ; i++) {
    const entry = coreRelocations[i]
    if (!entry || entry[0] >= end) break
    const [insn, { typeId, access, kind }] = entry
    linked.coreRelocations.push({ insn: insn - func.start + base, typeId, access, kind })
  }
}

/** First index whose instruction is not before `insn`. */
function lowerBound(records: readonly (readonly [number, unknown])[], insn: number): number {
  let low = 0
  let high = records.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((records[middle]?.[0] ?? insn) < insn) low = middle + 1
    else high = middle
  }
  return low
}
