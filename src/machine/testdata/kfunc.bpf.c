/* SPDX-License-Identifier: MIT */
/* Kernel functions that the test supplies in TypeScript, called in every way that a prototype allows. */
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
