// 2.11, 2.12: the bytes of the field belong to the kernel: no load, no store, no helper may touch them.
#include "wq.h"

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, struct elem);
	__type(value, __u64);
} keyed_by_elem SEC(".maps");

__u64 sink;

#define TOUCH(name, statement)                                                                                         \
	SEC("syscall") int name(void *ctx)                                                                             \
	{                                                                                                              \
		struct elem *elem = first();                                                                           \
		__unused volatile char *bytes = (volatile char *)elem;                                                          \
                                                                                                                       \
		if (!elem)                                                                                             \
			return 1;                                                                                      \
		statement;                                                                                             \
		return 0;                                                                                              \
	}

TOUCH(load_before_field, sink = *(volatile __u64 *)(bytes + 0))
TOUCH(load_last_byte_before_field, sink = bytes[7])
TOUCH(load_first_byte, sink = bytes[8])
TOUCH(load_last_byte, sink = bytes[23])
TOUCH(load_first_byte_after_field, sink = bytes[24])
TOUCH(load_first_word, sink = *(volatile __u64 *)(bytes + 8))
TOUCH(load_second_word, sink = *(volatile __u64 *)(bytes + 16))
TOUCH(load_into_field, sink = *(volatile __u64 *)(bytes + 4))
TOUCH(load_out_of_field, sink = *(volatile __u64 *)(bytes + 20))
TOUCH(store_before_field, *(volatile __u64 *)(bytes + 0) = 1)
TOUCH(store_first_byte, bytes[8] = 1)
TOUCH(store_last_byte, bytes[23] = 1)
TOUCH(store_after_field, *(volatile __u64 *)(bytes + 24) = 1)
TOUCH(add_to_field, __sync_fetch_and_add((__u64 *)(bytes + 16), 1))
TOUCH(add_after_field, __sync_fetch_and_add((__u64 *)(bytes + 24), 1))
TOUCH(exchange_field, sink = __sync_lock_test_and_set((__u64 *)(bytes + 8), 1))

TOUCH(load_at_bounded_offset_outside, sink = bytes[bpf_get_prandom_u32() & 7])
TOUCH(load_at_bounded_offset_reaching_in, sink = bytes[bpf_get_prandom_u32() & 15])
TOUCH(store_at_bounded_offset_reaching_in, bytes[bpf_get_prandom_u32() & 31] = 1)

TOUCH(helper_reads_whole_value, bpf_map_update_elem(&m, &(__u32){1}, elem, 0))
TOUCH(helper_reads_key_over_field, bpf_map_delete_elem(&keyed_by_elem, elem))
TOUCH(helper_writes_over_field, bpf_get_current_comm(elem, 16))
TOUCH(helper_writes_before_field, bpf_get_current_comm(elem, 8))
TOUCH(helper_writes_after_field, bpf_get_current_comm((void *)&elem->after, 8))
TOUCH(helper_writes_nothing_in_field, bpf_probe_read_kernel((void *)(bytes + 8), 0, NULL))
TOUCH(helper_reads_field_as_key, bpf_map_lookup_elem(&hash, (void *)(bytes + 8)))
TOUCH(helper_reads_key_before_field, bpf_map_lookup_elem(&hash, (void *)bytes))
TOUCH(kfunc_takes_field_as_timer, bpf_timer_cancel((struct bpf_timer *)&elem->work))
TOUCH(kfunc_takes_field_as_lock, bpf_spin_lock((struct bpf_spin_lock *)&elem->work))

// 2.12: nothing but a map value holds a workqueue
struct holder {
	struct bpf_wq work;
	__u64 x;
};

SEC("syscall") int start_in_allocated_object(void *ctx)
{
	struct holder *holder = bpf_obj_new(struct holder);
	int result;

	if (!holder)
		return 1;
	result = bpf_wq_start(&holder->work, 0);
	bpf_obj_drop(holder);
	return result;
}

// The rest of the value is plain memory
SEC("syscall") int compare_and_swap_beside_field(void *ctx)
{
	struct elem *elem = first();

	return elem ? (int)__sync_val_compare_and_swap(&elem->after, 1, 2) : 1;
}
