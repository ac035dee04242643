/**
 * One program from its instructions to its verdict, in the order in which Linux checks things: the encoding, what the
 * program uses, its shape, then every path, then the depth of the stack. Rules end it by throwing a private signal, which
 * becomes the verdict here; nothing leaves this function but a report.
 */
import type { Facts } from '../facts/index.js'
import { disassembleInsn, opcode } from '../isa/index.js'
import type { Insn } from '../isa/insn.js'
import type { ObjectSpec, ProgramSpec } from '../object/spec.js'
import type { Profile } from '../profile/index.js'
import type { ProgramReport } from '../report/index.js'
import type { ErrnoName } from '../uapi/index.js'
import { createEnv, type Exploration, insnNames } from './create-env.js'
import { Rejection, Unsupported } from './errors.js'
import { explainRejection, explainUnsupported } from './explain.js'
import { explore, maxInsns } from './explore.js'
import { loadProgram, mapViews } from './load.js'
import { createLog, type Log, type LogLevel } from './log/log.js'
import { sourceLines } from './log/source.js'
import { isAsyncCall, isSyncCall, parameterCount } from './prepare/call-traits.js'
import { checkEarlyReturn } from './prepare/early-return.js'
import { checkOpcodes, checkSubprograms, findSubprograms } from './prepare/encoding.js'
import { checkFlow, type FlowError, flowFlags, loops, postorder, successors } from './prepare/flow.js'
import { formatLiveRegisters, liveRegisters } from './prepare/live-registers.js'
import { checkKfuncUse, checkMapUse } from './prepare/uses.js'
import type { MapView, Program } from './program.js'
import { createPruner, type Pruner } from './prune.js'
import { checkStackDepth } from './stack-depth.js'
import { stackLiveness } from './stack-liveness.js'

/** How one program is verified. */
export interface ProgramOptions {
  readonly profile: Profile
  readonly logLevel: LogLevel
  /** Gives up as unsupported after so many instructions (default: the kernel's limit, which refuses the program). */
  readonly maxProcessed?: number
  /** Maps of the object, made once for all its programs. */
  readonly maps?: ReadonlyMap<string, MapView>
}

/** A report with what was proved: engines may use `facts` of an accepted program. */
export interface ProgramVerification extends ProgramReport {
  readonly facts: Facts | undefined
}

/** What happened, while it is not yet a report. */
interface Run {
  readonly log: Log
  readonly pruner: Pruner
  env: Exploration | undefined
}

/** The verdict on one program of an object. Never throws for any program that `parseObject` can give. */
export function verifyProgram(object: ObjectSpec, spec: ProgramSpec, options: ProgramOptions): ProgramVerification {
  const log = createLog(options.logLevel)
  const run: Run = { log, pruner: createPruner(Math.max(spec.insns.length, 1)), env: undefined }
  const outcome = judge(object, spec, options, run)
  const { stats, insnsProcessed } = run.pruner
  if (log.level) {
    log.write(
      `processed ${insnsProcessed} insns (limit ${maxInsns}) max_states_per_insn ${stats.maxStatesPerInsn} ` +
        `total_states ${stats.totalStates} peak_states ${stats.peakStates} mark_read 0\n`,
    )
  }
  return {
    program: spec.name,
    section: spec.section,
    type: spec.type ?? 'unspec',
    ...outcome,
    log: log.text,
    stats: { processed: insnsProcessed, ...stats },
    contextBytes: run.env?.contextBytes ?? 0,
    facts: outcome.verdict === 'accept' && run.env ? factsOf(run.env) : undefined,
  }
}

/** Every path was explored or covered by one that was, so what none of them did is never done. */
function factsOf({ notes, program }: Exploration): Facts {
  // The second half of a wide load goes with the first.
  const seen = (i: number): boolean => notes[program.insns[i]?.code === 0 ? i - 1 : i]?.seen ?? false
  return {
    reachable: Uint8Array.from(notes, (_, i) => Number(seen(i))),
    alwaysJumps: Uint8Array.from(notes, ({ jumps, falls }) => Number(jumps && !falls)),
    neverJumps: Uint8Array.from(notes, ({ jumps, falls }) => Number(falls && !jumps)),
  }
}

type Outcome = Pick<ProgramReport, 'verdict' | 'errno' | 'message' | 'diagnostics'>

function judge(object: ObjectSpec, spec: ProgramSpec, options: ProgramOptions, run: Run): Outcome {
  try {
    check(object, spec, options, run)
    return { verdict: 'accept', errno: undefined, message: '', diagnostics: [] }
  } catch (signal) {
    if (signal instanceof Unsupported) {
      const diagnostic = explainUnsupported(spec, run.env, signal.what)
      return { verdict: 'unsupported', errno: undefined, message: signal.what, diagnostics: [diagnostic] }
    }
    if (!(signal instanceof Rejection)) throw signal
    // After an endless loop Linux prints the two states that are equal; the reason stands before them.
    const lines = signal.message.split('\n').filter((line) => !/^(cur|old) state:/.test(line))
    const message = lines.pop() ?? ''
    const diagnostic = explainRejection(spec, options.profile, run.env, signal.insn, message)
    return { verdict: 'reject', errno: signal.errno, message, diagnostics: [diagnostic] }
  }
}

