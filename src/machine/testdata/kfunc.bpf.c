/* SPDX-License-Identifier: MIT */
/* Kernel functions that the test supplies in TypeScript, called from a program and from a workqueue callback. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf_experimental.h>

char LICENSE[] SEC("license") = "GPL";

struct point {
	__s32 x;
	__s32 y;
};

struct args {
	__u64 a;
	__s64 ret;
	__u8 text[16];
	struct point point;
};

extern __s64 test_sum(__u64 a, int b, bool negative) __ksym;
extern int test_fill(void *buf, __u32 buf__sz) __ksym;
extern int test_move(struct point *p, const struct point *by) __ksym;
extern int test_wait(int value) __ksym;
extern int test_missing(int value) __weak __ksym;

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

SEC("syscall") int sum(struct args *ctx)
{
	ctx->ret = test_sum(ctx->a, -5, true);
	return test_sum(1, 2, false);
}

SEC("syscall") int fill(struct args *ctx)
{
	char buf[16] = {};
	int ret = test_fill(buf, sizeof(buf));

	__builtin_memcpy(ctx->text, buf, sizeof(buf));
	return ret;
}

SEC("syscall") int move(struct args *ctx)
{
	struct point p = {1, 2}, by = {10, 20};
	int ret = test_move(&p, &by);

	ctx->point = p;
	return ret;
}

SEC("syscall") int wait(struct args *ctx)
{
	ctx->ret = test_wait(ctx->a);
	return 0;
}

SEC("syscall") int maybe(struct args *ctx)
{
	if (bpf_ksym_exists(test_missing))
		return test_missing(1);
	return 77;
}

static int waiting(void *map, int *key, void *value)
{
	struct elem *v = value;

	v->got = test_wait(*key + 40);
	return 0;
}

SEC("syscall") int defer(struct args *ctx)
{
	__u32 key = ctx->a;
	struct elem *v = bpf_map_lookup_elem(&array, &key);

	if (!v)
		return 1;
	bpf_wq_init(&v->work, &array, 0);
	bpf_wq_set_callback(&v->work, waiting, 0);
	return bpf_wq_start(&v->work, 0);
}
