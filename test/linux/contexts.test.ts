/**
 * BPF_PROG_TEST_RUN of packet programs on the machine and on the running kernel: the same options must give the same result,
 * the same context and packet afterwards, the same view inside, or the same errno.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Collection, Host, RunOptions } from '../../src/host/index.js'
import { Linux } from '../../src/linux/index.js'
import { Machine } from '../../src/machine/index.js'
import { ErrnoError } from '../../src/uapi/index.js'
import { object } from '../support/machine.js'
import { noReference, skipped } from '../support/reference.js'

const skip = skipped('comparing contexts with the running kernel', noReference())

const size = fc.oneof(fc.integer({ min: 0, max: 80 }), fc.constantFrom(3520, 3521, 3712, 3713, 5000))
const packet = fc.record({ size, header: fc.uint8Array({ minLength: 16, maxLength: 16 }), host: fc.boolean() })
const u32 = fc.oneof(fc.constantFrom(0, 1, 4, 8, 60, 64, 0xffffffff), fc.nat(100))
const some = <T>(shape: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record(shape, { requiredKeys: [] })

const skb = some({
  mark: u32,
  priority: u32,
  cb: fc.array(u32, { maxLength: 5 }),
  wire_len: u32,
  gso_segs: u32,
  gso_size: u32,
  tstamp: fc.bigInt(0n, 2n ** 64n - 1n),
  ingress_ifindex: u32,
  ifindex: fc.constantFrom(0, 1, 4_000_000),
  protocol: fc.constantFrom(0, 0, 0, 8),
})
const md = some({
  data: fc.constantFrom(0, 4, 8, 3, 48, 256),
  data_end: u32,
  data_meta: fc.constantFrom(0, 0, 0, 4),
  ingress_ifindex: fc.constantFrom(0, 1, 4_000_000),
  rx_queue_index: fc.constantFrom(0, 0, 1),
  egress_ifindex: fc.constantFrom(0, 0, 0, 1),
})

const cases = {
  see_tc: fc.record({ packet, ctx: skb, repeat: fc.constantFrom(1, 2) }, { requiredKeys: ['packet'] }),
  see_socket: fc.record({ packet, ctx: skb }, { requiredKeys: ['packet'] }),
  see_xdp: fc.record({ packet, ctx: md }, { requiredKeys: ['packet'] }),
}

/** Options from a case: the packet is made here, so that a failure prints few bytes. */
function optionsOf({
  packet,
  ...options
}: {
  packet: { size: number; header: Uint8Array; host: boolean }
}): RunOptions {
  const data = Uint8Array.from({ length: packet.size }, (_, i) => packet.header[i] ?? i)
  // The address of loopback: such a packet is for this host.
  if (packet.host) data.fill(0, 0, 6)
  return { ...options, data }
}

/** What a run gives, what the program saw and what is in its buffer; or the errno. */
function observe(app: Collection, program: string, options: RunOptions): unknown {
  app.globals.seen = []
  app.globals.buffer = Array.from({ length: 64 }, (_, i) => 200 - i)
  try {
    const result = app.programs[program]?.run(options)
    return { ...result, seen: app.globals.seen, buffer: app.globals.buffer }
  } catch (error) {
    if (error instanceof ErrnoError) return { errno: error.errno }
    throw error
  }
}

/** A collection of the programs on the machine and on Linux. */
async function both(programs: readonly string[], compare: (ours: Collection, theirs: Collection) => void) {
  await using machine = new Machine()
  await using linux = await Linux.open()
  const [ours, theirs] = await Promise.all(
    [machine, linux].map((host: Host) => host.load(object('packets'), { programs })),
  )
  if (ours && theirs) compare(ours, theirs)
}

const near = (...values: number[]) =>
  fc.constantFrom(...values).chain((value) => fc.integer({ min: -2, max: 2 }).map((by) => value + by))
const place = fc.oneof(fc.nat(80), near(14, 50, 64, 3520, 3712, 0xffff), fc.constantFrom(0x7fffffff, 0xffffffff))
const asked = fc.record({
  offset: place.map((value) => Math.max(0, value)),
  length: place.map((value) => Math.max(0, value)),
  flags: fc.constantFrom(0, 0, 1, 2, 3, 4),
  delta: fc.oneof(fc.integer({ min: -300, max: 80 }), near(-256, -216, 0, 50, 3456, 3520)),
})
const helpers = [
  'load_tc',
  'load_socket',
  'store_tc',
  'pull_tc',
  'load_xdp',
  'store_xdp',
  'head_xdp',
  'tail_xdp',
  'meta_xdp',
]

describe.skipIf(skip)('contexts beside the running kernel', () => {
  it.each(Object.keys(cases) as (keyof typeof cases)[])('%s', async (program) => {
    await both([program], (ours, theirs) => {
      fc.assert(
        fc.property(cases[program], (made) => {
          const options = optionsOf(made)
          expect(observe(ours, program, options)).toEqual(observe(theirs, program, options))
        }),
        { numRuns: 300 },
      )
    })
  })

  it.each(helpers)('%s', async (program) => {
    const tail = program.startsWith('tail')
    await both([program], (ours, theirs) => {
      fc.assert(
        fc.property(packet, asked, fc.constantFrom(0, 4, 8), (made, question, meta) => {
          // Shrinking the tail of a packet of several parts is not supported yet, and user space has room for 512 bytes more.
          const size = tail ? Math.min(made.size, 3520) : made.size
          const delta = tail ? Math.min(question.delta, 500) : question.delta
          const options = optionsOf({ packet: { ...made, size } })
          if (program.endsWith('xdp')) options.ctx = { data: meta }
          for (const app of [ours, theirs]) Object.assign(app.globals, { ...question, delta })
          expect(observe(ours, program, options)).toEqual(observe(theirs, program, options))
        }),
        { numRuns: 200 },
      )
    })
  })
})
