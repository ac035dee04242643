/* SPDX-License-Identifier: MIT */
/* Values with a lock beside the workqueue: BPF_F_LOCK updates; and starts from where interrupts or preemption are off. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf_experimental.h>

char LICENSE[] SEC("license") = "GPL";

struct args {
	__u32 key;
	__s32 ret;
};

struct elem {
	__u64 count;
	struct bpf_spin_lock lock;
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

__u64 fired;

static int tick(void *map, int *key, void *value)
{
	struct elem *v = value;

	bpf_spin_lock(&v->lock);
	v->count += 1;
	bpf_spin_unlock(&v->lock);
	fired += 1;
	return 0;
}

#define ARM(name)                                                                                                      \
	SEC("syscall") int arm_##name(struct args *ctx)                                                                \
	{                                                                                                              \
		__u32 key = ctx->key;                                                                                  \
		struct elem *v = bpf_map_lookup_elem(&name, &key);                                                     \
		if (!v)                                                                                                \
			return 1;                                                                                      \
		bpf_wq_init(&v->work, &name, 0);                                                                       \
		bpf_wq_set_callback(&v->work, tick, 0);                                                                \
		ctx->ret = bpf_wq_start(&v->work, 0);                                                                  \
		return 0;                                                                                              \
	}                                                                                                              \
	SEC("syscall") int start_##name(struct args *ctx)                                                              \
	{                                                                                                              \
		__u32 key = ctx->key;                                                                                  \
		struct elem *v = bpf_map_lookup_elem(&name, &key);                                                     \
		if (!v)                                                                                                \
			return 1;                                                                                      \
		ctx->ret = bpf_wq_start(&v->work, 0);                                                                  \
		return 0;                                                                                              \
	}                                                                                                              \
	SEC("syscall") int init_##name(struct args *ctx)                                                               \
	{                                                                                                              \
		__u32 key = ctx->key;                                                                                  \
		struct elem *v = bpf_map_lookup_elem(&name, &key);                                                     \
		if (!v)                                                                                                \
			return 1;                                                                                      \
		ctx->ret = bpf_wq_init(&v->work, &name, 0);                                                            \
		return 0;                                                                                              \
	}

ARM(array)
ARM(hash)

SEC("tc") int start_rcu(struct __sk_buff *skb)
{
	__u32 key = 0;
	struct elem *v = bpf_map_lookup_elem(&array, &key);
	int ret = -2;

	bpf_rcu_read_lock();
	if (v)
		ret = bpf_wq_start(&v->work, 0);
	bpf_rcu_read_unlock();
	return ret;
}

SEC("tc") int start_preempt(struct __sk_buff *skb)
{
	__u32 key = 0;
	struct elem *v = bpf_map_lookup_elem(&array, &key);
	int ret = -2;

	bpf_preempt_disable();
	if (v)
		ret = bpf_wq_start(&v->work, 0);
	bpf_preempt_enable();
	return ret;
}

SEC("?tc") int start_irq(struct __sk_buff *skb)
{
	__u32 key = 0;
	struct elem *v = bpf_map_lookup_elem(&array, &key);
	unsigned long flags;
	int ret = -2;

	bpf_local_irq_save(&flags);
	if (v)
		ret = bpf_wq_start(&v->work, 0);
	bpf_local_irq_restore(&flags);
	return ret;
}
