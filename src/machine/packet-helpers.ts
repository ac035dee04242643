/**
 * Helpers that read and change packets. A context holds linear-memory addresses (`contexts/`), so that moving the packet's
 * bounds is writing to it. What Linux 6.18 answers was observed beside BPF_PROG_TEST_RUN (test/linux/contexts.test.ts).
 */
import { BpfError } from '../bits/index.js'
import { skbFields, xdpFields } from '../host/index.js'
import { errnos, type HelperName } from '../uapi/index.js'
import { xdpPrivate } from './contexts/index.js'
import type { GuestMemory } from './guest-memory.js'
import type { HostHelper } from './host-helpers.js'

const { EACCES, EFAULT, EINVAL, ENOMEM, EOPNOTSUPP } = errnos
const ethernetHeader = 14
/** `sizeof(struct xdp_frame)`: the kernel's own, in front of the headroom that programs may use. */
const xdpFrame = 40
const maxMetadata = 252
const maxOffset = 0xffff

const low = (register: bigint) => Number(BigInt.asUintN(32, register))
const signed = (register: bigint) => Number(BigInt.asIntN(32, register))

interface Place {
  readonly offset: number
}

/** The 32-bit words of a context. */
function words(memory: GuestMemory, context: bigint) {
  const at = Number(context)
  return {
    get: ({ offset }: Place) => new DataView(memory.read(at + offset, 4).buffer).getUint32(0, true),
    set({ offset }: Place, value: number) {
      const bytes = new Uint8Array(4)
      new DataView(bytes.buffer).setUint32(0, value, true)
      memory.write(at + offset, bytes)
    },
  }
}

const skbLoad: HostHelper = ({ args: [skb, offset, to, length], memory }) => {
  const { get } = words(memory, skb)
  const [start, end] = [get(skbFields.data) + low(offset), get(skbFields.data_end)]
  const fits = start + low(length) <= end
  if (fits) memory.write(Number(to), memory.read(start, low(length)))
  else memory.clear(Number(to), low(length))
  return fits ? 0 : -EFAULT
}

/** BPF_F_RECOMPUTE_CSUM and BPF_F_INVALIDATE_HASH: a machine keeps neither checksum nor hash. */
const skbStoreFlags = 3n

const skbStore: HostHelper = ({ args: [skb, offset, from, length, flags], memory }) => {
  if (flags & ~skbStoreFlags) return -EINVAL
  const { get } = words(memory, skb)
  const start = get(skbFields.data) + low(offset)
  if (start + low(length) > get(skbFields.data_end)) return -EFAULT
  memory.write(start, memory.read(Number(from), low(length)))
  return 0
}

/** All of the packet is linear already. */
const skbPull: HostHelper = ({ args: [skb, length], memory }) => {
  const { get } = words(memory, skb)
  return low(length) > get(skbFields.data_end) - get(skbFields.data) ? -ENOMEM : 0
}

const adjustHead: HostHelper = ({ args: [xdp, delta], memory }) => {
  const { get, set } = words(memory, xdp)
  const [data, meta, end] = [get(xdpFields.data), get(xdpFields.data_meta), get(xdpFields.data_end)]
  const moved = data + signed(delta)
  if (moved < get(xdpPrivate.hardStart) + xdpFrame + data - meta || moved > end - ethernetHeader) return -EINVAL
  memory.write(meta + signed(delta), memory.read(meta, data - meta))
  set(xdpFields.data_meta, meta + signed(delta))
  set(xdpFields.data, moved)
  return 0
}

const adjustTail: HostHelper = ({ args: [xdp, delta], memory }) => {
  const { get, set } = words(memory, xdp)
  if (get(xdpPrivate.restLength) > 0) {
    if (signed(delta) >= 0) return -EOPNOTSUPP
    throw new BpfError('unsupported-helper', 'bpf_xdp_adjust_tail on a packet of several parts is not supported yet')
  }
  const end = get(xdpFields.data_end)
  const moved = end + signed(delta)
  if (moved > get(xdpPrivate.hardEnd) || moved < get(xdpFields.data) + ethernetHeader) return -EINVAL
  if (moved > end) memory.clear(end, moved - end)
  set(xdpFields.data_end, moved)
  return 0
}

const adjustMeta: HostHelper = ({ args: [xdp, delta], memory }) => {
  const { get, set } = words(memory, xdp)
  const [data, moved] = [get(xdpFields.data), get(xdpFields.data_meta) + signed(delta)]
  if (moved < get(xdpPrivate.hardStart) + xdpFrame || moved > data) return -EINVAL
  if ((data - moved) % 4 !== 0 || data - moved > maxMetadata) return -EACCES
  set(xdpFields.data_meta, moved)
  return 0
}

function xdpLength(memory: GuestMemory, xdp: bigint): number {
  const { get } = words(memory, xdp)
  return get(xdpFields.data_end) - get(xdpFields.data) + get(xdpPrivate.restLength)
}

/** Copies between the packet, linear part and rest, and a buffer. */
function xdpCopy(store: boolean): HostHelper {
  return ({ args: [xdp, offset, buffer, length], memory }) => {
    const [from, size] = [low(offset), low(length)]
    if (from > maxOffset || size > maxOffset) return -EFAULT
    if (from + size > xdpLength(memory, xdp)) return -EINVAL
    const { get } = words(memory, xdp)
    const linear = get(xdpFields.data_end) - get(xdpFields.data)
    const head = Math.max(0, Math.min(size, linear - from))
    const parts = [
      { at: get(xdpFields.data) + from, to: Number(buffer), size: head },
      { at: get(xdpPrivate.rest) + Math.max(0, from - linear), to: Number(buffer) + head, size: size - head },
    ]
    for (const part of parts) {
      if (part.size === 0) continue
      if (store) memory.write(part.at, memory.read(part.to, part.size))
      else memory.write(part.to, memory.read(part.at, part.size))
    }
    return 0
  }
}

/** Helpers of packet programs, by name. */
export const packetHelpers = {
  bpf_skb_load_bytes: skbLoad,
  bpf_skb_store_bytes: skbStore,
  bpf_skb_pull_data: skbPull,
  bpf_xdp_adjust_head: adjustHead,
  bpf_xdp_adjust_tail: adjustTail,
  bpf_xdp_adjust_meta: adjustMeta,
  bpf_xdp_get_buff_len: ({ args: [xdp], memory }) => xdpLength(memory, xdp),
  bpf_xdp_load_bytes: xdpCopy(false),
  bpf_xdp_store_bytes: xdpCopy(true),
} as const satisfies Partial<Record<HelperName, HostHelper>>
