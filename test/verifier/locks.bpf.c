// bpf_spin_lock: one at a time, given back on every path, nothing called in between, its bytes left alone.
#include "core.h"

char LICENSE[] SEC("license") = "GPL";

struct locked {
	__u32 count;
	struct bpf_spin_lock lock; /* at 4 */
	__u64 total;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct locked);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct locked);
} others SEC(".maps");

static __always_inline struct locked *of(void *map, __u32 key)
{
	return bpf_map_lookup_elem(map, &key);
}

#define CASE(name, body)                                                                                               \
	SEC("tc") int name(struct __sk_buff *skb)                                                                      \
	{                                                                                                              \
		struct locked *a = of(&counters, 0);                                                                   \
                                                                                                                       \
		if (!a)                                                                                                \
			return 0;                                                                                      \
		body return 0;                                                                                         \
	}

CASE(lock_and_unlock, { bpf_spin_lock(&a->lock); a->count++; bpf_spin_unlock(&a->lock); })
CASE(lock_twice_in_turn, { bpf_spin_lock(&a->lock); bpf_spin_unlock(&a->lock); bpf_spin_lock(&a->lock); bpf_spin_unlock(&a->lock); })
CASE(lock_within_lock, { bpf_spin_lock(&a->lock); bpf_spin_lock(&a->lock); bpf_spin_unlock(&a->lock); })
CASE(never_unlocked, { bpf_spin_lock(&a->lock); a->count++; })
CASE(unlock_without_lock, { bpf_spin_unlock(&a->lock); })
CASE(unlocked_twice, { bpf_spin_lock(&a->lock); bpf_spin_unlock(&a->lock); bpf_spin_unlock(&a->lock); })
CASE(unlocked_on_one_path, { bpf_spin_lock(&a->lock); if (skb->mark) { bpf_spin_unlock(&a->lock); } })
CASE(unlocked_on_both_paths, {
	bpf_spin_lock(&a->lock);
	if (a->total) {
		a->count = 0;
		bpf_spin_unlock(&a->lock);
		return 1;
	}
	a->total = 1;
	bpf_spin_unlock(&a->lock);
})
CASE(helper_under_lock, { bpf_spin_lock(&a->lock); a->total = bpf_ktime_get_ns(); bpf_spin_unlock(&a->lock); })
CASE(lookup_under_lock, { bpf_spin_lock(&a->lock); struct locked *b = of(&counters, 1); if (b) b->count = 1; bpf_spin_unlock(&a->lock); })
CASE(context_read_under_lock, { bpf_spin_lock(&a->lock); a->count = skb->mark; bpf_spin_unlock(&a->lock); })
CASE(lock_bytes_read, { return a->lock.val; })
CASE(lock_bytes_written, { a->lock.val = 1; })
CASE(word_over_the_lock, { *(__u64 *)a = 0; })
CASE(lock_at_wrong_offset, { bpf_spin_lock((void *)&a->count); bpf_spin_unlock((void *)&a->count); })
CASE(lock_on_the_stack, { struct bpf_spin_lock own = {}; bpf_spin_lock(&own); bpf_spin_unlock(&own); })
CASE(unlock_of_another_element, {
	struct locked *b = of(&counters, 1);
	if (b) { bpf_spin_lock(&a->lock); bpf_spin_unlock(&b->lock); }
})
CASE(unlock_of_another_map, {
	struct locked *b = of(&others, 1);
	if (b) { bpf_spin_lock(&a->lock); bpf_spin_unlock(&b->lock); }
})
CASE(unlock_through_a_copy, {
	struct bpf_spin_lock *lock = &a->lock;
	barrier_var(lock);
	bpf_spin_lock(lock); a->count++; bpf_spin_unlock(&a->lock);
})
CASE(loop_under_lock, { bpf_spin_lock(&a->lock); for (int i = 0; i < 10; i++) { a->total += i * a->count; barrier(); } bpf_spin_unlock(&a->lock); })

SEC("xdp") int lock_in_xdp(struct xdp_md *ctx)
{
	struct locked *a = of(&others, 0);

	if (a) {
		bpf_spin_lock(&a->lock);
		a->count++;
		bpf_spin_unlock(&a->lock);
	}
	return XDP_PASS;
}

SEC("socket") int lock_in_socket_filter(struct __sk_buff *skb)
{
	struct locked *a = of(&others, 0);

	if (a) {
		bpf_spin_lock(&a->lock);
		bpf_spin_unlock(&a->lock);
	}
	return 0;
}

SEC("syscall") int lock_in_syscall(void *ctx)
{
	struct locked *a = of(&others, 0);

	if (a) {
		bpf_spin_lock(&a->lock);
		bpf_spin_unlock(&a->lock);
	}
	return 0;
}

static __noinline void add(struct locked *a)
{
	a->total++;
}

CASE(static_function_under_lock, { bpf_spin_lock(&a->lock); add(a); bpf_spin_unlock(&a->lock); })
