/**
 * Contexts that user space hands to BPF_PROG_TEST_RUN member by member, the same on both hosts: `struct __sk_buff` and
 * `struct xdp_md` (Linux 6.18). Other types' contexts are described by the program's own BTF.
 */
import { BpfError } from '../bits/index.js'
import type { ProgramType } from '../uapi/index.js'

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

const u32 = (offset: number) => ({ offset, size: 4 }) as const
const input32 = (offset: number) => ({ offset, size: 4, input: true }) as const

/** `struct __sk_buff` (192 bytes). */
export const skbFields = {
  len: u32(0),
  pkt_type: u32(4),
  mark: input32(8),
  queue_mapping: u32(12),
  protocol: u32(16),
  vlan_present: u32(20),
  vlan_tci: u32(24),
  vlan_proto: u32(28),
  priority: input32(32),
  ingress_ifindex: input32(36),
  ifindex: input32(40),
  tc_index: u32(44),
  cb: { offset: 48, size: 4, count: 5, input: true },
  hash: u32(68),
  tc_classid: u32(72),
  data: u32(76),
  data_end: u32(80),
  napi_id: u32(84),
  family: u32(88),
  remote_ip4: u32(92),
  local_ip4: u32(96),
  remote_ip6: { offset: 100, size: 4, count: 4 },
  local_ip6: { offset: 116, size: 4, count: 4 },
  remote_port: u32(132),
  local_port: u32(136),
  data_meta: u32(140),
  flow_keys: { offset: 144, size: 8 },
  tstamp: { offset: 152, size: 8, input: true },
  wire_len: input32(160),
  gso_segs: input32(164),
  sk: { offset: 168, size: 8 },
  gso_size: input32(176),
  tstamp_type: { offset: 180, size: 1 },
  hwtstamp: { offset: 184, size: 8, input: true },
} as const satisfies ContextFields

/** `struct xdp_md` (24 bytes). */
export const xdpFields = {
  data: { offset: 0, size: 4 },
  data_end: { offset: 4, size: 4 },
  data_meta: { offset: 8, size: 4 },
  ingress_ifindex: { offset: 12, size: 4 },
  rx_queue_index: { offset: 16, size: 4 },
  egress_ifindex: { offset: 20, size: 4 },
} as const satisfies ContextFields

/** A context struct: its members and its size in bytes. */
export interface ContextStruct {
  readonly fields: ContextFields
  readonly size: number
}

/** `struct __sk_buff`. */
export const skbContext: ContextStruct = { fields: skbFields, size: 192 }

/** `struct xdp_md`. */
export const xdpContext: ContextStruct = { fields: xdpFields, size: 24 }

const structs: Partial<Record<ProgramType, ContextStruct>> = {
  sched_cls: skbContext,
  sched_act: skbContext,
  socket_filter: skbContext,
  xdp: xdpContext,
}

/** The context struct of a program type that has a packet; `undefined` for other types. */
export function contextStruct(type: ProgramType | undefined): ContextStruct | undefined {
  return type && structs[type]
}

/**
 * The context that was given member by member, as test_run takes it. An `xdp_md` without `data_end` means the whole packet:
 * zero would hide all of it from the program. Throws `BpfError` (`bad-context`) for a name or value that does not fit.
 */
export function recordContext(
  struct: ContextStruct,
  values: Record<string, unknown>,
  data: Uint8Array | undefined,
): Uint8Array {
  const whole = struct === xdpContext && values.data_end === undefined && data
  return fieldsToBytes(struct.fields, struct.size, whole ? { ...values, data_end: data.length } : values)
}

function write(view: DataView, at: number, size: number, value: unknown, name: string): void {
  if (typeof value !== 'bigint' && !Number.isSafeInteger(value)) {
    throw new BpfError('bad-context', `${name} wants a number`, { place: `context member ${name}` })
  }
  const number = BigInt(value as number | bigint)
  const bits = size * 8
  if (number !== BigInt.asUintN(bits, number) && number !== BigInt.asIntN(bits, number)) {
    throw new BpfError('bad-context', `${number} does not fit into ${bits} bits`, { place: `context member ${name}` })
  }
  if (size === 8) view.setBigUint64(at, BigInt.asUintN(64, number), true)
  else if (size === 4) view.setUint32(at, Number(BigInt.asUintN(32, number)), true)
  else view.setUint8(at, Number(BigInt.asUintN(8, number)))
}

/** Bytes of a context that was given member by member. Throws `BpfError` (`bad-context`) for a name or value that does not fit. */
function fieldsToBytes(fields: ContextFields, size: number, values: Record<string, unknown>): Uint8Array {
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
