/* SPDX-License-Identifier: MIT */
/*
 * ratelimit: an XDP program that drops what comes too often, and writes about it elsewhere.
 *
 * Each IPv4 source may send `burst` packets in a window of `window_ms`, which begins with its first packet and ends with a
 * timer. Logging in the packet's path would cost more than the packet, so a drop only starts a workqueue; starting one that
 * is already waiting does nothing, so a flood becomes a line of log now and then and never one for each packet.
 *
 *     workerbee run ratelimit.bpf.o --repeat 8
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>
#include "bpf_experimental.h"

#define ETH_P_IP 0x0800
#define NSEC_PER_MSEC 1000000ULL

typedef __u8 ipv4_address[4];

struct source {
	__u32 in_window;
	__u32 passed;
	__u32 dropped;
	__u32 reported;
	struct bpf_timer window;
	struct bpf_wq report;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, ipv4_address);
	__type(value, struct source);
} sources SEC(".maps");

const volatile __u32 burst = 5;
const volatile __u32 window_ms = 10;

__u64 passed;
__u64 dropped;

/* In a worker thread, some time after the drop. */
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

/* In interrupt context: the window is over. */
static int reopen(void *map, int *key, void *value)
{
	struct source *source = value;

	source->in_window = 0;
	return 0;
}

/* The source's element, made and given its timer and its work when it is first seen. */
static struct source *source_of(const ipv4_address *address)
{
	struct source new = {};
	struct source *source;

	source = bpf_map_lookup_elem(&sources, address);
	if (source)
		return source;
	bpf_map_update_elem(&sources, address, &new, BPF_NOEXIST);
	source = bpf_map_lookup_elem(&sources, address);
	if (!source)
		return NULL;
	/* Another CPU may have been faster: then init says -EBUSY, and all is well. */
	if (!bpf_timer_init(&source->window, &sources, CLOCK_MONOTONIC))
		bpf_timer_set_callback(&source->window, reopen);
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
	ipv4_address address;
	__u32 before;

	if ((void *)(ip + 1) > data_end || eth->h_proto != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	__builtin_memcpy(address, &ip->saddr, sizeof(address));
	source = source_of(&address);
	if (!source)
		return XDP_PASS;

	before = __sync_fetch_and_add(&source->in_window, 1);
	if (before == 0)
		bpf_timer_start(&source->window, window_ms * NSEC_PER_MSEC, 0);
	if (before < burst) {
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
