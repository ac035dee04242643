/**
 * What a program type gets in R1, and what BPF_PROG_TEST_RUN makes of it. A context is laid out in linear memory exactly as
 * programs see it: Linux rewrites accesses to `__sk_buff` and `xdp_md` into accesses of its own objects, a machine has no
 * need to, because `data` and `data_end` hold linear-memory addresses.
 */
import {
  type Codec,
  type ContextFields,
  type ContextStruct,
  type RunOptions,
  type RunResult,
  recordContext,
} from '../../host/index.js'
import { ErrnoError, type ErrnoName, errnos } from '../../uapi/index.js'

/** What a context needs to know about the program. */
export interface ContextProgram {
  readonly name: string
  /** How the program's own context argument lies in memory, where BTF says so (syscall programs). */
  readonly argument: Codec | undefined
  /** How far the program reaches into its context, as the verifier saw it; 0 for one that was not verified. */
  readonly contextBytes: number
}

/** One set-up run: how much memory it wants, how it is filled, and what comes out. */
export interface PreparedRun {
  /** Bytes of the context; 0 where R1 is NULL. */
  readonly ctxSize: number
  /** Bytes of the packet with its head- and tailroom; 0 where there is none. */
  readonly packetSize: number
  /** Fills both; `ctx` and `packet` are their addresses. Returns where LD_ABS sees the packet begin and end. */
  place(memory: ArrayBufferLike, ctx: number, packet: number): { packet: number; packetEnd: number }
  /** Reads what the program left. */
  finish(memory: ArrayBufferLike, ctx: number, packet: number): Omit<RunResult, 'retval'>
}

/** Prepares a run of one program type; throws `ErrnoError` where test_run would. */
export type ContextType = (options: RunOptions, program: ContextProgram) => PreparedRun

/** The error that BPF_PROG_TEST_RUN gives. */
export function testRunError(errno: ErrnoName, why: string): ErrnoError {
  return new ErrnoError(errnos[errno], 'prog_test_run', { place: why })
}

/** The context as given, in the struct's size; `undefined` where none was given. Bytes beyond must be zero (-E2BIG). */
export function givenContext(struct: ContextStruct, { ctx, data }: RunOptions): Uint8Array | undefined {
  if (ctx === undefined) return undefined
  if (!(ctx instanceof Uint8Array)) return recordContext(struct, ctx, data)
  if (ctx.subarray(struct.size).some((byte) => byte !== 0)) throw testRunError('E2BIG', 'the context is too long')
  const bytes = new Uint8Array(struct.size)
  bytes.set(ctx.subarray(0, struct.size))
  return bytes
}

/** Only members marked `input` may be set (-EINVAL). */
export function assertInputs({ fields }: ContextStruct, bytes: Uint8Array): void {
  const rest = bytes.slice()
  for (const { offset, size, count = 1, input } of Object.values(fields)) {
    if (input) rest.fill(0, offset, offset + size * count)
  }
  const bad = rest.findIndex((byte) => byte !== 0)
  if (bad >= 0) throw testRunError('EINVAL', `context byte ${bad} (${fieldAt(fields, bad)}) cannot be set`)
}

function fieldAt(fields: ContextFields, at: number): string {
  const found = Object.entries(fields).find(([, f]) => at >= f.offset && at < f.offset + f.size * (f.count ?? 1))
  return found ? found[0] : 'padding'
}
