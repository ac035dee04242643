/**
 * Helpers that JavaScript does: text, identity, and reads of memory that may not be there. Prototypes stand in `profile/`.
 * A machine has no user space, so that every user address faults (-EFAULT).
 */
import { errnos, type HelperName } from '../uapi/index.js'
import type { GuestMemory } from './guest-memory.js'
import type { TaskIdentity } from './identity.js'
import { packetHelpers } from './packet-helpers.js'
import { formatPrintk } from './printk.js'

/** One call: R1 to R5, unsigned, and what the helper may touch. */
export interface HostCall {
  readonly args: readonly [bigint, bigint, bigint, bigint, bigint]
  readonly memory: GuestMemory
  /** The task that `current` is. */
  readonly identity: TaskIdentity
  /** Adds to the trace. */
  print(text: string): void
}

/** Does the call and gives R0 (negative errnos as negative numbers). */
export type HostHelper = (call: HostCall) => bigint | number

/** BPF programs print at most this many arguments (MAX_BPRINTF_VARARGS). */
const maxVarArgs = 12

function printed(call: HostCall, format: Uint8Array | undefined, args: readonly bigint[]): number {
  const end = format?.indexOf(0) ?? -1
  if (!format || end < 0) return -errnos.EINVAL
  const result = formatPrintk(format.subarray(0, end), args, call.memory)
  if (!result) return -errnos.EINVAL
  call.print(result.text)
  return result.length
}

const size32 = (register: bigint) => Number(BigInt.asUintN(32, register))

/** Words of an argument array; `undefined` where the length is no multiple of 8 or too long. */
function words(call: HostCall, address: bigint, length: bigint): bigint[] | undefined {
  const bytes = size32(length)
  if (bytes % 8 !== 0 || bytes > maxVarArgs * 8 || (bytes > 0 && address === 0n)) return undefined
  const data = call.memory.bytes(address, bytes)
  if (!data) return bytes === 0 ? [] : undefined
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  return Array.from({ length: bytes / 8 }, (_, i) => view.getBigUint64(i * 8, true))
}

/** Copies `size` bytes to R1; where the source faults, zeros and -EFAULT. */
const probeRead: HostHelper = ({ args: [to, size, from], memory }) => {
  const length = size32(size)
  const bytes = memory.bytes(from, length)
  if (bytes) memory.write(Number(to), bytes)
  else memory.clear(Number(to), length)
  return bytes ? 0 : -errnos.EFAULT
}

/** Copies a string of at most `size` bytes with its NUL; the result is its length with the NUL. */
const probeReadString: HostHelper = ({ args: [to, size, from], memory }) => {
  const length = size32(size)
  if (length === 0) return 0
  const text = memory.string(from, length - 1)
  if (!text) {
    memory.clear(Number(to), length)
    return -errnos.EFAULT
  }
  memory.write(Number(to), text)
  memory.clear(Number(to) + text.length, 1)
  return text.length + 1
}

/** No address of user space exists. */
const userRead: HostHelper = ({ args: [to, size], memory }) => {
  memory.clear(Number(to), size32(size))
  return -errnos.EFAULT
}

/** `bpf_strtol` and `bpf_strtoul`: text with an optional base prefix; the result is the number of characters used. */
function parseNumber(signed: boolean): HostHelper {
  return ({ args: [text, length, flags, out], memory }) => {
    const base = Number(flags & 0x1fn)
    if (![0, 8, 10, 16].includes(base) || flags >> 5n) return -errnos.EINVAL
    const bytes = memory.bytes(text, size32(length))
    if (!bytes || bytes.length === 0) return -errnos.EINVAL
    const source = String.fromCharCode(...bytes)
    const match = /^([ \t\n\v\f\r]*)(-?)(0[xX](?=[0-9a-fA-F]))?([0-9a-fA-F]*)/.exec(source)
    const [, space = '', minus = '', prefix = '', rest = ''] = match ?? []
    if (minus && !signed) return -errnos.EINVAL
    const radix = base || (prefix ? 16 : rest.startsWith('0') ? 8 : 10)
    if (prefix && radix !== 16) {
      memory.write(Number(out), new Uint8Array(8))
      return space.length + minus.length + 1
    }
    const digits = (radix === 16 ? /^[0-9a-fA-F]*/ : radix === 8 ? /^[0-7]*/ : /^[0-9]*/).exec(rest)?.[0] ?? ''
    if (digits === '') return -errnos.EINVAL
    let value = 0n
    for (const digit of digits) value = value * BigInt(radix) + BigInt(Number.parseInt(digit, 16))
    if (minus) value = -value
    const fits = signed ? BigInt.asIntN(64, value) === value : BigInt.asUintN(64, value) === value
    if (!fits) return -errnos.ERANGE
    const view = new DataView(new ArrayBuffer(8))
    view.setBigUint64(0, BigInt.asUintN(64, value), true)
    memory.write(Number(out), new Uint8Array(view.buffer))
    return space.length + minus.length + prefix.length + digits.length
  }
}

/** Helpers of kind `host`, by name. */
export const hostHelpers = {
  ...packetHelpers,
  bpf_trace_printk: (call) => {
    const [format, size, ...args] = call.args
    return printed(call, call.memory.bytes(format, size32(size)), args)
  },
  bpf_trace_vprintk: (call) => {
    const [format, size, data, length] = call.args
    const args = words(call, data, length)
    return args ? printed(call, call.memory.bytes(format, size32(size)), args) : -errnos.EINVAL
  },
  bpf_snprintf: (call) => {
    const [out, size, format, data, length] = call.args
    const text = call.memory.string(format, 4096)
    const args = words(call, data, length)
    const result = text && args ? formatPrintk(text, args, call.memory) : undefined
    if (!result) return -errnos.EINVAL
    const room = size32(size)
    if (room > 0) {
      const bytes = new TextEncoder().encode(result.text).slice(0, room - 1)
      const padded = new Uint8Array(bytes.length + 1)
      padded.set(bytes)
      call.memory.write(Number(out), padded)
    }
    return result.length + 1
  },
  bpf_get_current_pid_tgid: ({ identity }) => (BigInt(identity.tgid) << 32n) | BigInt(identity.pid),
  bpf_get_current_uid_gid: ({ identity }) => (BigInt(identity.gid) << 32n) | BigInt(identity.uid),
  bpf_get_current_comm: ({ args: [buffer, size], identity, memory }) => {
    const length = size32(size)
    memory.clear(Number(buffer), length)
    const name = new TextEncoder().encode(identity.comm)
    memory.write(Number(buffer), name.subarray(0, Math.min(15, Math.max(0, length - 1))))
    return 0
  },
  bpf_get_numa_node_id: () => 0,
  bpf_probe_read: probeRead,
  bpf_probe_read_kernel: probeRead,
  bpf_probe_read_str: probeReadString,
  bpf_probe_read_kernel_str: probeReadString,
  bpf_probe_read_user: userRead,
  bpf_probe_read_user_str: userRead,
  bpf_copy_from_user: userRead,
  bpf_strtol: parseNumber(true),
  bpf_strtoul: parseNumber(false),
  bpf_strncmp: ({ args: [a, size, b], memory }) => {
    const length = size32(size)
    const [left, right] = [memory.bytes(a, length), memory.string(b, length)]
    for (let i = 0; i < length; i++) {
      const [x = 0, y = 0] = [left?.[i], right?.[i]]
      if (x !== y) return x < y ? -1 : 1
      if (x === 0) break
    }
    return 0
  },
} as const satisfies Partial<Record<HelperName, HostHelper>>
