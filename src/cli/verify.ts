/** `workerbee verify FILE [PROGRAM]`: one verdict a program, by our verifier or by the running kernel. */
import { BpfError } from '../bits/index.js'
import { parseBtf } from '../btf/index.js'
import { kfuncSet } from '../machine/kfuncs.js'
import type { ObjectSpec, ProgramSpec } from '../object/index.js'
import { getProfile, type KfuncRow } from '../profile/index.js'
import { type ProgramReport, programJson, type VerificationReport } from '../report/index.js'
import { errnoName } from '../uapi/index.js'
import { type LogLevel, verify } from '../verifier/index.js'
import { parseCount, readInput } from './arguments.js'
import { exitCodes, unsupported, usageError } from './exit.js'
import { choosePrograms, naming, openSpec } from './input.js'
import type { Io } from './io.js'
import { loadKfuncs } from './kfuncs.js'
import { toJson } from './show.js'
import { describeVerdict } from './verdict.js'

/** Options of `verify`, as they were written. */
export interface VerifyOptions {
  readonly file: string
  readonly program?: string
  readonly on?: string
  readonly kernel?: string
  readonly btf?: string
  readonly log?: string
  readonly kfuncs?: string
  readonly set?: readonly string[]
  readonly json?: boolean
  readonly sarif?: boolean
}

/** Judges programs and prints their verdicts; 0 if all are accepted, 1 if one is refused, 3 if one could not be judged. */
export async function verifyCommand(options: VerifyOptions, io: Io): Promise<number> {
  if (options.sarif) throw unsupported('--sarif')
  if (options.btf !== undefined) {
    const file = options.btf
    naming(file, () => parseBtf(readInput(file)))
    throw unsupported('--btf')
  }
  const logLevel = options.log === undefined ? 0 : (parseCount('--log', options.log, 1, 2) as LogLevel)
  if (options.on === 'linux') return verifyOnLinux(options, logLevel, io)
  const spec = openSpec(options.file, options.set)
  const programs = choosePrograms(spec, options.program)
  if (programs.length === 0) throw usageError('FILE', `${options.file} has no programs`)
  const kfuncs = await suppliedRows(spec, options)
  let worst = exitCodes.yes as number
  for (const program of programs) {
    const before = performance.now()
    const report = verify(spec, { kernel: options.kernel ?? '6.18', programs: [program.name], logLevel, kfuncs })
    const timeUs = Math.round((performance.now() - before) * 1000)
    for (const each of report.programs) show(each, timeUs, options, io)
    worst = worse(worst, exitOf(report))
  }
  return worst
}

/** The kfuncs of `--kfuncs` as rows of the profile. */
async function suppliedRows(spec: ObjectSpec, options: VerifyOptions): Promise<KfuncRow[]> {
  const profile = getProfile(options.kernel)
  const set = kfuncSet(profile, spec, await loadKfuncs(options.kfuncs))
  return [...set.supplied.keys()].flatMap((name) => set.profile.kfunc(name) ?? [])
}

function exitOf(report: VerificationReport): number {
  const codes = { accept: exitCodes.yes, reject: exitCodes.no, unsupported: exitCodes.environment }
  return codes[report.verdict]
}

/** A refusal is an answer and outweighs what could not be judged. */
function worse(a: number, b: number): number {
  if (a === exitCodes.no || b === exitCodes.no) return exitCodes.no
  return Math.max(a, b)
}

function show(report: ProgramReport, timeUs: number, options: VerifyOptions, io: Io): void {
  if (options.json) {
    io.out(toJson(programJson(report, timeUs)))
    return
  }
  for (const line of describeVerdict(report, io)) io.out(line)
  if (options.log !== undefined) io.out(report.log.trimEnd())
}

/** The running kernel's own verdicts, programs marked `SEC("?...")` included. */
async function verifyOnLinux(options: VerifyOptions, logLevel: LogLevel, io: Io): Promise<number> {
  const linux = await import('../linux/index.js')
  const reason = linux.kernelUnavailable()
  if (reason !== undefined) throw noKernel(reason)
  const spec = openSpec(options.file, options.set)
  const programs: ProgramSpec[] = choosePrograms(spec, options.program)
  const fds = linux.descriptors()
  let worst = exitCodes.yes as number
  try {
    const object = linux.openObject(spec, fds)
    for (const program of programs) {
      const before = performance.now()
      const { verdict, errno, message, processed, log } = linux.askKernel(object, program, fds, logLevel || 1)
      const timeUs = Math.round((performance.now() - before) * 1000)
      const { name, section, type } = program
      const answer = { program: name, section, type: type ?? 'unspec', verdict, errno, message }
      if (options.json) io.out(toJson({ ...answer, processed: processed ?? 0, timeUs }))
      else {
        const word =
          verdict === 'accept' ? io.colors.green('accepted') : io.colors.red(`refused with ${errnoText(errno)}`)
        io.out(`${io.colors.bold(name)} ${io.colors.dim(`(${answer.type})`)} ${word} by the running kernel`)
        if (message) io.out(`  ${message}`)
        if (options.log !== undefined) io.out(log.trimEnd())
      }
      if (verdict === 'reject') worst = exitCodes.no
    }
  } finally {
    fds.closeAll()
  }
  return worst
}

function errnoText(errno: number): string {
  return `${errnoName(errno)} (${errno})`
}

function noKernel(reason: Error): BpfError {
  return new BpfError('no-kernel', `the running kernel cannot be asked: ${reason.message}`, { place: '--on linux' })
}
