// Who may sleep where (3.19), what locks allow (3.24), licences (3.8).
#include "wq.h"

char LICENSE[] SEC("license") = "GPL";

struct locked {
	struct bpf_spin_lock lock;
	__u32 count;
	struct bpf_wq work; /* at 8 */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct locked);
} guarded SEC(".maps");

__u64 sink;

static int sleeps(void *map, int *key, void *value)
{
	__u64 copy = 0;

	bpf_copy_from_user(&copy, sizeof(copy), NULL);
	sink = copy;
	return 0;
}

static __noinline int static_sleeper(void)
{
	__u64 copy = 0;

	return bpf_copy_from_user(&copy, sizeof(copy), NULL);
}

static int calls_static_sleeper(void *map, int *key, void *value)
{
	sink = static_sleeper();
	return 0;
}

static int locks(void *map, int *key, void *value)
{
	struct locked *locked = value;

	bpf_spin_lock(&locked->lock);
	locked->count++;
	bpf_spin_unlock(&locked->lock);
	return 0;
}

static int locks_and_leaves(void *map, int *key, void *value)
{
	bpf_spin_lock(&((struct locked *)value)->lock);
	return 0;
}

static int plain(void *map, int *key, void *value)
{
	return 0;
}

#define SET_IN(section, name, callback)                                                                                \
	SEC(section) int name(void *ctx)                                                                               \
	{                                                                                                              \
		struct elem *elem = first();                                                                           \
                                                                                                                       \
		if (elem)                                                                                              \
			bpf_wq_set_callback(&elem->work, callback, 0);                                                 \
		return 0;                                                                                              \
	}

SET_IN("tc", callback_sleeps_in_tc, sleeps)
SET_IN("xdp", callback_sleeps_in_xdp, sleeps)
SET_IN("socket", callback_sleeps_in_socket_filter, sleeps)
SET_IN("syscall", callback_sleeps_in_syscall, sleeps)
SET_IN("tc", callback_calls_sleeping_subprogram_in_tc, calls_static_sleeper)

SEC("tc") int main_sleeps_in_tc(struct __sk_buff *skb)
{
	return static_sleeper();
}

SEC("syscall") int main_sleeps_in_syscall(void *ctx)
{
	return static_sleeper();
}

SEC("tc") int sleeper_is_callback_and_called(struct __sk_buff *skb)
{
	struct elem *elem = first();
	int key = 0;

	if (!elem)
		return 0;
	bpf_wq_set_callback(&elem->work, sleeps, 0);
	return sleeps(&m, &key, elem);
}

static __always_inline struct locked *first_guarded(void)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&guarded, &key);
}

#define UNDER_LOCK(name, call)                                                                                         \
	SEC("syscall") int name(void *ctx)                                                                             \
	{                                                                                                              \
		struct locked *locked = first_guarded();                                                               \
                                                                                                                       \
		if (!locked)                                                                                           \
			return 1;                                                                                      \
		bpf_spin_lock(&locked->lock);                                                                          \
		call;                                                                                                  \
		bpf_spin_unlock(&locked->lock);                                                                        \
		return 0;                                                                                              \
	}

// 3.24
UNDER_LOCK(init_under_lock, bpf_wq_init(&locked->work, &guarded, 0))
UNDER_LOCK(set_callback_under_lock, bpf_wq_set_callback(&locked->work, plain, 0))
UNDER_LOCK(start_under_lock, bpf_wq_start(&locked->work, 0))
UNDER_LOCK(nothing_under_lock, locked->count++)

#define GUARDED(name, callback)                                                                                        \
	SEC("tc") int name(struct __sk_buff *skb)                                                                      \
	{                                                                                                              \
		struct locked *locked = first_guarded();                                                               \
                                                                                                                       \
		if (locked)                                                                                            \
			bpf_wq_set_callback(&locked->work, callback, 0);                                               \
		return 0;                                                                                              \
	}

GUARDED(callback_takes_lock, locks)
GUARDED(callback_leaves_with_lock, locks_and_leaves)

// 3.24: the other critical sections allow all three
#define ALL_THREE(elem)                                                                                                \
	bpf_wq_init(&elem->work, &m, 0);                                                                               \
	bpf_wq_set_callback(&elem->work, plain, 0);                                                                    \
	bpf_wq_start(&elem->work, 0)

SEC("syscall") int all_under_rcu(void *ctx)
{
	struct elem *elem;

	bpf_rcu_read_lock();
	elem = first();
	if (elem) {
		ALL_THREE(elem);
	}
	bpf_rcu_read_unlock();
	return 0;
}

SEC("syscall") int all_without_preemption(void *ctx)
{
	struct elem *elem = first();

	if (!elem)
		return 1;
	bpf_preempt_disable();
	ALL_THREE(elem);
	bpf_preempt_enable();
	return 0;
}

SEC("syscall") int all_without_interrupts(void *ctx)
{
	struct elem *elem = first();
	unsigned long flags;

	if (!elem)
		return 1;
	bpf_local_irq_save(&flags);
	ALL_THREE(elem);
	bpf_local_irq_restore(&flags);
	return 0;
}
