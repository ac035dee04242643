/* SPDX-License-Identifier: MIT */
/* 500 times insert, lookup and delete in a HASH. */
#include "maps.h"

struct {
	__uint(type, 1);
	__type(key, u32);
	__type(value, u64);
	__uint(max_entries, 64);
} m SEC(".maps");

SEC("xdp") int entry(struct xdp_md *ctx)
{
	u64 acc = 0;

	for (u32 i = 0; i < 500; i++) {
		u32 k = i;
		u64 val = i;

		bpf_map_update_elem(&m, &k, &val, 0);
		u64 *v = bpf_map_lookup_elem(&m, &k);

		if (v)
			acc += *v;
		bpf_map_delete_elem(&m, &k);
	}
	put(acc);
	return 2;
}
