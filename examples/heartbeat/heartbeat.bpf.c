/* SPDX-License-Identifier: MIT */
/*
 * heartbeat: a timer that arms a workqueue.
 *
 * A timer callback runs in interrupt context and must not sleep; a workqueue callback runs in a worker thread and may. So a
 * program that wants to do something heavy every now and then lets the timer do nothing but start the work:
 *
 *     start -> timer -> tick -> workqueue -> beat -> timer -> ...      until the heart has beaten `beats_wanted` times
 *
 *     workerbee run heartbeat.bpf.o --set interval_ms=1000
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "bpf_experimental.h"

#define NSEC_PER_MSEC 1000000ULL

struct heart {
	__u64 count;
	struct bpf_timer timer;
	struct bpf_wq work;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct heart);
} beats SEC(".maps");

/* Set before loading. */
const volatile __u32 interval_ms = 10;
const volatile __u32 beats_wanted = 3;

__u64 fired;

/* In a worker thread: the place for whatever takes time. */
static int beat(void *map, int *key, void *value)
{
	struct heart *heart = value;

	heart->count++;
	fired++;
	bpf_printk("beat %llu", heart->count);
	if (heart->count < beats_wanted)
		bpf_timer_start(&heart->timer, interval_ms * NSEC_PER_MSEC, 0);
	return 0;
}

/* In interrupt context: hand over at once. */
static int tick(void *map, int *key, void *value)
{
	struct heart *heart = value;

	bpf_wq_start(&heart->work, 0);
	return 0;
}

SEC("syscall")
int start(void *ctx)
{
	__u32 key = 0;
	struct heart *heart;
	int err;

	heart = bpf_map_lookup_elem(&beats, &key);
	if (!heart)
		return 1;
	err = bpf_timer_init(&heart->timer, &beats, CLOCK_MONOTONIC);
	err = err ?: bpf_timer_set_callback(&heart->timer, tick);
	err = err ?: bpf_wq_init(&heart->work, &beats, 0);
	err = err ?: bpf_wq_set_callback(&heart->work, beat, 0);
	err = err ?: bpf_timer_start(&heart->timer, interval_ms * NSEC_PER_MSEC, 0);
	return err;
}

char _license[] SEC("license") = "Dual MIT/GPL";
