import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { failureOf, skipped } from '../../test/support/reference.js'
import { compile, findClang, includeDirectory } from './index.js'

const scratch = mkdtempSync(join(tmpdir(), 'workerbee-test-'))
afterAll(() => rmSync(scratch, { recursive: true }))

const source = (name: string, text: string) => {
  const file = join(scratch, name)
  writeFileSync(file, text)
  return file
}

const skip = skipped('compiling', failureOf(findClang))

it('says what it looked for', () => {
  expect(() => findClang('no-such-clang')).toThrow(
    expect.objectContaining({ code: 'clang-missing', message: expect.stringContaining('no-such-clang (not found)') }),
  )
  expect(() => findClang('true')).toThrow(/true \(not a clang\)/)
})

const program = `
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>
#include "bpf_experimental.h"
struct elem { struct bpf_wq work; int count; };
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, SIZE); __type(key, int); __type(value, struct elem); } m SEC(".maps");
static int cb(void *map, int *key, void *value) { ((struct elem *)value)->count++; return 0; }
SEC("syscall") int start(void *ctx) {
  int key = 0;
  struct elem *e = bpf_map_lookup_elem(&m, &key);
  if (!e) return 1;
  bpf_printk("%d %d %d %d", 1, 2, 3, bpf_htons(4));
  return bpf_wq_init(&e->work, &m, 0) ?: bpf_wq_set_callback(&e->work, cb, 0) ?: bpf_wq_start(&e->work, 0);
}
char LICENSE[] SEC("license") = "GPL";
`

it.skipIf(skip)('compiles a workqueue program with the headers that ship, the same bytes every time', () => {
  const file = source('ok.bpf.c', program)
  const first = compile(file, { defines: { SIZE: 3 } })
  expect([...first.subarray(0, 4)]).toEqual([0x7f, 0x45, 0x4c, 0x46])
  expect(first[18]).toBe(247) // EM_BPF
  expect(compile(file, { defines: { SIZE: 3 } })).toEqual(first)
  expect(compile(file, { defines: { SIZE: 4 } })).not.toEqual(first)
})

const withSystemHeaders = `
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/in.h>
#include <linux/tcp.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>
SEC("tc") int f(struct __sk_buff *skb) {
  void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
  struct ethhdr *eth = data;
  struct iphdr *ip = (void *)(eth + 1);
  if ((void *)(ip + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP)) return TC_ACT_OK;
  return ip->protocol == IPPROTO_TCP && sizeof(struct tcphdr) == 20 ? TC_ACT_SHOT : TC_ACT_OK;
}
`

it.skipIf(skip)('compiles sources that want <linux/bpf.h>, also where the system has no such header', () => {
  const file = source('system.bpf.c', withSystemHeaders)
  expect(compile(file)[18]).toBe(247)
  const stand = join(includeDirectory, 'system')
  expect(compile(file, { includes: [stand] })[18]).toBe(247)
})

it.skipIf(skip)("hands on the compiler's words", () => {
  expect(() => compile(source('bad.bpf.c', 'int f(void) { return nonsense; }'))).toThrow(
    expect.objectContaining({ code: 'compile-failed', message: expect.stringContaining("'nonsense'") }),
  )
})
