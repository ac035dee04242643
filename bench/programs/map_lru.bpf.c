/* SPDX-License-Identifier: MIT */
/* 1,000 keys in turn through an LRU_HASH of 512: a lookup, and where it misses an update that evicts. */
#include "maps.h"

struct {
	__uint(type, 9);
	__type(key, u32);
	__type(value, u64);
	__uint(max_entries, 512);
} m SEC(".maps");

SEC("xdp") int entry(struct xdp_md *ctx)
{
	u64 acc = 0;

	for (u32 i = 0; i < 1000; i++) {
		u32 k = i;
		u64 val = i;
		u64 *v = bpf_map_lookup_elem(&m, &k);

		if (v)
			acc++;
		else
			bpf_map_update_elem(&m, &k, &val, 0);
	}
	put(acc);
	return 2;
}