function refusal(log: Log, { errno, message, insn }: FlowError): Rejection {
  log.write(`${message}\n`)
  return new Rejection(errno, message, insn)
}

function refuse(log: Log, error: FlowError | undefined): void {
  if (error) throw refusal(log, error)
}

function refuseWith(log: Log, errno: ErrnoName, message: string): never {
  log.write(`${message}\n`)
  throw new Rejection(errno, message)
}

const unsupportedTypes = new Set(['tracing', 'lsm', 'struct_ops', 'ext'])

function check(object: ObjectSpec, spec: ProgramSpec, options: ProgramOptions, run: Run): void {
  const { profile, maps, maxProcessed = maxInsns } = options
  const { log } = run
  const { insns } = spec
  if (!spec.type) throw new Unsupported('a program whose section does not say its type')
  if (insns.length === 0 || insns.length > maxInsns) refuseWith(log, 'E2BIG', '')
  const starts = findSubprograms(insns)
  if (!Array.isArray(starts)) throw refusal(log, starts)
  const program = loadProgram(object, spec, maps ?? mapViews(object), starts, profile)
  refuse(log, checkKfuncUse(program, profile))
  if (log.level === 2) for (const [i, start] of starts.entries()) log.write(`func#${i} @${start}\n`)
  refuse(log, checkSubprograms(insns, starts))
  refuse(log, checkEarlyReturn(program))
  refuse(log, checkOpcodes(insns))
  refuse(log, checkMapUse(program, profile))
  const flags = checkFlow(insns, {
    async: (insn, at) => isAsyncCall(program, insn, at),
    sync: (insn, at) => isSyncCall(program, insn, at),
  })
  if (!(flags instanceof Uint8Array)) throw refusal(log, flags)
  checkSleepable(log, profile, spec)
  if (unsupportedTypes.has(spec.type)) throw new Unsupported(`programs of type ${spec.type}`)
  if ([...program.maps.values()].some((map) => map.spec.type === 'arena')) throw new Unsupported('arenas')
  const env = prepare(program, profile, log, starts, flags)
  run.env = env
  run.pruner.giveUpAfter = maxProcessed
  exploreAll(env, run.pruner)
  checkStackDepth(env)
  refuse(log, env.atEnd)
}

function checkSleepable(log: Log, profile: Profile, { type, sleepable }: ProgramSpec): void {
  if (!type) return
  if (type === 'syscall' && !sleepable) refuseWith(log, 'EINVAL', 'Syscall programs can only be sleepable')
  if (sleepable && profile.program(type).sleepable === 'no') {
    const message = 'Only fentry/fexit/fmod_ret, lsm, iter, uprobe, and struct_ops programs can be sleepable'
    refuseWith(log, 'EINVAL', message)
  }
}

/** Everything that is known before the first path. */
function prepare(
  program: Program,
  profile: Profile,
  log: Log,
  starts: readonly number[],
  flags: Uint8Array,
): Exploration {
  const { insns } = program
  const liveRegs = liveRegisters(insns, starts, (insn, at) => parameterCount(program, profile, insn, at))
  const component = loops(insns)
  if (log.level === 2) {
    const names = insnNames(program, profile)
    log.write(formatLiveRegisters(insns, liveRegs, component, (i) => disassembleInsn(insns, i, names)))
  }
  const next = insns.map((_, i) => successors(insns, i))
  const orders = new Map(starts.map((start) => [start, postorder(insns, start)]))
  return createEnv({
    program,
    profile,
    log,
    lines: sourceLines(program.lines, log),
    rows: insns.map((insn: Insn) => opcode(insn)),
    flags,
    liveRegs,
    loops: component,
    stackLiveness: stackLiveness({
      successors: (insn) => next[insn] ?? [],
      start: (number) => starts[number] ?? 0,
      postorder: (start) => orders.get(start) ?? [],
      isPrunePoint: (insn) => ((flags[insn] ?? 0) & flowFlags.prune) !== 0,
      callsBack: (insn) => ((flags[insn] ?? 0) & flowFlags.callsBack) !== 0,
      log: log.level === 2 ? (text) => log.write(text) : undefined,
    }),
  })
}

/** The program itself, then every global function that was called, each once. */
function exploreAll(env: Exploration, pruner: Pruner): void {
  explore(env, pruner, 0)
  const verified = new Set<number>([0])
  for (let more = true; more; ) {
    more = false
    for (const number of [...env.calledGlobals].sort((a, b) => a - b)) {
      if (verified.has(number)) continue
      verified.add(number)
      pruner.forget()
      explore(env, pruner, number)
      const { name } = env.subprogram(number)
      if (env.log.level) env.note(`Func#${number} ('${name}') is safe for any args that match its prototype`)
      more = true
    }
  }
}
