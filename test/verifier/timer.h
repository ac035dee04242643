/* SPDX-License-Identifier: MIT */
/* What the timer cases share. */
#ifndef __TEST_TIMER_H
#define __TEST_TIMER_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "bpf_experimental.h"
#include "asm.h"

struct elem {
	__u64 before;
	struct bpf_timer timer; /* at 8 */
	__u64 after;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct elem);
} m SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, __u64);
	__type(value, struct elem);
} hash SEC(".maps");

static __always_inline struct elem *first(void)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&m, &key);
}

static __always_inline struct elem *first_hashed(void)
{
	__u64 key = 0;

	return bpf_map_lookup_elem(&hash, &key);
}

#endif
