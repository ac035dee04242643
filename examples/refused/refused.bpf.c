/* SPDX-License-Identifier: MIT */
/*
 * refused: work started while a lock is held, and how to do it right.
 *
 * `held` counts an event under a spin lock and starts the work before it lets go. Linux refuses to load it: nothing may be
 * called under a bpf_spin_lock. `released`, which starts the work a line later, is fine.
 *
 *     workerbee verify refused.bpf.o
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "bpf_experimental.h"

struct counter {
	struct bpf_spin_lock lock;
	__u32 events;
	struct bpf_wq work;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct counter);
} counters SEC(".maps");

__u32 seen;

static int flush(void *map, int *key, void *value)
{
	struct counter *counter = value;

	bpf_spin_lock(&counter->lock);
	seen += counter->events;
	counter->events = 0;
	bpf_spin_unlock(&counter->lock);
	return 0;
}

static struct counter *ready(void)
{
	__u32 key = 0;
	struct counter *counter = bpf_map_lookup_elem(&counters, &key);

	if (!counter || bpf_wq_init(&counter->work, &counters, 0) || bpf_wq_set_callback(&counter->work, flush, 0))
		return NULL;
	return counter;
}

SEC("syscall")
int held(void *ctx)
{
	struct counter *counter = ready();

	if (!counter)
		return 1;
	bpf_spin_lock(&counter->lock);
	counter->events++;
	bpf_wq_start(&counter->work, 0);
	bpf_spin_unlock(&counter->lock);
	return 0;
}

SEC("syscall")
int released(void *ctx)
{
	struct counter *counter = ready();

	if (!counter)
		return 1;
	bpf_spin_lock(&counter->lock);
	counter->events++;
	bpf_spin_unlock(&counter->lock);
	bpf_wq_start(&counter->work, 0);
	return 0;
}

char _license[] SEC("license") = "Dual MIT/GPL";
