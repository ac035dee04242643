/* SPDX-License-Identifier: MIT */
/*
 * About a hundred instructions of the everyday kind, to measure loading: a packet is parsed, counted by protocol and by
 * sender, and passed or dropped.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

#define ETH_P_IP 0x0800

struct count {
	__u64 packets;
	__u64 bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, struct count);
} protocols SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, struct count);
} senders SEC(".maps");

const volatile __u64 most_packets = 1000000;
__u64 dropped;

static __always_inline void add(struct count *count, __u64 bytes)
{
	count->packets++;
	count->bytes += bytes;
}

SEC("xdp") int filter(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	struct iphdr *ip = (void *)(eth + 1);
	__u64 bytes = end - data;
	struct count *count;
	__u32 key;

	if ((void *)(ip + 1) > end)
		return XDP_PASS;
	if (eth->h_proto != bpf_htons(ETH_P_IP) || ip->version != 4 || ip->ihl < 5) {
		dropped++;
		return XDP_DROP;
	}
	if (ip->ttl == 0 || (bpf_ntohl(ip->saddr) >> 24) == 127) {
		dropped++;
		return XDP_DROP;
	}
	if (ip->protocol == IPPROTO_UDP || ip->protocol == IPPROTO_TCP) {
		struct udphdr *udp = (void *)ip + ip->ihl * 4;

		if ((void *)(udp + 1) > end) {
			dropped++;
			return XDP_DROP;
		}
		key = bpf_ntohs(udp->dest);
		if (key == 23 || (key >= 135 && key <= 139) || key == 445 || udp->source == 0) {
			dropped++;
			return XDP_DROP;
		}
	}
	key = ip->protocol;
	count = bpf_map_lookup_elem(&protocols, &key);
	if (count)
		add(count, bytes);
	key = ip->saddr;
	count = bpf_map_lookup_elem(&senders, &key);
	if (!count) {
		struct count first = {1, bytes};

		bpf_map_update_elem(&senders, &key, &first, BPF_ANY);
		return XDP_PASS;
	}
	add(count, bytes);
	if (count->packets > most_packets) {
		dropped++;
		return XDP_DROP;
	}
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
