// What Linux 6.18 answers, in a few points; test/linux/contexts.test.ts asks it at random ones.
import { expect, it } from 'vitest'
import { object } from '../../test/support/machine.js'
import { Machine, type MachineCollection } from './index.js'

const packet = (size: number) => Uint8Array.from({ length: size }, (_, i) => i)

async function load(): Promise<MachineCollection> {
  return new Machine().load(object('packets'), { verify: false })
}

/** Runs a program with these questions; what it gave as a signed number, the packet, and what it noted. */
function ask(app: MachineCollection, name: string, globals: Record<string, unknown>, data = packet(64), meta?: number) {
  Object.assign(app.globals, { offset: 0, length: 4, flags: 0, delta: 0, buffer: packet(64), ...globals })
  const result = app.programs[name]?.run({ data, ...(meta === undefined ? {} : { ctx: { data: meta } }) })
  const seen = (app.globals.seen as bigint[]).slice(0, 3).map(Number)
  return { ret: (result?.retval ?? 0) | 0, data: result?.data ?? new Uint8Array(), seen }
}

it('loads bytes: tc from the Ethernet header, a socket filter from behind it; zeros and -EFAULT outside', async () => {
  const app = await load()
  const bytes = () => (app.globals.buffer as number[]).slice(0, 4)
  expect(ask(app, 'load_tc', { offset: 60 }).ret).toBe(0)
  expect(bytes()).toEqual([60, 61, 62, 63])
  expect(ask(app, 'load_socket', { offset: 46 }).ret).toBe(0)
  expect(bytes()).toEqual([60, 61, 62, 63])
  for (const [name, offset] of [
    ['load_tc', 61],
    ['load_socket', 47],
    ['load_tc', 0xffffffff],
  ] as const) {
    expect(ask(app, name, { offset }).ret).toBe(-14)
    expect(bytes()).toEqual([0, 0, 0, 0])
  }
})

it('stores bytes, with the flags that it knows', async () => {
  const app = await load()
  const stored = ask(app, 'store_tc', { offset: 10, flags: 3, buffer: packet(64).fill(9) })
  expect([stored.ret, ...stored.data.subarray(9, 15)]).toEqual([0, 9, 9, 9, 9, 9, 14])
  expect(ask(app, 'store_tc', { flags: 4 }).ret).toBe(-22)
  expect(ask(app, 'store_tc', { offset: 61 }).ret).toBe(-14)
  expect([ask(app, 'pull_tc', { length: 64 }).ret, ask(app, 'pull_tc', { length: 65 }).ret]).toEqual([0, -12])
})

it('moves the head of an XDP packet within its headroom, metadata with it', async () => {
  const app = await load()
  expect(ask(app, 'head_xdp', { delta: -216 })).toMatchObject({ ret: 0, seen: [280, 0, 280] })
  expect(ask(app, 'head_xdp', { delta: -217 }).ret).toBe(-22)
  expect(ask(app, 'head_xdp', { delta: 50 })).toMatchObject({ ret: 0, seen: [14, 0, 14] })
  expect(ask(app, 'head_xdp', { delta: 51 }).ret).toBe(-22)
  const moved = ask(app, 'head_xdp', { delta: 4 }, packet(64), 8)
  expect(moved.seen).toEqual([52, 8, 52])
  expect([...moved.data.subarray(0, 10)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 12, 13])
})

it('moves the tail within the page, zeroing what is new', async () => {
  const app = await load()
  const grown = ask(app, 'tail_xdp', { delta: 4 })
  expect(grown).toMatchObject({ ret: 0, seen: [68, 0, 68] })
  expect([...grown.data.subarray(62)]).toEqual([62, 63, 0, 0, 0, 0])
  expect(ask(app, 'tail_xdp', { delta: -50 }).seen[0]).toBe(14)
  expect(ask(app, 'tail_xdp', { delta: -51 }).ret).toBe(-22)
  expect([ask(app, 'tail_xdp', { delta: 3456 }).ret, ask(app, 'tail_xdp', { delta: 3457 }).ret]).toEqual([0, -22])
  expect(ask(app, 'tail_xdp', { delta: 1 }, packet(5000)).ret).toBe(-95)
  expect(() => ask(app, 'tail_xdp', { delta: -1 }, packet(5000))).toThrow(/not supported yet/)
})

it('makes room for metadata in steps of four bytes', async () => {
  const app = await load()
  expect(ask(app, 'meta_xdp', { delta: -8 })).toMatchObject({ ret: 0, seen: [64, 8, 64] })
  expect([ask(app, 'meta_xdp', { delta: -6 }).ret, ask(app, 'meta_xdp', { delta: 4 }).ret]).toEqual([-13, -22])
})

it('reads and writes an XDP packet over the end of its linear part', async () => {
  const app = await load()
  const data = packet(4000)
  expect(ask(app, 'load_xdp', { offset: 3518 }, data).ret).toBe(0)
  expect((app.globals.buffer as number[]).slice(0, 4)).toEqual([...data.subarray(3518, 3522)])
  const stored = ask(app, 'store_xdp', { offset: 3518, buffer: packet(64).fill(1) }, data)
  expect([...stored.data.subarray(3517, 3523)]).toEqual([data[3517], 1, 1, 1, 1, data[3522]])
  expect(ask(app, 'load_xdp', { offset: 3997 }, data).ret).toBe(-22)
  expect(ask(app, 'load_xdp', { offset: 0x10000 }, data).ret).toBe(-14)
})
