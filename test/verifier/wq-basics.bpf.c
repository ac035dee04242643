// The three kfuncs as they are meant to be used, in every map type and every program type that may have them (3.3, 3.9).
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "bpf_experimental.h"

char LICENSE[] SEC("license") = "GPL";

struct elem {
	__u64 count;
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
	__type(key, __u64);
	__type(value, struct elem);
} hash SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4);
	__type(key, __u64);
	__type(value, struct elem);
} hash_malloc SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4);
	__type(key, __u64);
	__type(value, struct elem);
} lru SEC(".maps");

static int count_up(void *map, int *key, void *value)
{
	struct elem *elem = value;

	__sync_fetch_and_add(&elem->count, 1);
	return 0;
}

static __always_inline int arm(void *map, void *key)
{
	struct elem *elem = bpf_map_lookup_elem(map, key);

	if (!elem)
		return 1;
	if (bpf_wq_init(&elem->work, map, 0))
		return 2;
	if (bpf_wq_set_callback(&elem->work, count_up, 0))
		return 3;
	return bpf_wq_start(&elem->work, 0);
}

// 3.33: a constant index in range gives a pointer that is never NULL, if the verifier knows the key's value
SEC("syscall") int array_key_zero_needs_no_null_test(void *ctx)
{
	__u32 key = 0;
	struct elem *elem = bpf_map_lookup_elem(&array, &key);

	return bpf_wq_init(&elem->work, &array, 0);
}

// 4 bytes at fp-4: not a slot of their own, so the value is forgotten
SEC("syscall") int array_key_in_half_slot_needs_null_test(void *ctx)
{
	__u32 key = 3;
	struct elem *elem = bpf_map_lookup_elem(&array, &key);

	return bpf_wq_init(&elem->work, &array, 0);
}

SEC("syscall") int array_key_in_own_slot_needs_no_null_test(void *ctx)
{
	__u32 key __attribute__((aligned(8))) = 3;
	struct elem *elem = bpf_map_lookup_elem(&array, &key);

	return bpf_wq_init(&elem->work, &array, 0);
}

SEC("syscall") int array_key_out_of_range_needs_null_test(void *ctx)
{
	__u32 key __attribute__((aligned(8))) = 4;
	struct elem *elem = bpf_map_lookup_elem(&array, &key);

	return bpf_wq_init(&elem->work, &array, 0);
}

SEC("syscall") int hash_constant_key_needs_null_test(void *ctx)
{
	__u64 key = 3;
	struct elem *elem = bpf_map_lookup_elem(&hash, &key);

	return bpf_wq_init(&elem->work, &hash, 0);
}

SEC("syscall") int in_array(void *ctx)
{
	__u32 key = 0;

	return arm(&array, &key);
}

SEC("syscall") int in_hash(void *ctx)
{
	__u64 key = 0;

	return arm(&hash, &key);
}

SEC("syscall") int in_hash_malloc(void *ctx)
{
	__u64 key = 0;

	return arm(&hash_malloc, &key);
}

SEC("syscall") int in_lru(void *ctx)
{
	__u64 key = 0;

	return arm(&lru, &key);
}

// 1.6: any of the three alone, in any order: whether it works is seen when it runs
SEC("syscall") int start_alone(void *ctx)
{
	__u32 key = 0;
	struct elem *elem = bpf_map_lookup_elem(&array, &key);

	return elem ? bpf_wq_start(&elem->work, 0) : 1;
}

SEC("syscall") int set_callback_alone(void *ctx)
{
	__u32 key = 0;
	struct elem *elem = bpf_map_lookup_elem(&array, &key);

	return elem ? bpf_wq_set_callback(&elem->work, count_up, 0) : 1;
}

SEC("syscall") int init_twice(void *ctx)
{
	__u32 key = 0;
	struct elem *elem = bpf_map_lookup_elem(&array, &key);

	if (!elem)
		return 1;
	bpf_wq_init(&elem->work, &array, 0);
	return bpf_wq_init(&elem->work, &array, 0);
}

// 3.11: the flags are looked at when it runs, so they may be anything
SEC("syscall") int flags_nonzero(void *ctx)
{
	__u32 key = 0;
	struct elem *elem = bpf_map_lookup_elem(&array, &key);

	return elem ? bpf_wq_init(&elem->work, &array, 1) + bpf_wq_start(&elem->work, 7) : 1;
}

SEC("syscall") int flags_unknown(void *ctx)
{
	__u32 key = 0;
	struct elem *elem = bpf_map_lookup_elem(&array, &key);

	return elem ? bpf_wq_start(&elem->work, bpf_get_prandom_u32()) : 1;
}

#define IN(section, name, context)                                                                                     \
	SEC(section) int name(context)                                                                                 \
	{                                                                                                              \
		__u32 key = 0;                                                                                         \
                                                                                                                       \
		arm(&array, &key);                                                                                     \
		return 0;                                                                                              \
	}

IN("tc", type_tc, struct __sk_buff *skb)
IN("action", type_action, struct __sk_buff *skb)
IN("xdp", type_xdp, struct xdp_md *xdp)
IN("socket", type_socket, struct __sk_buff *skb)
IN("cgroup/skb", type_cgroup_skb, struct __sk_buff *skb)
IN("sk_skb/stream_verdict", type_sk_skb, struct __sk_buff *skb)
IN("lwt_in", type_lwt_in, struct __sk_buff *skb)
IN("lwt_xmit", type_lwt_xmit, struct __sk_buff *skb)
IN("sk_msg", type_sk_msg, struct sk_msg_md *msg)
IN("sk_lookup", type_sk_lookup, struct bpf_sk_lookup *lookup)
IN("sk_reuseport", type_sk_reuseport, struct sk_reuseport_md *md)
IN("cgroup/dev", type_cgroup_dev, struct bpf_cgroup_dev_ctx *dev)
IN("cgroup/sysctl", type_cgroup_sysctl, struct bpf_sysctl *sysctl)

// 3.10: tracing programs, on 6.18
IN("kprobe", type_kprobe, void *ctx)
IN("tracepoint", type_tracepoint, void *ctx)
IN("raw_tracepoint", type_raw_tracepoint, void *ctx)
IN("perf_event", type_perf_event, void *ctx)
