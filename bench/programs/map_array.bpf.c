/* SPDX-License-Identifier: MIT */
/* 1,000 lookups in an ARRAY of 1,024 u64, each read and written through the pointer. */
#include "maps.h"

struct {
	__uint(type, 2);
	__type(key, u32);
	__type(value, u64);
	__uint(max_entries, 1024);
} m SEC(".maps");

SEC("xdp") int entry(struct xdp_md *ctx)
{
	u64 acc = 0;

	for (u32 i = 0; i < 1000; i++) {
		u32 k = (i * 2654435761u) >> 22;
		u64 *v = bpf_map_lookup_elem(&m, &k);

		if (v) {
			acc += *v;
			*v = i;
		}
	}
	put(acc);
	return 2;
}
