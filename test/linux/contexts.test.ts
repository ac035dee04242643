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

/** What a run gives and what the program saw; or its errno. */
function observe(app: Collection, program: string, options: RunOptions): unknown {
  app.globals.seen = []
  try {
    const result = app.programs[program]?.run(options)
    return { ...result, seen: app.globals.seen }
  } catch (error) {
    if (error instanceof ErrnoError) return { errno: error.errno }
    throw error
  }
}

describe.skipIf(skip)('contexts beside the running kernel', () => {
  it.each(Object.keys(cases) as (keyof typeof cases)[])('%s', async (program) => {
    await using machine = new Machine()
    await using linux = await Linux.open()
    const [ours, theirs] = await Promise.all(
      [machine, linux].map((host: Host) => host.load(object('packets'), { programs: [program] })),
    )
    if (!ours || !theirs) throw new Error('not loaded')
    fc.assert(
      fc.property(cases[program], (made) => {
        const options = optionsOf(made)
        expect(observe(ours, program, options)).toEqual(observe(theirs, program, options))
      }),
      { numRuns: 300 },
    )
  })
})
