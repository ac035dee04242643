/**
 * `struct __sk_buff` for sched_cls, sched_act and socket_filter, as BPF_PROG_TEST_RUN of Linux 6.18 fills it (observed).
 * The device is loopback (ifindex 1, MAC address zero): that decides `pkt_type`. A socket filter sees the packet from
 * behind its Ethernet header, and gets it back with that header zeroed.
 */
import { bytesToFields, type RunOptions, skbContext, skbFields } from '../../host/index.js'
import { assertInputs, type ContextType, givenContext, type PreparedRun, testRunError } from './context.js'

const skbSize = skbContext.size
const ethernetHeader = 14
/** A page without headroom (64) and `struct skb_shared_info` (320). */
const maxPacket = 3712
/** GSO_LEGACY_MAX_SIZE and GSO_MAX_SEGS. */
const maxWireLen = 65536
const maxSegments = 65535
const loopback = 1
/** Room in front of and behind the packet. */
const headroom = 64
const tailroom = 64

/** Members that test_run hands back; all others come out zero. */
const outputs = Object.entries(skbFields).filter(([, field]) => 'input' in field)

/** What `eth_type_trans` concludes from the header: PACKET_HOST 0, PACKET_MULTICAST 2, PACKET_OTHERHOST 3. */
function packetType(data: Uint8Array): number {
  const destination = data.subarray(0, 6)
  if ((destination[0] ?? 0) & 1) return 2
  return destination.every((byte) => byte === 0) ? 0 : 3
}

/** The EtherType in network byte order; frames with a length instead are ETH_P_802_3 (1) or ETH_P_802_2 (4). */
function protocol(data: Uint8Array): number {
  const [high = 0, low = 0, first, second] = data.subarray(12, 16)
  if (high >= 6) return high | (low << 8)
  return first === 0xff && second === 0xff ? 0x0100 : 0x0400
}

function skb(layer2: boolean): ContextType {
  return (options: RunOptions): PreparedRun => {
    const data = options.data ?? new Uint8Array()
    if (data.length < ethernetHeader) throw testRunError('EINVAL', 'the packet is shorter than 14 bytes')
    if (data.length > maxPacket) throw testRunError('EINVAL', `the packet is longer than ${maxPacket} bytes`)
    const skip = layer2 ? 0 : ethernetHeader
    const length = data.length - skip
    const given = givenContext(skbContext, options)
    const ctxBytes = given?.slice() ?? new Uint8Array(skbSize)
    const view = new DataView(ctxBytes.buffer)
    const get = (field: { offset: number }) => view.getUint32(field.offset, true)
    const set = (field: { offset: number }, value: number) => view.setUint32(field.offset, value, true)
    if (given) {
      if (get(skbFields.ifindex) > loopback) throw testRunError('ENODEV', 'the only device is loopback, ifindex 1')
      assertInputs(skbContext, given)
      const wireLen = get(skbFields.wire_len)
      if (wireLen === 0) set(skbFields.wire_len, length)
      else if (wireLen < length || wireLen > maxWireLen) throw testRunError('EINVAL', 'wire_len is out of range')
      if (get(skbFields.gso_segs) > maxSegments) throw testRunError('EINVAL', 'gso_segs is too large')
    }
    set(skbFields.ifindex, loopback)
    set(skbFields.len, length)
    set(skbFields.pkt_type, packetType(data))
    set(skbFields.protocol, protocol(data))
    return {
      ctxSize: skbSize,
      packetSize: headroom + data.length + tailroom,
      place(memory, ctx, packet) {
        const start = packet + headroom + skip
        const end = packet + headroom + data.length
        new Uint8Array(memory, packet, headroom).fill(0)
        new Uint8Array(memory, end, tailroom).fill(0)
        new Uint8Array(memory, packet + headroom, data.length).set(data)
        set(skbFields.data, start)
        set(skbFields.data_end, end)
        set(skbFields.data_meta, start)
        new Uint8Array(memory, ctx, skbSize).set(ctxBytes)
        return { packet: start, packetEnd: end }
      },
      finish(memory, ctx, packet) {
        const seen = new Uint8Array(memory, ctx, skbSize).slice()
        const seenView = new DataView(seen.buffer)
        const start = packet + headroom
        const end = layer2 ? seenView.getUint32(skbFields.data_end.offset, true) : start + data.length
        const left = new Uint8Array(memory, start, end - start).slice()
        if (!layer2) left.fill(0, 0, ethernetHeader)
        if (!given) return { data: left }
        const out = new Uint8Array(skbSize)
        for (const [, { offset, size, ...more }] of outputs) {
          const bytes = size * ('count' in more ? more.count : 1)
          out.set(seen.subarray(offset, offset + bytes), offset)
        }
        return { data: left, ctx: out, fields: bytesToFields(skbFields, out) }
      },
    }
  }
}

/** sched_cls and sched_act: the packet from its Ethernet header on. */
export const trafficControl: ContextType = skb(true)

/** socket_filter: the packet from its network header on. */
export const socketFilter: ContextType = skb(false)
