/**
 * What a program type gets in R1, and what BPF_PROG_TEST_RUN makes of it. A context is laid out in linear memory exactly as
 * programs see it: Linux rewrites accesses to `__sk_buff` and `xdp_md` into accesses of its own objects, a machine has no
 * need to, because `data` and `data_end` hold linear-memory addresses.
 */
import { BpfError } from '../../bits/index.js'
import type { Codec, RunOptions, RunResult } from '../../host/index.js'
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

/** A member of a context: its offset and size in bytes; `count` where it is an array. */
export interface ContextField {
  readonly offset: number
  readonly size: 1 | 4 | 8
  readonly count?: number
  /** `true` where test_run takes a value from user space. */
  readonly input?: true
}

/** The members of a context struct by name. */
export type ContextFields = Readonly<Record<string, ContextField>>

function write(view: DataView, at: number, size: number, value: unknown, name: string): void {
  if (typeof value !== 'number' && typeof value !== 'bigint') {
    throw new BpfError('bad-context', `${name} wants a number`, { place: `context member ${name}` })
  }
  const number = BigInt(value)
  const bits = size * 8
  if (number !== BigInt.asUintN(bits, number) && number !== BigInt.asIntN(bits, number)) {
    throw new BpfError('bad-context', `${number} does not fit into ${bits} bits`, { place: `context member ${name}` })
  }
  if (size === 8) view.setBigUint64(at, BigInt.asUintN(64, number), true)
  else if (size === 4) view.setUint32(at, Number(BigInt.asUintN(32, number)), true)
  else view.setUint8(at, Number(BigInt.asUintN(8, number)))
}

/** Bytes of a context that was given member by member. Throws `BpfError` (`bad-context`) for a name or value that does not fit. */
export function fieldsToBytes(fields: ContextFields, size: number, values: Record<string, unknown>): Uint8Array {
  const bytes = new Uint8Array(size)
  const view = new DataView(bytes.buffer)
  for (const [name, value] of Object.entries(values)) {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined
    if (!field) throw new BpfError('bad-context', `the context has no member ${name}`, { place: 'context' })
    if (field.count === undefined) {
      write(view, field.offset, field.size, value, name)
      continue
    }
    if (!Array.isArray(value) || value.length > field.count) {
      throw new BpfError('bad-context', `an array of at most ${field.count} numbers is wanted`, {
        place: `context member ${name}`,
      })
    }
    for (const [i, item] of value.entries()) write(view, field.offset + i * field.size, field.size, item, name)
  }
  return bytes
}

/** A context's bytes, member by member; 64-bit members as `bigint`. */
export function bytesToFields(fields: ContextFields, bytes: Uint8Array): Record<string, unknown> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const read = (at: number, size: number) =>
    size === 8 ? view.getBigUint64(at, true) : size === 4 ? view.getUint32(at, true) : view.getUint8(at)
  return Object.fromEntries(
    Object.entries(fields).map(([name, { offset, size, count }]) => [
      name,
      count === undefined ? read(offset, size) : Array.from({ length: count }, (_, i) => read(offset + i * size, size)),
    ]),
  )
}

/**
 * The context as given, as `size` bytes; `undefined` where none was given. Bytes beyond `size` must be zero (-E2BIG), and
 * only members marked `input` may be set (-EINVAL).
 */
export function givenContext(
  fields: ContextFields,
  size: number,
  given: RunOptions['ctx'],
  strict: boolean,
): Uint8Array | undefined {
  if (given === undefined) return undefined
  let bytes: Uint8Array
  if (given instanceof Uint8Array) {
    if (given.subarray(size).some((byte) => byte !== 0)) throw testRunError('E2BIG', 'the context is too long')
    bytes = new Uint8Array(size)
    bytes.set(given.subarray(0, size))
  } else {
    bytes = fieldsToBytes(fields, size, given)
  }
  if (!strict) return bytes
  const rest = bytes.slice()
  for (const { offset, size: width, count = 1, input } of Object.values(fields)) {
    if (input) rest.fill(0, offset, offset + width * count)
  }
  const bad = rest.findIndex((byte) => byte !== 0)
  if (bad >= 0) throw testRunError('EINVAL', `context byte ${bad} (${fieldAt(fields, bad)}) cannot be set`)
  return bytes
}

function fieldAt(fields: ContextFields, at: number): string {
  const found = Object.entries(fields).find(([, f]) => at >= f.offset && at < f.offset + f.size * (f.count ?? 1))
  return found ? found[0] : 'padding'
}
