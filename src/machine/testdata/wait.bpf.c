/* SPDX-License-Identifier: MIT */
/* A workqueue callback that takes as long as a kernel function in TypeScript does: what can be seen while it runs. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf_experimental.h>

char LICENSE[] SEC("license") = "GPL";

struct args {
	__u64 a;
	__s64 ret;
};

extern int test_wait(int value) __ksym;

struct elem {
	__u64 got;
	struct bpf_wq work;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct elem);
} array SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct elem);
} hash SEC(".maps");

__u64 began, ended;

/* Runs for as long as test_wait takes, then writes to its element. */
static int waiting(void *map, int *key, void *value)
{
	struct elem *v = value;

	began += 1;
	v->got = test_wait(*key + 40);
	ended += 1;
	return 0;
}

#define OPS(name)                                                                                                      \
	SEC("syscall") int defer_##name(struct args *ctx)                                                              \
	{                                                                                                              \
		__u32 key = ctx->a;                                                                                    \
		struct elem *v = bpf_map_lookup_elem(&name, &key);                                                     \
		if (!v)                                                                                                \
			return 1;                                                                                      \
		ctx->ret = bpf_wq_init(&v->work, &name, 0);                                                            \
		bpf_wq_set_callback(&v->work, waiting, 0);                                                             \
		return bpf_wq_start(&v->work, 0);                                                                      \
	}                                                                                                              \
	SEC("syscall") int start_##name(struct args *ctx)                                                              \
	{                                                                                                              \
		__u32 key = ctx->a;                                                                                    \
		struct elem *v = bpf_map_lookup_elem(&name, &key);                                                     \
		if (!v)                                                                                                \
			return 1;                                                                                      \
		for (int i = 0; i < 1000; i++)                                                                         \
			ctx->ret = bpf_wq_start(&v->work, 0);                                                          \
		return 0;                                                                                              \
	}

OPS(array)
OPS(hash)
