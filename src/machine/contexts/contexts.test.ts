// The numbers and errnos here were recorded from BPF_PROG_TEST_RUN of Linux 6.18.
import { expect, it } from 'vitest'
import type { Codec, RunOptions } from '../../host/index.js'
import type { ProgramType } from '../../uapi/index.js'
import { contextOf } from './index.js'

const ctxAt = 0
const packetAt = 512

/** Places a run in a memory and lets `program` act on it: what a program would see, and what comes out. */
function run(
  type: ProgramType,
  options: RunOptions,
  program: (ctx: DataView) => void = () => {},
  argument?: Codec,
  contextBytes = 0,
) {
  const memory = new ArrayBuffer(16384)
  const prepared = contextOf(type)(options, { name: 'p', argument, contextBytes })
  const window = prepared.place(memory, ctxAt, packetAt)
  const ctx = new DataView(memory, ctxAt, prepared.ctxSize)
  const seen = (offset: number) => ctx.getUint32(offset, true)
  program(ctx)
  return { window, seen, ctx, memory, ...prepared.finish(memory, ctxAt, packetAt) }
}

const frame = (destination: string, type: string, size = 64) => {
  const bytes = new Uint8Array(size)
  bytes.set(Buffer.from(destination, 'hex'))
  bytes.set(Buffer.from(type, 'hex'), 12)
  return bytes
}

it.each([
  ['000000000000', '0800', 0, 0x8],
  ['0000000000ff', '86dd', 3, 0xdd86],
  ['ffffffffffff', '0806', 2, 0x608],
  ['010000000000', '0042', 2, 0x400],
  ['000000000000', '0042ffff', 0, 0x100],
  ['000000000000', '05ff', 0, 0x400],
  ['000000000000', '0600', 0, 0x6],
])('reads pkt_type and protocol from the header %s %s', (destination, type, pktType, protocol) => {
  const { seen } = run('sched_cls', { data: frame(destination, type) })
  expect([seen(4), seen(16), seen(0), seen(40), seen(160)]).toEqual([pktType, protocol, 64, 1, 0])
})

it('shows tc the whole packet and a socket filter the part behind the Ethernet header', () => {
  const data = Uint8Array.from({ length: 64 }, (_, i) => i)
  const tc = run('sched_cls', { data })
  expect(tc.seen(80) - tc.seen(76)).toBe(64)
  expect(tc.seen(140)).toBe(tc.seen(76))
  expect(tc.window).toEqual({ packet: tc.seen(76), packetEnd: tc.seen(80) })
  expect(new Uint8Array(tc.memory)[tc.window.packet + 13]).toBe(13)
  expect(tc.data).toEqual(data)
  const filter = run('socket_filter', { data, ctx: {} })
  expect(filter.seen(0)).toBe(50)
  expect(new Uint8Array(filter.memory)[filter.window.packet]).toBe(14)
  expect(filter.data).toEqual(Uint8Array.from(data, (byte, i) => (i < 14 ? 0 : byte)))
  expect(filter.fields?.wire_len).toBe(50)
})

it('takes the members that test_run takes and hands back what the program wrote', () => {
  const { fields, ctx, seen } = run(
    'sched_cls',
    { data: new Uint8Array(64), ctx: { mark: 7, cb: [1, 2], tstamp: 5n } },
    (view) => {
      view.setUint32(32, 3, true)
      view.setUint32(44, 4, true)
    },
  )
  expect(seen(8)).toBe(7)
  expect(fields).toMatchObject({ mark: 7, cb: [1, 2, 0, 0, 0], tstamp: 5n, priority: 3, tc_index: 0, len: 0 })
  expect(fields).toMatchObject({ wire_len: 64, ifindex: 1, data: 0 })
  expect(ctx).toHaveLength(192)
})

const bytes = (size: number, values: Record<number, number>) => {
  const view = new DataView(new ArrayBuffer(size))
  for (const [offset, value] of Object.entries(values)) view.setUint32(Number(offset), value, true)
  return new Uint8Array(view.buffer)
}

