// Where the three kfuncs may be called from (1.18): every program type that can be run, timer callbacks, critical sections.
//
// scenario syscall (1.18): run from_syscall; settle; global r; global runs
// scenario tc (1.18): run from_tc; settle; global r; global runs
// scenario xdp (1.18): run from_xdp; settle; global r; global runs
// scenario socket_filter (1.18): run from_socket; settle; global r; global runs
// scenario timer_callback (1.18): run from_timer; settle; global r; global runs
// scenario rcu (1.18): run under_rcu; settle; global r; global runs
// scenario preemption_off (1.18): run under_preempt; settle; global r; global runs
// scenario interrupts_off (1.18): run under_irq; settle; global r; global runs
// scenario started_by_tc_inited_by_syscall (1.6, 1.18): run arm; run tc_starts; settle; global runs; run xdp_starts; settle;
//   global runs
// scenario for_each (3.32): run from_each; settle; global runs
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "bpf_experimental.h"

char LICENSE[] SEC("license") = "GPL";

struct elem {
	struct bpf_timer timer;
	struct bpf_wq work;
	__u32 runs;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct elem);
} m SEC(".maps");

int r[4];
__u32 runs;

static int a(void *map, int *key, void *value)
{
	__sync_fetch_and_add(&runs, 1);
	return 0;
}

static __always_inline void three(struct elem *elem)
{
	r[0] = bpf_wq_init(&elem->work, &m, 0);
	r[1] = bpf_wq_set_callback(&elem->work, a, 0);
	r[2] = bpf_wq_start(&elem->work, 0);
}

static __always_inline struct elem *first(void)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&m, &key);
}

#define FROM(section, name, context)                                                                                   \
	SEC(section) int name(context)                                                                                 \
	{                                                                                                              \
		struct elem *elem = first();                                                                           \
                                                                                                                       \
		if (!elem)                                                                                             \
			return 0;                                                                                      \
		three(elem);                                                                                           \
		return 2;                                                                                              \
	}

FROM("syscall", from_syscall, void *ctx)
FROM("tc", from_tc, struct __sk_buff *skb)
FROM("xdp", from_xdp, struct xdp_md *xdp)
FROM("socket", from_socket, struct __sk_buff *skb)

static int timer_cb(void *map, int *key, void *value)
{
	three(value);
	return 0;
}

SEC("syscall") int from_timer(void *ctx)
{
	struct elem *elem = first();

	if (!elem)
		return 1;
	r[3] = bpf_timer_init(&elem->timer, &m, CLOCK_MONOTONIC);
	bpf_timer_set_callback(&elem->timer, timer_cb);
	return bpf_timer_start(&elem->timer, 0, 0);
}

SEC("syscall") int under_rcu(void *ctx)
{
	struct elem *elem = first();

	if (!elem)
		return 1;
	bpf_rcu_read_lock();
	three(elem);
	bpf_rcu_read_unlock();
	return 0;
}

SEC("syscall") int under_preempt(void *ctx)
{
	struct elem *elem = first();

	if (!elem)
		return 1;
	bpf_preempt_disable();
	three(elem);
	bpf_preempt_enable();
	return 0;
}

SEC("syscall") int under_irq(void *ctx)
{
	struct elem *elem = first();
	unsigned long flags;

	if (!elem)
		return 1;
	bpf_local_irq_save(&flags);
	three(elem);
	bpf_local_irq_restore(&flags);
	return 0;
}

SEC("syscall") int arm(void *ctx)
{
	struct elem *elem = first();

	if (!elem)
		return 1;
	return bpf_wq_init(&elem->work, &m, 0) ?: bpf_wq_set_callback(&elem->work, a, 0);
}

SEC("tc") int tc_starts(struct __sk_buff *skb)
{
	struct elem *elem = first();

	return elem ? bpf_wq_start(&elem->work, 0) : 1;
}

SEC("xdp") int xdp_starts(struct xdp_md *xdp)
{
	struct elem *elem = first();

	return elem ? bpf_wq_start(&elem->work, 0) : 1;
}

static long each(void *map, __u32 *key, struct elem *elem, void *ctx)
{
	int err = bpf_wq_init(&elem->work, map, 0);

	if (!err)
		err = bpf_wq_set_callback(&elem->work, a, 0);
	if (!err)
		err = bpf_wq_start(&elem->work, 0);
	if (err)
		r[0] = err;
	return 0;
}

SEC("syscall") int from_each(void *ctx)
{
	return bpf_for_each_map_elem(&m, each, NULL, 0);
}
