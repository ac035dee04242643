/* SPDX-License-Identifier: MIT */
/* Programs that the verifier accepts and that nobody can wait for. For machines only: a kernel would run them to their end. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "bpf_experimental.h"

struct elem {
	__u64 runs;
	struct bpf_wq work;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct elem);
} elems SEC(".maps");

__u64 steps;

static int inner(__u32 i, void *ctx)
{
	steps += i;
	return 0;
}

static int outer(__u32 i, void *ctx)
{
	bpf_loop(1 << 23, inner, NULL, 0);
	return 0;
}

/* 2^46 steps: months. */
SEC("syscall") int nested(void *ctx)
{
	bpf_loop(1 << 23, outer, NULL, 0);
	return 0;
}

/* The same, where user space does not wait for the program but for its work. */
static int slow(void *map, int *key, void *value)
{
	bpf_loop(1 << 23, outer, NULL, 0);
	return 0;
}

/* Work that starts itself again. */
static int again(void *map, int *key, void *value)
{
	struct elem *elem = value;

	elem->runs++;
	bpf_wq_start(&elem->work, 0);
	return 0;
}

static __always_inline int start(int (*callback)(void *map, int *key, void *value))
{
	__u32 key = 0;
	struct elem *elem = bpf_map_lookup_elem(&elems, &key);

	if (!elem)
		return 1;
	return bpf_wq_init(&elem->work, &elems, 0) ?: bpf_wq_set_callback(&elem->work, callback, 0) ?:
						      bpf_wq_start(&elem->work, 0);
}

SEC("syscall") int start_slow(void *ctx)
{
	return start(slow);
}

SEC("syscall") int start_again(void *ctx)
{
	return start(again);
}

/* One that ends at once, to show that all is well afterwards. */
SEC("syscall") int answer(void *ctx)
{
	return 42;
}

/* 2^23 rounds of a loop that nothing but may_goto ends, 2^23 times over. */
static int until_tired(__u32 i, void *ctx)
{
	for (;;) {
		asm volatile goto("may_goto %l[tired]" :: : : tired);
		steps++;
	}
tired:
	return 0;
}

SEC("syscall") int patient(void *ctx)
{
	bpf_loop(1 << 23, until_tired, NULL, 0);
	return 0;
}

/* One that ends after 20,000 rounds. */
static int nothing(__u32 i, void *ctx)
{
	return 0;
}

SEC("xdp") int finite(struct xdp_md *ctx)
{
	bpf_loop(20000, nothing, NULL, 0);
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
