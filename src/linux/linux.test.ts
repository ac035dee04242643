import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { failureOf, skipped } from '../../test/support/reference.js'
import { compile, findClang } from '../clang/index.js'
import { type ObjectSpec, parseObject } from '../object/index.js'
import { holdCpu } from './cpu.js'
import { Linux } from './linux.js'
import { kernelUnavailable } from './load.js'

const source = `
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "bpf_experimental.h"
struct elem { struct bpf_wq work; __u32 count; char name[8]; };
struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 8); __type(key, __u32); __type(value, struct elem); } m SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); __uint(max_entries, 2); __type(key, __u32); __type(value, __u32); } counts SEC(".maps");
struct args { __u32 key; __u32 ret; };
const volatile __u32 step = 1;
__u64 fired, spare = 5;
static int cb(void *map, int *key, void *value) {
  ((struct elem *)value)->count += step;
  __sync_fetch_and_add(&fired, 1);
  return 0;
}
SEC("syscall") int start(struct args *args) {
  __u32 key = args->key, zero = 0;
  __u32 *count = bpf_map_lookup_elem(&counts, &zero);
  if (count) ++*count;
  struct elem *e = bpf_map_lookup_elem(&m, &key);
  if (!e) return 1;
  args->ret = bpf_wq_init(&e->work, &m, 0);
  bpf_wq_set_callback(&e->work, cb, 0);
  return bpf_wq_start(&e->work, 0);
}
SEC("xdp") int shrink(struct xdp_md *ctx) { return bpf_xdp_adjust_head(ctx, 14) ? XDP_ABORTED : XDP_PASS; }
extern int no_such_kfunc(void) __weak __ksym;
SEC("?syscall") int unresolved(void *ctx) { return no_such_kfunc(); }
SEC("?syscall") int refused(void *ctx) { return *(volatile int *)bpf_ktime_get_ns(); }
char LICENSE[] SEC("license") = "GPL";
`

const skip = skipped('the running kernel as a host', kernelUnavailable()?.message ?? failureOf(findClang))

const scratch = mkdtempSync(join(tmpdir(), 'workerbee-test-'))
afterAll(() => rmSync(scratch, { recursive: true }))
let object: Uint8Array | undefined
function spec(): ObjectSpec {
  const file = join(scratch, 'host.bpf.c')
  if (!object) writeFileSync(file, source)
  object ??= compile(file)
  return parseObject(object, { name: 'host.bpf.o' })
}

describe.skipIf(skip)('the running kernel as a host', () => {
  it('runs a workqueue callback and shows maps and globals by type', async () => {
    await using linux = await Linux.open()
    const edited = spec()
    edited.variables.step = 7
    const app = await linux.load(edited)
    app.maps.m?.set(3, { name: 'bee' })
    const ran = app.programs.start?.run({ ctx: { key: 3 } })
    expect(ran).toMatchObject({ retval: 0, fields: { key: 3, ret: 0 } })
    await linux.settle({ until: () => app.globals.fired === 1n })
    expect(app.maps.m?.get(3)).toEqual({ work: { opaque: 'bpf_wq' }, count: 7, name: 'bee' })
    expect(app.globals).toMatchObject({ fired: 1n, spare: 5n, step: 7 })
    app.globals.spare = 6n
    expect(app.globals).toMatchObject({ fired: 1n, spare: 6n })
    const perCpu = app.maps.counts?.get(0) as number[]
    expect(perCpu.reduce((sum, one) => sum + one)).toBe(1)
    expect(app.programs.start?.run({ ctx: { key: 99 } }).retval).toBe(1)
  })

  it('keeps queued work waiting while its CPU is held', async () => {
    await using linux = await Linux.open()
    const app = await linux.load(spec())
    app.maps.m?.set(0, {})
    const release = holdCpu(0)
    try {
      app.programs.start?.run({ ctx: { key: 0 } })
      expect(app.maps.m?.delete(0)).toBe(true)
    } finally {
      release()
    }
    await linux.settle()
    expect(app.globals.fired).toBe(0n)
  })

  it('gives back the packet, errno and refusals as Linux does', async () => {
    await using linux = await Linux.open()
    const app = await linux.load(spec())
    const packet = new Uint8Array(60).map((_, i) => i)
    const ran = app.programs.shrink?.run({ data: packet })
    expect(ran).toMatchObject({ retval: 2, data: packet.slice(14) })
    expect(() => app.programs.shrink?.run({ data: new Uint8Array(4) })).toThrow(
      expect.objectContaining({ errno: 22, operation: 'prog_test_run' }),
    )
    expect(app.maps.m?.get(1)).toBeUndefined()
    expect(app.maps.m?.delete(1)).toBe(false)
    expect(() => app.maps.m?.set(1, {}, 2)).toThrow(expect.objectContaining({ errno: 2 }))
    expect(() => app.maps.counts?.set(9, [0])).toThrow(/array of/)
    await expect(linux.load(spec(), { programs: ['refused'] })).rejects.toMatchObject({
      code: 'verifier-reject',
      message: "program refused: R0 invalid mem access 'scalar'",
      report: { verdict: 'reject', programs: [{ errno: 'EACCES', section: 'syscall', stats: { processed: 2 } }] },
    })
  })

  it('says which kernel function is missing, when a weak one is reached', async () => {
    await using linux = await Linux.open()
    await expect(linux.load(spec(), { programs: ['unresolved'] })).rejects.toMatchObject({
      report: { programs: [{ diagnostics: [{ message: expect.stringContaining("'no_such_kfunc'") }] }] },
    })
  })

  it('shares maps between collections and closes everything', async () => {
    const linux = await Linux.open()
    const first = await linux.load(spec(), { programs: ['start'] })
    first.maps.m?.set(1, {})
    const m = first.maps.m
    if (!m) throw new Error('no map')
    const second = await linux.load(spec(), { programs: ['start'], maps: { m } })
    first.close()
    expect(() => first.programs.start?.run()).toThrow(expect.objectContaining({ errno: 9 }))
    expect(second.programs.start?.run({ ctx: { key: 1 } }).retval).toBe(0)
    await linux.settle({
      until: () => (second.maps.m?.get(1) as { count: number } | undefined)?.count === 1,
    })
    await linux.close()
    expect(() => second.maps.m?.get(1)).toThrow(expect.objectContaining({ errno: 9 }))
    await expect(linux.load(spec())).rejects.toMatchObject({ code: 'closed' })
  })
})