it.each<[ProgramType, RunOptions, number]>([
  ['sched_cls', {}, 22],
  ['sched_cls', { data: new Uint8Array(13) }, 22],
  ['sched_cls', { data: new Uint8Array(3713) }, 22],
  ['socket_filter', { data: new Uint8Array(13) }, 22],
  ['sched_cls', { data: new Uint8Array(64), ctx: { protocol: 1 } }, 22],
  ['sched_cls', { data: new Uint8Array(64), ctx: bytes(192, { 180: 1 }) }, 22],
  ['sched_cls', { data: new Uint8Array(64), ctx: bytes(196, { 192: 1 }) }, 7],
  ['sched_cls', { data: new Uint8Array(64), ctx: { wire_len: 63 } }, 22],
  ['sched_cls', { data: new Uint8Array(64), ctx: { wire_len: 65550 } }, 22],
  ['sched_cls', { data: new Uint8Array(64), ctx: { gso_segs: 65536 } }, 22],
  ['sched_cls', { data: new Uint8Array(64), ctx: { ifindex: 99 } }, 19],
  ['xdp', { data: new Uint8Array(13) }, 22],
  ['xdp', { data: new Uint8Array(73153) }, 12],
  ['xdp', { data: new Uint8Array(64), ctx: bytes(24, { 4: 65 }) }, 22],
  ['xdp', { data: new Uint8Array(64), ctx: { data: 3 } }, 22],
  ['xdp', { data: new Uint8Array(64), ctx: { data: 52 } }, 22],
  ['xdp', { data: new Uint8Array(64), ctx: bytes(24, { 0: 4 }) }, 22],
  ['xdp', { data: new Uint8Array(64), ctx: { data_meta: 4 } }, 22],
  ['xdp', { data: new Uint8Array(64), ctx: { rx_queue_index: 1, ingress_ifindex: 1 } }, 22],
  ['xdp', { data: new Uint8Array(64), ctx: { ingress_ifindex: 77 } }, 19],
  ['xdp', { data: new Uint8Array(64), ctx: { egress_ifindex: 1 } }, 22],
  ['syscall', { data: new Uint8Array(64) }, 22],
  ['syscall', { repeat: 2 }, 22],
  ['syscall', { ctx: new Uint8Array(65536) }, 22],
  ['kprobe', {}, 524],
])('%s with %o fails with errno %i', (type, options, errno) => {
  expect(() => run(type, options)).toThrow(expect.objectContaining({ operation: 'prog_test_run', errno }))
})

it('says which context member is unknown or does not fit', () => {
  const data = new Uint8Array(64)
  expect(() => run('xdp', { data, ctx: { nonsense: 1 } })).toThrow(/no member nonsense/)
  expect(() => run('sched_cls', { data, ctx: { mark: 2 ** 33 } })).toThrow(/mark: 8589934592 does not fit into 32 bits/)
  expect(() => run('sched_cls', { data, ctx: { cb: 1 } })).toThrow(/array of at most 5/)
  expect(() => run('syscall', { ctx: { x: 1 } })).toThrow(/as bytes/)
  expect(() => run('lsm', {})).toThrow(expect.objectContaining({ code: 'unsupported-program-type' }))
})

it('puts XDP metadata in front of the packet', () => {
  const data = Uint8Array.from({ length: 64 }, (_, i) => i)
  const { seen, fields, data: out } = run('xdp', { data, ctx: { data: 8 } })
  expect([seen(4) - seen(0), seen(0) - seen(8), seen(12)]).toEqual([56, 8, 1])
  expect(fields).toMatchObject({ data: 8, data_end: 64 })
  expect(out).toEqual(data)
})

it('hides what exceeds the linear part of an XDP packet, and keeps it', () => {
  const data = Uint8Array.from({ length: 9000 }, (_, i) => i)
  const long = run('xdp', { data })
  expect(long.seen(4) - long.seen(0)).toBe(3520)
  expect(long.data).toEqual(data)
  const short = run('xdp', { data, ctx: bytes(24, { 4: 32 }) })
  expect(short.seen(4) - short.seen(0)).toBe(32)
  expect(short.data).toEqual(data)
  expect(short.fields).toMatchObject({ data_end: 32 })
})

it('copies the context of a syscall program in and out', () => {
  const argument: Codec = {
    size: 4,
    read: (b) => ({ x: new DataView(b.buffer, b.byteOffset).getUint32(0, true) }),
    write: (v) => bytes(4, { 0: (v as { x: number }).x }),
  }
  const double = (ctx: DataView) => ctx.setUint32(0, ctx.getUint32(0, true) * 2, true)
  expect(run('syscall', { ctx: bytes(8, { 0: 21, 4: 1 }) }, double).ctx).toEqual(bytes(8, { 0: 42, 4: 1 }))
  expect(run('syscall', { ctx: { x: 21 } }, double, argument).fields).toEqual({ x: 42 })
  expect(run('syscall', {}).ctx).toHaveProperty('byteLength', 0)
  const short = (ctx: Uint8Array) => run('syscall', { ctx }, double, undefined, 8)
  expect(() => short(new Uint8Array(7))).toThrow(expect.objectContaining({ errno: 22 }))
  expect(short(new Uint8Array(8)).ctx).toHaveLength(8)
})
