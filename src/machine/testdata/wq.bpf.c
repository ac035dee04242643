/* SPDX-License-Identifier: MIT */
/*
 * One program for each thing that can be done to a bpf_wq, for each map type, so that a test in TypeScript decides the order.
 * Build: workerbee build (clang -g -O2 -target bpf -mcpu=v3 -I include).
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf_experimental.h>

char LICENSE[] SEC("license") = "GPL";

struct args {
	__u32 key;
	__u32 flags;
	__u32 times;
	__s32 ret;
};

struct elem {
	__u64 count;
	struct bpf_wq work;
	__u64 note;
};

#define MAP(name, kind, more)                                                                                          \
	struct {                                                                                                       \
		__uint(type, kind);                                                                                    \
		__uint(max_entries, 8);                                                                                \
		__type(key, __u32);                                                                                    \
		__type(value, struct elem);                                                                            \
		more                                                                                                   \
	} name SEC(".maps")

MAP(array, BPF_MAP_TYPE_ARRAY, );
MAP(hash, BPF_MAP_TYPE_HASH, );
MAP(sparse, BPF_MAP_TYPE_HASH, __uint(map_flags, BPF_F_NO_PREALLOC););
MAP(lru, BPF_MAP_TYPE_LRU_HASH, );

__u64 fired, other_fired, last_key, last_cpu, last_pid, restarts;
__s64 results[8];

/* Counts, and says where and for which key. */
static int tick(void *map, int *key, void *value)
{
	struct elem *v = value;

	v->count += 1;
	fired += 1;
	last_key = *key;
	last_cpu = bpf_get_smp_processor_id();
	last_pid = bpf_get_current_pid_tgid() >> 32;
	return 0;
}

static int other(void *map, int *key, void *value)
{
	other_fired += 1;
	return 0;
}

/* Starts itself again while `restarts` lasts. */
static int again(void *map, int *key, void *value)
{
	struct elem *v = value;

	fired += 1;
	if (restarts) {
		restarts -= 1;
		results[0] = bpf_wq_start(&v->work, 0);
	}
	return 0;
}

/* What a callback may do to its own element: init, then a new callback, then start. */
static int rebind(void *map, int *key, void *value)
{
	struct elem *v = value;

	fired += 1;
	results[0] = bpf_wq_init(&v->work, map, 0);
	results[1] = bpf_wq_set_callback(&v->work, other, 0);
	results[2] = bpf_wq_start(&v->work, 0);
	return 0;
}

#define OPS(name)                                                                                                      \
	SEC("syscall") int init_##name(struct args *ctx)                                                               \
	{                                                                                                              \
		__u32 key = ctx->key;                                                                                  \
		struct elem *v = bpf_map_lookup_elem(&name, &key);                                                     \
		ctx->ret = v ? bpf_wq_init(&v->work, &name, ctx->flags) : -2;                                          \
		return 0;                                                                                              \
	}                                                                                                              \
	SEC("syscall") int set_##name(struct args *ctx)                                                                \
	{                                                                                                              \
		__u32 key = ctx->key;                                                                                  \
		struct elem *v = bpf_map_lookup_elem(&name, &key);                                                     \
		ctx->ret = v ? bpf_wq_set_callback(&v->work, tick, ctx->flags) : -2;                                   \
		return 0;                                                                                              \
	}                                                                                                              \
	SEC("syscall") int set_other_##name(struct args *ctx)                                                          \
	{                                                                                                              \
		__u32 key = ctx->key;                                                                                  \
		struct elem *v = bpf_map_lookup_elem(&name, &key);                                                     \
		ctx->ret = v ? bpf_wq_set_callback(&v->work, other, ctx->flags) : -2;                                  \
		return 0;                                                                                              \
	}                                                                                                              \
	SEC("syscall") int start_##name(struct args *ctx)                                                              \
	{                                                                                                              \
		__u32 key = ctx->key, times = ctx->times;                                                              \
		struct elem *v = bpf_map_lookup_elem(&name, &key);                                                     \
		int ret = -2;                                                                                          \
		if (v)                                                                                                 \
			for (__u32 i = 0; i < 1000 && i < times; i++)                                                  \
				ret = bpf_wq_start(&v->work, ctx->flags);                                              \
		ctx->ret = ret;                                                                                        \
		return 0;                                                                                              \
	}                                                                                                              \
	SEC("syscall") int update_##name(struct args *ctx)                                                             \
	{                                                                                                              \
		__u32 key = ctx->key;                                                                                  \
		struct elem *v = bpf_map_lookup_elem(&name, &key);                                                     \
		struct {                                                                                               \
			__u64 words[4];                                                                                \
		} fresh = {{7, 0, 0, 9}};                                                                              \
		if (v)                                                                                                 \
			fresh.words[3] = v->note + 1;                                                                  \
		ctx->ret = bpf_map_update_elem(&name, &key, &fresh, ctx->flags);                                       \
		return 0;                                                                                              \
	}                                                                                                              \
	SEC("syscall") int delete_##name(struct args *ctx)                                                             \
	{                                                                                                              \
		__u32 key = ctx->key;                                                                                  \
		ctx->ret = bpf_map_delete_elem(&name, &key);                                                           \
		return 0;                                                                                              \
	}

