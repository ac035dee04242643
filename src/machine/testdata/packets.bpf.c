/* SPDX-License-Identifier: MIT */
/* What packet programs see of their context: noted in `seen`, so that two hosts can be compared. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

__u64 seen[12];

static __always_inline void note_skb(struct __sk_buff *skb)
{
	seen[0] = skb->len;
	seen[1] = skb->pkt_type;
	seen[2] = skb->mark;
	seen[3] = skb->protocol;
	seen[4] = skb->priority;
	seen[5] = skb->ifindex;
	seen[6] = skb->ingress_ifindex;
	seen[7] = skb->cb[0] + skb->cb[4];
	seen[8] = skb->gso_segs;
	seen[9] = skb->hash + skb->queue_mapping + skb->vlan_present + skb->napi_id;
}

SEC("tc") int see_tc(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;

	note_skb(skb);
	seen[10] = skb->wire_len;
	seen[11] = end - data;
	skb->mark = 77;
	skb->cb[1] = 3;
	if (data + 2 <= end)
		*(__u8 *)data = *((__u8 *)data + 1);
	return -1;
}

SEC("socket") int see_socket(struct __sk_buff *skb)
{
	note_skb(skb);
	return skb->len;
}

SEC("xdp") int see_xdp(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end, *meta = (void *)(long)ctx->data_meta;

	seen[0] = end - data;
	seen[1] = data - meta;
	seen[2] = ctx->ingress_ifindex;
	seen[3] = ctx->rx_queue_index;
	if (data + 1 <= end)
		seen[4] = *(__u8 *)data;
	if (meta + 4 <= data)
		*(__u32 *)meta = 0x01020304;
	return XDP_TX;
}

/* Helpers on packets: what they are asked comes from outside, what they did is in `seen`. */
__u32 offset, length, flags;
__s32 delta;
__u8 buffer[64];

static __always_inline __u32 some(void)
{
	return (length & 63) ?: 1;
}

SEC("tc") int load_tc(struct __sk_buff *skb)
{
	return bpf_skb_load_bytes(skb, offset, buffer, some());
}
SEC("socket") int load_socket(struct __sk_buff *skb)
{
	return bpf_skb_load_bytes(skb, offset, buffer, some());
}
SEC("tc") int store_tc(struct __sk_buff *skb)
{
	return bpf_skb_store_bytes(skb, offset, buffer, some(), flags);
}
SEC("tc") int pull_tc(struct __sk_buff *skb)
{
	return bpf_skb_pull_data(skb, length);
}
SEC("xdp") int load_xdp(struct xdp_md *xdp)
{
	return bpf_xdp_load_bytes(xdp, offset, buffer, some());
}
SEC("xdp") int store_xdp(struct xdp_md *xdp)
{
	return bpf_xdp_store_bytes(xdp, offset, buffer, some());
}

static __always_inline void note_xdp(struct xdp_md *xdp)
{
	seen[0] = xdp->data_end - xdp->data;
	seen[1] = xdp->data - xdp->data_meta;
	seen[2] = bpf_xdp_get_buff_len(xdp);
}
SEC("xdp") int head_xdp(struct xdp_md *xdp)
{
	int ret = bpf_xdp_adjust_head(xdp, delta);

	note_xdp(xdp);
	return ret;
}
SEC("xdp") int tail_xdp(struct xdp_md *xdp)
{
	int ret = bpf_xdp_adjust_tail(xdp, delta);

	note_xdp(xdp);
	return ret;
}
SEC("xdp") int meta_xdp(struct xdp_md *xdp)
{
	int ret = bpf_xdp_adjust_meta(xdp, delta);

	note_xdp(xdp);
	return ret;
}
