/**
 * The 16 KiB that the ten computing programs read: random words, a sorted table, and 32 packets of 64 bytes with
 * Ethernet, VLAN, IPv4 and TCP or UDP headers, some of them wrong. Made by xorshift64*, the same bytes every time.
 */

const mask = 2n ** 64n - 1n

/** A sequence of random 64-bit numbers. */
function xorshift(): () => bigint {
  let s = 0x9e3779b97f4a7c15n
  return () => {
    s ^= s >> 12n
    s = (s ^ (s << 25n)) & mask
    s ^= s >> 27n
    return (s * 2685821657736338717n) & mask
  }
}

const ports = [22, 80, 443, 53, 123, 8080, 514, 22]

function protocolOf(kind: number): number {
  if (kind % 3 === 0) return 6
  if (kind % 3 === 1) return 17
  return kind === 2 ? 1 : kind === 8 ? 47 : 6
}

function sourceAddress(kind: number, random: () => bigint): number {
  if (kind === 7) return 0x7f000001
  return kind % 2 ? 0x0a000000 | Number(random() & 0xffffffn) : 0xc0a80000 | Number(random() & 0xffffn)
}

/** The one's complement sum over a header's 16-bit words. */
function headerSum(view: DataView, at: number, length: number): number {
  let sum = 0
  for (let i = 0; i < length; i += 2) sum += view.getUint16(at + i)
  sum = (sum & 0xffff) + (sum >>> 16)
  return (sum & 0xffff) + (sum >>> 16)
}

function writePacket(view: DataView, at: number, index: number, random: () => bigint): void {
  for (let i = 0; i < 64; i++) view.setUint8(at + i, Number(random() >> 56n))
  const kind = index % 16
  const etherType = kind === 15 ? 0x86dd : kind === 14 ? 0x0806 : 0x0800
  const tagged = kind % 4 === 3
  const ip = at + (tagged ? 18 : 14)
  if (tagged) {
    view.setUint16(at + 12, 0x8100)
    view.setUint16(at + 14, 100 + index)
  }
  view.setUint16(ip - 2, etherType)
  if (etherType !== 0x0800) return
  const words = kind === 5 ? 6 : 5
  view.setUint8(ip, 0x40 | words)
  view.setUint8(ip + 1, 0)
  view.setUint16(ip + 2, at + 64 - ip)
  view.setUint16(ip + 4, Number(random() & 0xffffn))
  view.setUint16(ip + 6, 0x4000)
  view.setUint8(ip + 8, kind === 9 ? 0 : 64)
  const protocol = protocolOf(kind)
  view.setUint8(ip + 9, protocol)
  view.setUint16(ip + 10, 0)
  view.setUint32(ip + 12, sourceAddress(kind, random))
  view.setUint32(ip + 16, 0x0a000001)
  if (words === 6) view.setUint32(ip + 20, 0x01010101)
  const transport = ip + words * 4
  view.setUint16(transport, 1024 + Number(random() & 0x7fffn))
  view.setUint16(transport + 2, ports[(index >> 1) % 8] ?? 0)
  if (protocol === 6) view.setUint8(transport + 13, index % 11 === 3 ? 3 : 0x18)
  const sum = ~headerSum(view, ip, words * 4)
  view.setUint16(ip + 10, kind === 11 ? sum + 1 : sum)
}

/** The input of every program: 16,384 bytes, the upper half zero for them to write to. */
export function programInput(): Uint8Array {
  const bytes = new Uint8Array(16384)
  const view = new DataView(bytes.buffer)
  const random = xorshift()
  for (let at = 0; at < 4096; at += 8) view.setBigUint64(at, random(), true)
  const table = Uint32Array.from({ length: 512 }, () => Number(random() >> 32n)).sort()
  table.forEach((word, index) => {
    view.setUint32(0x1000 + index * 4, word, true)
  })
  for (let index = 0; index < 32; index++) writePacket(view, 0x1800 + index * 64, index, random)
  return bytes
}
