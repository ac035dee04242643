/* SPDX-License-Identifier: MIT */
/*
 * ratelimit: an XDP program that drops what comes too often, and writes about it elsewhere.
 *
 * Each IPv4 source may send `burst` packets in `window_ms`. Logging in the packet's path would cost more than the packet,
 * so the first drop only starts a workqueue; starting one that is already waiting does nothing, so a flood becomes a few lines
 * of log and never one per packet.
 *
 *     workerbee run ratelimit.bpf.o --repeat 8
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>
#include "bpf_experimental.h"

#define ETH_P_IP 0x0800
#define NSEC_PER_MSEC 1000000ULL

struct source {
	__u64 window_start;
	__u32 in_window;
	__u32 passed;
	__u32 dropped;
	__u32 reported;
	struct bpf_wq report;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, struct source);
} sources SEC(".maps");

const volatile __u32 burst = 5;
const volatile __u32 window_ms = 60000;

__u64 passed;
__u64 dropped;

/* In a worker thread, some time after the drop; `key` is the source's address. */
static int report(void *map, int *key, void *value)
{
	struct source *source = value;
	__u32 more = source->dropped - source->reported;

	if (more) {
		source->reported += more;
		bpf_printk("%x: dropped %u packets", bpf_ntohl(*key), more);
	}
	return 0;
}

/* The source's element, made and given its work when it is first seen. */
static struct source *source_of(__u32 address)
{
	struct source new = { .window_start = bpf_ktime_get_ns() };
	struct source *source;

	source = bpf_map_lookup_elem(&sources, &address);
	if (source)
		return source;
	bpf_map_update_elem(&sources, &address, &new, BPF_NOEXIST);
	source = bpf_map_lookup_elem(&sources, &address);
	if (!source)
		return NULL;
	/* Another CPU may have been faster: then init says -EBUSY, and all is well. */
	if (!bpf_wq_init(&source->report, &sources, 0))
		bpf_wq_set_callback(&source->report, report, 0);
	return source;
}

SEC("xdp")
int limit(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	struct iphdr *ip = (void *)(eth + 1);
	struct source *source;
	__u64 now;

	if ((void *)(ip + 1) > data_end || eth->h_proto != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	source = source_of(ip->saddr);
	if (!source)
		return XDP_PASS;

	now = bpf_ktime_get_ns();
	if (now - source->window_start > window_ms * NSEC_PER_MSEC) {
		source->window_start = now;
		source->in_window = 0;
	}
	if (__sync_fetch_and_add(&source->in_window, 1) < burst) {
		__sync_fetch_and_add(&source->passed, 1);
		__sync_fetch_and_add(&passed, 1);
		return XDP_PASS;
	}
	__sync_fetch_and_add(&source->dropped, 1);
	__sync_fetch_and_add(&dropped, 1);
	bpf_wq_start(&source->report, 0);
	return XDP_DROP;
}

char _license[] SEC("license") = "Dual MIT/GPL";
