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

/* Work of one CPU runs in the order of its starts: the last element's callback is the last. */
static int beat(void *map, int *key, void *value)
{
	struct elem *elem = value;

	elem->runs++;
	if (*key == ITEMS - 1)
		end_ns = bpf_ktime_get_ns();
	return 0;
}

/* How many elements are not ready yet: Linux may have no memory for all of them at once, so that this is run again. */
SEC("xdp") int setup(struct xdp_md *ctx)
{
	int missing = 0;

	for (__u32 i = 0; i < ITEMS; i++) {
		__u32 key = i;
		struct elem *elem = bpf_map_lookup_elem(&elems, &key);

		if (!elem || elem->ready)
			continue;
		if (bpf_wq_init(&elem->work, &elems, 0) == 0 && bpf_wq_set_callback(&elem->work, beat, 0) == 0)
			elem->ready = 1;
		else
			missing++;
	}
	return missing;
}

SEC("xdp") int start_all(struct xdp_md *ctx)
{
	int failed = 0;

	end_ns = 0;
	begin_ns = bpf_ktime_get_ns();
	for (__u32 i = 0; i < ITEMS; i++) {
		__u32 key = i;
		struct elem *elem = bpf_map_lookup_elem(&elems, &key);

		if (elem)
			failed += bpf_wq_start(&elem->work, 0) != 0;
	}
	return failed;
}

SEC("xdp") int start_one(struct xdp_md *ctx)
{
	__u32 key = ITEMS - 1;
	struct elem *elem = bpf_map_lookup_elem(&elems, &key);

	if (!elem)
		return 1;
	end_ns = 0;
	begin_ns = bpf_ktime_get_ns();
	return bpf_wq_start(&elem->work, 0) != 0;
}

char _license[] SEC("license") = "GPL";
