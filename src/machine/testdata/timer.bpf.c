/* SPDX-License-Identifier: MIT */
/* One program for each thing that can be done to a bpf_timer; a test in TypeScript decides the order and the time. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf_experimental.h>

char LICENSE[] SEC("license") = "GPL";

struct args {
	__u32 key;
	__s32 ret;
	__u64 flags;
	__u64 ns;
};

struct elem {
	__u64 count;
	struct bpf_timer timer;
	struct bpf_wq work;
	struct bpf_timer_order {
		__u64 at;
	} last;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, struct elem);
} array SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, struct elem);
} hash SEC(".maps");

__u64 fired, last_key, last_cpu, worked, rearm;
__s64 results[8];
__u32 order[16];

static int expired(void *map, int *key, void *value)
{
	struct elem *v = value;
	__u64 n = fired;

	v->count += 1;
	v->last.at = bpf_ktime_get_ns();
	if (n < 16)
		order[n] = *key;
	fired = n + 1;
	last_key = *key;
	last_cpu = bpf_get_smp_processor_id();
	return 0;
}

static int again(void *map, int *key, void *value)
{
	struct elem *v = value;

	fired += 1;
	if (rearm) {
		rearm -= 1;
		results[0] = bpf_timer_start(&v->timer, 1000, 0);
	}
	return 0;
}

static int cancel_self(void *map, int *key, void *value)
{
	struct elem *v = value;

	fired += 1;
	results[0] = bpf_timer_cancel(&v->timer);
	results[1] = bpf_timer_start(&v->timer, 5, 0);
	return 0;
}

static int delete_self(void *map, int *key, void *value)
{
	struct elem *v = value;
	__u32 k = *key;

	fired += 1;
	results[0] = bpf_map_delete_elem(&hash, &k);
	results[1] = bpf_timer_start(&v->timer, 5, 0);
	results[2] = bpf_timer_cancel(&v->timer);
	results[3] = bpf_timer_set_callback(&v->timer, expired);
	return 0;
}

static int work(void *map, int *key, void *value)
{
	worked += 1;
	return 0;
}

/* A timer that hands over to a workqueue. */
static int handover(void *map, int *key, void *value)
{
	struct elem *v = value;

	fired += 1;
	results[0] = bpf_wq_init(&v->work, map, 0);
	results[1] = bpf_wq_set_callback(&v->work, work, 0);
	results[2] = bpf_wq_start(&v->work, 0);
	return 0;
}

#define FIND(map)                                                                                                      \
	__u32 key = ctx->key;                                                                                          \
	struct elem *v = bpf_map_lookup_elem(&map, &key);                                                              \
	if (!v)                                                                                                        \
		return 1;

SEC("syscall") int init_array(struct args *ctx)
{
	FIND(array)
	ctx->ret = bpf_timer_init(&v->timer, &array, ctx->flags);
	return 0;
}
SEC("syscall") int set_array(struct args *ctx)
{
	FIND(array)
	ctx->ret = bpf_timer_set_callback(&v->timer, expired);
	return 0;
}
SEC("syscall") int start_array(struct args *ctx)
{
	FIND(array)
	ctx->ret = bpf_timer_start(&v->timer, ctx->ns, ctx->flags);
	return 0;
}
SEC("syscall") int cancel_array(struct args *ctx)
{
	FIND(array)
	ctx->ret = bpf_timer_cancel(&v->timer);
	return 0;
}

#define ARM(name, map, callback)                                                                                       \
	SEC("syscall") int arm_##name(struct args *ctx)                                                                \
	{                                                                                                              \
		FIND(map)                                                                                              \
		bpf_timer_init(&v->timer, &map, CLOCK_MONOTONIC);                                                      \
		bpf_timer_set_callback(&v->timer, callback);                                                           \
		ctx->ret = bpf_timer_start(&v->timer, ctx->ns, ctx->flags);                                            \
		return 0;                                                                                              \
	}

ARM(array, array, expired)
ARM(hash, hash, expired)
ARM(again, array, again)
ARM(cancel_self, array, cancel_self)
ARM(delete_self, hash, delete_self)
ARM(handover, array, handover)