OPS(array)
OPS(hash)
OPS(sparse)
OPS(lru)

/* In its callback: delete the own element, then try everything through the stale pointer. */
static int suicide(void *map, int *key, void *value)
{
	struct elem *v = value;
	__u32 k = *key;

	fired += 1;
	results[0] = bpf_map_delete_elem(&hash, &k);
	results[1] = bpf_map_lookup_elem(&hash, &k) ? 1 : 0;
	results[2] = bpf_wq_start(&v->work, 0);
	results[3] = bpf_wq_set_callback(&v->work, other, 0);
	results[4] = bpf_wq_init(&v->work, &hash, 0);
	return 0;
}

/* In its callback: replace the own element. */
static int replace_hash(void *map, int *key, void *value)
{
	struct elem *v = value;
	struct {
		__u64 words[4];
	} fresh = {{77, 0, 0, 0}};
	__u32 k = *key;

	fired += 1;
	results[0] = bpf_map_update_elem(&hash, &k, &fresh, 0);
	results[1] = bpf_wq_start(&v->work, 0);
	results[2] = v->count;
	return 0;
}

static int replace_array(void *map, int *key, void *value)
{
	struct elem *v = value;
	struct {
		__u64 words[4];
	} fresh = {{77, 0, 0, 0}};
	__u32 k = *key;

	fired += 1;
	results[0] = bpf_map_update_elem(&array, &k, &fresh, 0);
	results[1] = bpf_wq_start(&v->work, 0);
	results[2] = v->count;
	results[3] = bpf_map_delete_elem(&array, &k);
	return 0;
}

/* A worker has no user space. */
static int copying(void *map, int *key, void *value)
{
	__u64 word = 7;

	fired += 1;
	results[0] = bpf_copy_from_user(&word, sizeof(word), (void *)0x7f0000000000);
	results[1] = word;
	return 0;
}

#define ARM(name, map, callback)                                                                                       \
	SEC("syscall") int arm_##name(struct args *ctx)                                                                \
	{                                                                                                              \
		__u32 key = ctx->key;                                                                                  \
		struct elem *v = bpf_map_lookup_elem(&map, &key);                                                      \
		if (!v)                                                                                                \
			return 1;                                                                                      \
		bpf_wq_init(&v->work, &map, 0);                                                                        \
		bpf_wq_set_callback(&v->work, callback, 0);                                                            \
		ctx->ret = bpf_wq_start(&v->work, 0);                                                                  \
		return 0;                                                                                              \
	}

ARM(array, array, tick)
ARM(hash, hash, tick)
ARM(sparse, sparse, tick)
ARM(lru, lru, tick)
ARM(again, array, again)
ARM(copying, array, copying)
ARM(rebind, array, rebind)
ARM(suicide, hash, suicide)
ARM(replace_hash, hash, replace_hash)
ARM(replace_array, array, replace_array)

/* 1.18: from program types that cannot sleep. */
static __always_inline int kick(__u32 key)
{
	struct elem *v = bpf_map_lookup_elem(&array, &key);

	if (!v)
		return 100;
	if (bpf_wq_init(&v->work, &array, 0))
		return 101;
	if (bpf_wq_set_callback(&v->work, tick, 0))
		return 102;
	return bpf_wq_start(&v->work, 0);
}

SEC("tc") int kick_tc(struct __sk_buff *skb)
{
	return kick(1);
}
SEC("xdp") int kick_xdp(struct xdp_md *xdp)
{
	return kick(2);
}
SEC("socket") int kick_socket(struct __sk_buff *skb)
{
	return kick(3);
}
