/**
 * From a refusal to a diagnostic: the category, the source line, how the register that the message names got its value,
 * and a hint. The path is walked backwards as precision does, from instruction to instruction.
 */
import type { ProgramSpec } from '../object/spec.js'
import type { Profile } from '../profile/index.js'
import type { Category, Diagnostic, SourceSpan, TraceStep } from '../report/index.js'
import type { Exploration } from './create-env.js'
import { previousInsn } from './history.js'
import type { State } from './state.js'

/** The most instructions that are walked back, and the most that are shown. */
const maxWalk = 4096
const maxShown = 8

interface Rule {
  readonly when: RegExp
  readonly category: Category
  readonly hint?: string
}

/** First match counts. */
const rules: readonly Rule[] = [
  {
    when: /_or_null|null-check|Possibly NULL/,
    category: 'null',
    hint: 'compare the pointer with NULL before you use it',
  },
  { when: /!read_ok|invalid read from stack/, category: 'uninitialised', hint: 'give it a value on every path' },
  {
    when: /cannot be accessed directly by load\/store/,
    category: 'type',
    hint: 'this field belongs to the kernel: use its helpers or kfuncs, and do not copy over it',
  },
  {
    when: /min value is negative|unbounded memory access|unbounded min value/,
    category: 'bounds',
    hint: 'limit the index to the size of the memory, with an unsigned comparison or a mask, just before the access',
  },
  {
    when: /outside of the (allowed memory range|packet)|invalid access to|out of bounds|invalid .*stack|memory, len/,
    category: 'bounds',
    hint: 'compare the index, or the packet pointer, with the end before the access',
  },
  { when: /should have been in|not a known value/, category: 'contract', hint: 'return a value in that range' },
  { when: /Unreleased reference|reference leak/, category: 'contract', hint: 'release it on every path' },
  { when: /-ed region|holding a lock|bpf_spin_lock/, category: 'contract', hint: 'unlock first' },
  { when: /might sleep|sleepable|not allowed|GPL|cannot be used|progs cannot use/, category: 'context' },
  {
    when: /infinite loop|too large|too complex|Too large|too deep|out of range|unreachable|last insn|too many/,
    category: 'structure',
  },
  {
    when: /reserved fields|unknown opcode|invalid insn|ld_imm64|invalid destination|uses invalid/,
    category: 'structure',
  },
]

function sourceAt(env: Exploration, insn: number): SourceSpan | undefined {
  const line = env.lines.at(insn)
  return line && { file: line.file, line: line.line, column: line.column, text: line.text }
}

/** What is to be said about a refusal. `insn` is known where no path was followed. */
export function explainRejection(
  spec: ProgramSpec,
  profile: Profile,
  env: Exploration | undefined,
  insn: number | undefined,
  message: string,
): Diagnostic {
  const rule = rules.find(({ when }) => when.test(message))
  const at = insn ?? env?.insn
  const line = at === undefined ? undefined : lastLine(spec, at)
  return {
    category: rule?.category ?? 'type',
    message,
    insn: at,
    text: at === undefined || !env ? undefined : env.insnText(at),
    source: line,
    origin: env && at !== undefined ? origin(env, at, registerIn(message)) : [],
    hint: rule?.hint ?? missingKfunc(spec, profile, at),
  }
}

/** What to do where the instruction calls a kfunc that this kernel lacks. */
function missingKfunc({ references }: ProgramSpec, profile: Profile, insn: number | undefined): string | undefined {
  const reference = insn === undefined ? undefined : references.get(insn)
  if (reference?.kind !== 'kfunc' || profile.kfunc(reference.name)) return undefined
  return (
    profile.kfuncHint(reference.name) ??
    `Linux ${profile.kernel} has no kfunc ${reference.name}; it can be supplied in TypeScript: load(spec, { kfuncs })`
  )
}

function lastLine(spec: ProgramSpec, insn: number): SourceSpan | undefined {
  const line = spec.lines.filter((each) => each.insn <= insn).pop()
  return line && { file: line.file, line: line.line, column: line.column, text: line.text }
}

/** What is to be said about something that this version does not judge. */
export function explainUnsupported(spec: ProgramSpec, env: Exploration | undefined, what: string): Diagnostic {
  return {
    category: 'context',
    message: `not supported yet: ${what}`,
    insn: env?.insn,
    text: env?.insnText(env.insn),
    source: env && lastLine(spec, env.insn),
    origin: [],
    hint: undefined,
  }
}

function registerIn(message: string): number | undefined {
  const found = /\bR(\d+)\b/.exec(message)?.[1]
  return found === undefined ? undefined : Number(found)
}

/** The instructions that gave register `n` its value, oldest first. */
function origin(env: Exploration, at: number, n: number | undefined): TraceStep[] {
  const steps: TraceStep[] = []
  let wanted = n
  let state: State | undefined = env.state
  let insn = at
  let end = state.history.length
  for (let i = 0; i < maxWalk && state && wanted !== undefined && steps.length < maxShown; i++) {
    const previous = previousInsn(state, insn, end)
    if (!previous) {
      state = state.parent
      if (!state || state.lastInsn < 0) break
      insn = state.lastInsn
      end = state.history.length
    } else {
      insn = previous.insn
      end = previous.end
    }
    const row = env.rows[insn]
    const code = env.program.insns[insn]
    if (!row || !code || row.kind === 'exit') break
    const clobbers = row.kind === 'call' && wanted <= 5
    const writes = ['alu', 'end', 'load', 'imm64'].includes(row.kind) && code.dst === wanted
    if (!clobbers && !writes) continue
    steps.push({ insn, text: env.insnText(insn), source: sourceAt(env, insn) })
    const copies = row.op === 'mov' || row.op === 'movsx'
    if (clobbers || row.kind === 'imm64' || row.kind === 'load') break
    if (copies) wanted = row.source === 'reg' ? code.src : undefined
  }
  return steps.reverse()
}
