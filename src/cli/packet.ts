/**
 * The packet that `run` gives to programs that want one when `--data` is not given: an Ethernet frame of 60 bytes with UDP
 * from 192.0.2.1:40000 to 192.0.2.2:7 (addresses for documentation), checksums as a network card would expect them.
 */
import type { ProgramType } from '../uapi/index.js'

/** Program types that run on a packet. */
const ON_PACKETS: ReadonlySet<ProgramType> = new Set<ProgramType>([
  'socket_filter',
  'sched_cls',
  'sched_act',
  'xdp',
  'cgroup_skb',
  'lwt_in',
  'lwt_out',
  'lwt_xmit',
  'sk_skb',
  'flow_dissector',
])

const ETHERNET = [0x02, 0, 0, 0, 0, 2, 0x02, 0, 0, 0, 0, 1, 0x08, 0x00]
const IPV4 = [0x45, 0, 0, 46, 0, 1, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2]
const UDP = [40000 >> 8, 40000 & 255, 0, 7, 0, 26, 0, 0]
const TEXT = 'hello, workerbee!'

/** The default packet for this type of program; `undefined` for types without packets. */
export function defaultPacket(type: ProgramType | undefined): Uint8Array | undefined {
  if (type === undefined || !ON_PACKETS.has(type)) return undefined
  const header = [...IPV4]
  const sum = checksum(header)
  header[10] = sum >> 8
  header[11] = sum & 255
  const packet = new Uint8Array(60)
  packet.set([...ETHERNET, ...header, ...UDP, ...new TextEncoder().encode(TEXT)])
  return packet
}

/** The Internet checksum of an even number of bytes. */
function checksum(bytes: readonly number[]): number {
  let sum = 0
  for (let i = 0; i < bytes.length; i += 2) sum += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16)
  return ~sum & 0xffff
}
