/** Programs of the running kernel: load with the verifier's log, and test runs. */
import { ErrnoError, errnos } from '../uapi/index.js'
import { attribute, bpf, bpfRaw } from './bpf.js'

/** What BPF_PROG_LOAD takes. */
export interface ProgramLoad {
  type: number
  insns: Uint8Array
  license: string
  name?: string
  flags?: number
  expectedAttachType?: number
  kernelVersion?: number
  attachBtfId?: number
  btfFd?: number
  /** Records of 8 bytes: instruction, BTF id. */
  funcInfo?: Uint8Array
  /** Records of 16 bytes: instruction, file name, line text (string offsets in the BTF), line << 10 | column. */
  lineInfo?: Uint8Array
  /** 0 none, 1 the failing path, 2 every instruction, 4 statistics only. */
  logLevel?: number
}

/** What became of a load. */
export interface LoadAnswer {
  /** The descriptor, or the negative errno. */
  readonly result: number
  /** The verifier's log; empty at level 0. */
  readonly log: string
}

/** The largest log that is waited for; the kernel's own limit is 1 GiB. */
const largestLog = 16 << 20

/**
 * Loads a program and returns the kernel's answer, refusals included. The log buffer grows until the log fits: a buffer that
 * is too small makes the load fail with ENOSPC whatever the verdict would have been.
 */
export function tryLoadProgram(load: ProgramLoad): LoadAnswer {
  const level = load.logLevel ?? 0
  for (let size = level ? 1 << 16 : 0; ; size *= 4) {
    const log = new Uint8Array(size)
    const block = attribute(152)
    block
      .u32(0, load.type)
      .u32(4, load.insns.length / 8)
      .pointer(8, load.insns)
    block.pointer(16, new TextEncoder().encode(`${load.license}\0`))
    if (level) block.u32(24, level).u32(28, size).pointer(32, log)
    block
      .u32(40, load.kernelVersion ?? 0)
      .u32(44, load.flags ?? 0)
      .name(48, load.name ?? '')
    block.u32(68, load.expectedAttachType ?? 0).u32(108, load.attachBtfId ?? 0)
    if (load.btfFd) {
      block.u32(72, load.btfFd)
      if (load.funcInfo?.length) {
        block
          .u32(76, 8)
          .pointer(80, load.funcInfo)
          .u32(88, load.funcInfo.length / 8)
      }
      if (load.lineInfo?.length) {
        block
          .u32(92, 16)
          .pointer(96, load.lineInfo)
          .u32(104, load.lineInfo.length / 16)
      }
    }
    const result = bpfRaw('prog_load', block)
    const tooSmall = -result === errnos.ENOSPC && size > 0
    if (tooSmall && size < largestLog) continue
    const end = log.indexOf(0)
    const text = new TextDecoder().decode(log.subarray(0, end < 0 ? undefined : end))
    // The kernel keeps the end of a log that does not fit; the verdict it then gives only without one.
    return tooSmall ? { result: tryLoadProgram({ ...load, logLevel: 0 }).result, log: text } : { result, log: text }
  }
}

/** What BPF_PROG_TEST_RUN takes. */
export interface TestRun {
  data?: Uint8Array
  ctx?: Uint8Array
  repeat?: number
  /** Room for the packet to grow, in bytes (default 512). */
  headroom?: number
}

/** What a test run gave. */
export interface TestRunAnswer {
  readonly retval: number
  readonly data: Uint8Array
  readonly ctx: Uint8Array
  /** Nanoseconds a run, as the kernel measured. */
  readonly durationNs: number
}

/** Program type numbers that take a context and nothing else. */
const contextOnly = new Set([31])

/** Runs a loaded program. Throws `ErrnoError` (ENOTSUPP where the program type has no test run). */
export function testRun(fd: number, type: number, run: TestRun, name: string): TestRunAnswer {
  const block = attribute(80).u32(0, fd)
  const ctx = run.ctx?.slice() ?? new Uint8Array(0)
  const dataOut = new Uint8Array(run.data ? run.data.length + (run.headroom ?? 512) : 0)
  if (run.data) {
    block.u32(8, run.data.length).u32(12, dataOut.length).pointer(16, run.data).pointer(24, dataOut)
  }
  if (run.repeat !== undefined) block.u32(32, run.repeat)
  if (ctx.length) {
    block.u32(40, ctx.length).pointer(48, ctx)
    // A syscall program writes to its context in place; the others give a copy back.
    if (!contextOnly.has(type)) block.u32(44, ctx.length).pointer(56, ctx)
  }
  bpf('prog_test_run', block, `program ${name}`)
  return {
    retval: block.read32(4),
    data: dataOut.subarray(0, block.read32(12)),
    ctx,
    durationNs: block.read32(36),
  }
}

/** Loads BTF; throws `ErrnoError` with the kernel's reasons. */
export function loadBtf(bytes: Uint8Array): number {
  const log = new Uint8Array(1 << 16)
  const block = attribute(40).pointer(0, bytes).u32(16, bytes.length)
  const result = bpfRaw('btf_load', block)
  if (result >= 0) return result
  bpfRaw(
    'btf_load',
    attribute(40).pointer(0, bytes).pointer(8, log).u32(16, bytes.length).u32(20, log.length).u32(24, 1),
  )
  const end = log.indexOf(0)
  const reasons = new TextDecoder().decode(log.subarray(0, end < 0 ? undefined : end)).trim()
  throw new ErrnoError(-result, 'btf_load', { place: reasons.split('\n').at(-1) ?? '' })
}
