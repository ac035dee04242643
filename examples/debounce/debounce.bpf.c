/* SPDX-License-Identifier: MIT */
/*
 * debounce: wait until a noisy input is quiet, then save what it ended with, once.
 *
 * One map element holds everything: a spin lock for the state that several CPUs may change, a timer that each event pushes
 * further into the future, and a workqueue for the saving, which may take its time. Starting a timer that is already running
 * only moves it, so however many events arrive, `quiet` runs once, when the last one is `quiet_ms` old.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "bpf_experimental.h"

#define NSEC_PER_MSEC 1000000ULL

struct knob {
	struct bpf_spin_lock lock;
	__s32 position;
	__u32 events;
	__s32 saved_position;
	__u32 saved_events;
	__u32 saves;
	struct bpf_timer timer;
	struct bpf_wq work;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct knob);
} knobs SEC(".maps");

const volatile __u32 quiet_ms = 10;

/* The work: take a snapshot under the lock, then save it without. */
static int save(void *map, int *key, void *value)
{
	struct knob *knob = value;
	__s32 position;
	__u32 events;

	bpf_spin_lock(&knob->lock);
	position = knob->position;
	events = knob->events;
	bpf_spin_unlock(&knob->lock);

	knob->saved_position = position;
	knob->saved_events = events;
	knob->saves++;
	bpf_printk("saved position %d after %u events", position, events);
	return 0;
}

/* The timer: nothing has happened for a while. */
static int quiet(void *map, int *key, void *value)
{
	struct knob *knob = value;

	bpf_wq_start(&knob->work, 0);
	return 0;
}

/* One turn of the knob. */
static void turn(struct knob *knob, __s32 by)
{
	bpf_spin_lock(&knob->lock);
	knob->position += by;
	knob->events++;
	bpf_spin_unlock(&knob->lock);
	bpf_timer_start(&knob->timer, quiet_ms * NSEC_PER_MSEC, 0);
}

SEC("syscall")
int twist(void *ctx)
{
	__u32 key = 0;
	struct knob *knob = bpf_map_lookup_elem(&knobs, &key);
	int err;

	if (!knob)
		return 1;
	err = bpf_timer_init(&knob->timer, &knobs, CLOCK_MONOTONIC);
	err = err ?: bpf_timer_set_callback(&knob->timer, quiet);
	err = err ?: bpf_wq_init(&knob->work, &knobs, 0);
	err = err ?: bpf_wq_set_callback(&knob->work, save, 0);
	if (err)
		return err;
	turn(knob, 10);
	turn(knob, -3);
	turn(knob, 5);
	return 0;
}

char _license[] SEC("license") = "Dual MIT/GPL";
