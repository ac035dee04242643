/* SPDX-License-Identifier: MIT */
/* 1,000 updates of a HASH (4-byte keys, 8-byte values) whose keys exist after the first run. */
#include "maps.h"

struct {
	__uint(type, 1);
	__type(key, u32);
	__type(value, u64);
	__uint(max_entries, 2048);
} m SEC(".maps");

SEC("xdp") int entry(struct xdp_md *ctx)
{
	u64 acc = 0;

	for (u32 i = 0; i < 1000; i++) {
		u32 k = i * 2654435761u;
		u64 val = i;

		acc += bpf_map_update_elem(&m, &k, &val, 0) == 0;
	}
	put(acc);
	return 2;
}
