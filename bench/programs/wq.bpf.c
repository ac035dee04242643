/* SPDX-License-Identifier: MIT */
/*
 * Workqueues: `setup` readies 1,000 elements of an ARRAY; `start_all` starts the work of each, `start_one` that of the last.
 * The program notes when it began and the last callback when it ran: in the kernel, which runs callbacks in a thread of its
 * own, only these two tell how long a start and its callback took.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "bpf_experimental.h"

#define ITEMS 1000

struct elem {
	__u64 runs;
	__u64 ready;
	struct bpf_wq work;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, ITEMS);
	__type(key, __u32);
	__type(value, struct elem);
} elems SEC(".maps");

__u64 begin_ns, end_ns;
/* The last element that is ready: as work of one CPU runs in the order of its starts, its callback is the last. */
int last = -1;

static int beat(void *map, int *key, void *value)
{
	struct elem *elem = value;

	elem->runs++;
	if (*key == last)
		end_ns = bpf_ktime_get_ns();
	return 0;
}

/* How many elements are not ready yet: Linux may have no memory for all of them at once, so that this is run again. */
SEC("syscall") int setup(void *ctx)
{
	int missing = 0;

	for (__u32 i = 0; i < ITEMS; i++) {
		__u32 key = i;
		struct elem *elem = bpf_map_lookup_elem(&elems, &key);

		if (!elem)
			continue;
		if (!elem->ready && bpf_wq_init(&elem->work, &elems, 0) == 0 &&
		    bpf_wq_set_callback(&elem->work, beat, 0) == 0)
			elem->ready = 1;
		if (elem->ready)
			last = i;
		else
			missing++;
	}
	return missing;
}

/* How many it started. */
SEC("syscall") int start_all(void *ctx)
{
	int started = 0;

	end_ns = 0;
	begin_ns = bpf_ktime_get_ns();
	for (__u32 i = 0; i < ITEMS; i++) {
		__u32 key = i;
		struct elem *elem = bpf_map_lookup_elem(&elems, &key);

		if (elem)
			started += bpf_wq_start(&elem->work, 0) == 0;
	}
	return started;
}

SEC("syscall") int start_one(void *ctx)
{
	__u32 key = last;
	struct elem *elem = bpf_map_lookup_elem(&elems, &key);

	if (!elem)
		return 0;
	end_ns = 0;
	begin_ns = bpf_ktime_get_ns();
	return bpf_wq_start(&elem->work, 0) == 0;
}

char _license[] SEC("license") = "GPL";
