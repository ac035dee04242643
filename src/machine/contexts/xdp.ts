/**
 * `struct xdp_md`, as BPF_PROG_TEST_RUN of Linux 6.18 fills it (observed). In a context that is given, `data` is the length
 * of the metadata in front of the packet and `data_end` the end of the linear part; a record that leaves `data_end` out
 * means the whole packet. What exceeds the linear part (3520 bytes at most) stays out of the program's sight.
 */
import { bytesToFields, type RunOptions, xdpContext, xdpFields } from '../../host/index.js'
import { type ContextType, givenContext, testRunError } from './context.js'

/**
 * Words behind the context that helpers use and programs cannot reach: where head- and tailroom end, and the part of the
 * packet that is not linear.
 */
export const xdpPrivate = {
  hardStart: { offset: 24 },
  hardEnd: { offset: 28 },
  rest: { offset: 32 },
  restLength: { offset: 36 },
} as const
const ctxSize = 40
const headroom = 256
const tailroom = 320
const page = 4096
/** A page without head- and tailroom. */
const maxLinear = page - headroom - tailroom
/** The linear part and 17 pages of fragments. */
const maxPacket = maxLinear + 17 * page
const maxMetadata = 252
const ethernetHeader = 14
const loopback = 1

/** xdp: packet bounds in `data` and `data_end`, metadata in front of the packet. */
export const xdp: ContextType = (options: RunOptions) => {
  const whole = options.data ?? new Uint8Array()
  const invalid = (why: string) => testRunError('EINVAL', why)
  if (whole.length < ethernetHeader) throw invalid('the packet is shorter than 14 bytes')
  if (whole.length > maxPacket) throw testRunError('ENOMEM', `the packet is longer than ${maxPacket} bytes`)
  let meta = 0
  let linear = whole.length
  let ifindex = loopback
  const given = givenContext(xdpContext, options)
  if (given) {
    const view = new DataView(given.buffer)
    const get = (field: { offset: number }) => view.getUint32(field.offset, true)
    meta = get(xdpFields.data)
    linear = get(xdpFields.data_end)
    if (get(xdpFields.data_meta) !== 0) throw invalid('data_meta cannot be set')
    if (linear > whole.length) throw invalid('data_end lies behind the packet')
    if (meta > linear) throw invalid('data lies behind data_end')
    if (meta % 4 !== 0 || meta > maxMetadata) throw invalid('the length of the metadata (data) must be 4, 8, ... 252')
    if (whole.length - meta < ethernetHeader) throw invalid('the packet behind its metadata is shorter than 14 bytes')
    if (get(xdpFields.egress_ifindex) !== 0) throw invalid('egress_ifindex cannot be set')
    ifindex = get(xdpFields.ingress_ifindex)
    if (ifindex > loopback) throw testRunError('ENODEV', 'the only device is loopback, ifindex 1')
    if (get(xdpFields.rx_queue_index) !== 0) throw invalid('loopback has no receive queue to be named')
    ifindex = loopback
  }
  // Metadata lies in the headroom and takes nothing from the linear part.
  linear = Math.min(linear, maxLinear + meta)
  const data = whole.subarray(0, linear)
  const rest = whole.subarray(linear)
  return {
    ctxSize,
    packetSize: page + rest.length,
    place(memory, ctx, packet) {
      const start = packet + headroom - meta
      new Uint8Array(memory, packet, page).fill(0)
      new Uint8Array(memory, start, data.length).set(data)
      new Uint8Array(memory, packet + page, rest.length).set(rest)
      const view = new DataView(memory, ctx, ctxSize)
      const set = (field: { offset: number }, value: number) => view.setUint32(field.offset, value, true)
      set(xdpFields.data_meta, start)
      set(xdpFields.data, start + meta)
      set(xdpFields.data_end, start + data.length)
      set(xdpFields.ingress_ifindex, ifindex)
      set(xdpFields.rx_queue_index, 0)
      set(xdpFields.egress_ifindex, 0)
      set(xdpPrivate.hardStart, packet)
      set(xdpPrivate.hardEnd, packet + page - tailroom)
      set(xdpPrivate.rest, packet + page)
      set(xdpPrivate.restLength, rest.length)
      return { packet: start + meta, packetEnd: start + data.length }
    },
    finish(memory, ctx, packet) {
      const view = new DataView(memory, ctx, ctxSize)
      const at = (field: { offset: number }) => view.getUint32(field.offset, true)
      const start = at(xdpFields.data_meta)
      const end = at(xdpFields.data_end)
      const left = new Uint8Array(end - start + rest.length)
      left.set(new Uint8Array(memory, start, end - start))
      left.set(new Uint8Array(memory, packet + page, rest.length), end - start)
      if (!given) return { data: left }
      const out = given.slice()
      const outView = new DataView(out.buffer)
      outView.setUint32(xdpFields.data.offset, at(xdpFields.data) - start, true)
      outView.setUint32(xdpFields.data_end.offset, end - start, true)
      return { data: left, ctx: out, fields: bytesToFields(xdpFields, out) }
    },
  }
}
