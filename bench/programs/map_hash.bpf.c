/* SPDX-License-Identifier: MIT */
/* 1,000 lookups in a HASH (8-byte keys, 16-byte values); what is absent is inserted, so that all hit after the first run. */
#include "maps.h"

struct val {
	u64 a, b;
};

struct {
	__uint(type, 1);
	__type(key, u64);
	__type(value, struct val);
	__uint(max_entries, 2048);
} m SEC(".maps");

SEC("xdp") int entry(struct xdp_md *ctx)
{
	u64 acc = 0;

	for (u32 i = 0; i < 1000; i++) {
		u64 k = i * 0x9E3779B97F4A7C15ULL;
		struct val *v = bpf_map_lookup_elem(&m, &k);

		if (v) {
			acc += v->a;
			v->b = i;
		} else {
			struct val n = {i, 0};

			bpf_map_update_elem(&m, &k, &n, 0);
		}
	}
	put(acc);
	return 2;
}
