// The life of a workqueue item, one call a step, in every kind of map that may hold one.
//
// scenario return_codes (1.1, 0.3) on array, hash, hash+no_prealloc, lru_hash:
//   set m 1 {}; run start {"key":1}; run set_a {"key":1}; run init {"key":1,"flags":1}; run init {"key":1};
//   run init {"key":1}; run init {"key":1,"flags":1}; run start {"key":1}; run set_a {"key":1,"flags":1};
//   run set_a {"key":1}; run start {"key":1,"flags":1}; run start {"key":1}; settle; run start {"key":1}; settle
// scenario flags_are_looked_at_first (1.1) on array, hash:
//   set m 1 {}; run set_a {"key":1,"flags":1}; run start {"key":1,"flags":1}; run init {"key":1};
//   run init {"key":1,"flags":7}; run start {"key":1,"flags":2147483648}; settle
// scenario start_coalesces (1.2, 1.3) on array, hash, hash+no_prealloc, lru_hash:
//   set m 0 {}; run init {"key":0}; run set_a {"key":0}; run start_1000 {"key":0}; global result; settle; get m 0
// scenario start_coalesces_over_runs (1.2, 1.3):
//   set m 0 {}; run init {"key":0}; run set_a {"key":0}; run start {"key":0}; run start {"key":0}; run start {"key":0};
//   settle; get m 0; run start {"key":0}; settle; get m 0
// scenario callback_is_sticky (1.4) on array, hash:
//   set m 0 {}; run init {"key":0}; run set_a {"key":0}; run start {"key":0}; settle; run start {"key":0}; settle;
//   run start {"key":0}; settle; get m 0
// scenario callback_replaced_while_pending (1.4) on array, hash, lru_hash:
//   set m 0 {}; run init {"key":0}; run set_a {"key":0}; run start {"key":0}; run set_b {"key":0}; settle; get m 0;
//   run start {"key":0}; settle; get m 0
// scenario callback_replaced_by_another_program (1.5, 1.6):
//   set m 0 {}; run init {"key":0}; run set_a {"key":0}; run other_sets_b {"key":0}; run start {"key":0}; settle; get m 0
// scenario any_program_may_start (1.6) on array, hash:
//   set m 0 {}; run init {"key":0}; run set_a {"key":0}; run other_starts {"key":0}; settle; get m 0
// scenario program_closed_while_pending (1.7) on array, hash:
//   set m 0 {}; run init {"key":0}; run set_a {"key":0}; run start {"key":0}; close set_a; settle; get m 0;
//   run start {"key":0}; settle; get m 0
// scenario program_closed_while_idle (1.7):
//   set m 0 {}; run init {"key":0}; run set_a {"key":0}; close set_a; close init; run other_starts {"key":0}; settle; get m 0
// scenario delete_cancels (1.9, 1.10) on hash, hash+no_prealloc, lru_hash:
//   set m 0 {}; run all {"key":0}; delete m 0; settle; global runs; set m 0 {}; run start {"key":0}; run init {"key":0};
//   run start {"key":0}; run set_a {"key":0}; run start {"key":0}; settle; global runs; get m 0
// scenario program_delete_cancels (1.9, 1.10) on hash, hash+no_prealloc, lru_hash:
//   set m 0 {}; run all {"key":0}; run erase {"key":0}; settle; global runs; size m
// scenario take_cancels (1.9) on hash, hash+no_prealloc, lru_hash:
//   set m 0 {"tag":9}; run all {"key":0}; take m 0; settle; global runs; size m
// scenario array_delete_does_not (1.9) on array:
//   run all {"key":0}; delete m 0; settle; global runs; get m 0
// scenario array_take_is_not_supported (1.9) on array:
//   run all {"key":0}; take m 0; settle; global runs
// scenario update_cancels (1.9, 1.10, 2.8) on array, hash, hash+no_prealloc, lru_hash:
//   set m 0 {}; run all {"key":0}; set m 0 {"tag":5}; settle; global runs; run start {"key":0}; run set_a {"key":0};
//   run init {"key":0}; run start {"key":0}; run set_a {"key":0}; run start {"key":0}; settle; global runs; get m 0
// scenario update_existing_cancels (1.9, 2.8) on array, hash, lru_hash:
//   set m 0 {}; run all {"key":0}; set m 0 {"tag":5} flags=2; settle; global runs; run start {"key":0}; get m 0
// scenario refused_update_does_not (1.9, 2.8) on array, hash, hash+no_prealloc, lru_hash:
//   set m 0 {}; run all {"key":0}; set m 0 {"tag":5} flags=1; settle; global runs; get m 0
// scenario update_of_absent_element (2.8) on hash, lru_hash:
//   set m 0 {} flags=2; size m
// scenario update_with_bad_flags (2.8) on array, hash, hash+no_prealloc, lru_hash:
//   set m 0 {}; run all {"key":0}; set m 0 {} flags=3; set m 0 {} flags=8; set m 0 {} flags=4; settle; global runs
// scenario program_update_cancels (1.9) on array, hash, hash+no_prealloc, lru_hash:
//   set m 0 {}; run all {"key":0}; run replace {"key":0,"flags":0}; settle; global runs; run start {"key":0}; get m 0
// scenario program_update_refused (1.9) on array, hash:
//   set m 0 {}; run all {"key":0}; run replace {"key":0,"flags":1}; settle; global runs; get m 0
// scenario lookup_does_not_cancel (1.9, 2.7) on array, hash, lru_hash:
//   set m 0 {}; run all {"key":0}; get m 0; settle; global runs; get m 0
// scenario user_bytes_are_ignored (2.7) on array, hash, hash+no_prealloc, lru_hash:
//   set m 0 {"tag":3,"before":1}; run start {"key":0}; run init {"key":0}; set m 0 {"tag":4}; get m 0; run init {"key":0}
// scenario close_cancels (1.9, 1.14) on array, hash, hash+no_prealloc, lru_hash:
//   set m 0 {}; run all {"key":0}; close m; settle; global runs; run start {"key":0}; run set_a {"key":0}; run init {"key":0}
// scenario init_without_user_reference (1.14, 0.3) on array:
//   close m; run init {"key":0}; run init {"key":0,"flags":1}; run set_a {"key":0}; run start {"key":0}; settle; global runs
// scenario items_run_in_order (5.4):
//   set m 0 {}; set m 1 {}; set m 2 {}; set m 3 {}; run all {"key":2}; run all {"key":0}; run all {"key":3}; run all {"key":1};
//   settle; global order
// scenario other_elements_go_on (1.9) on hash, array:
//   set m 0 {}; set m 1 {}; run all {"key":0}; run all {"key":1}; set m 0 {"tag":1}; settle; get m 0; get m 1
// scenario reused_element_starts_empty (2.7, 1.10) on hash, hash+no_prealloc:
//   set m 0 {}; run all {"key":0}; delete m 0; set m 1 {}; run start {"key":1}; run init {"key":1}; settle; global runs
// scenario runs_where_it_was_started (5.5):
//   set m 0 {}; run init {"key":0}; run set_a {"key":0}; run start {"key":0} cpu=1; settle; global cpu;
//   run start {"key":0} cpu=0; settle; global cpu
// scenario eviction_cancels (1.9, 8) on lru_hash:
//   run arm_eight; run fill {"key":100}; settle; run evicted_never_ran; run drain {"key":0}; run drain {"key":100}; poke runs 0
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "bpf_experimental.h"

char LICENSE[] SEC("license") = "GPL";

struct elem {
	__u32 before;
	__u32 runs;
	struct bpf_wq work;
	__u32 runs_b;
	__u32 tag;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, struct elem);
} m SEC(".maps");

struct args {
	__u32 key;
	__u32 flags;
};

__u32 runs;
int result;
__u32 order[8];
__u32 cpu;

static int a(void *map, int *key, void *value)
{
	struct elem *elem = value;
	__u32 nth = runs;

	elem->runs++;
	if (nth < 8)
		order[nth] = *key;
	runs++;
	cpu = bpf_get_smp_processor_id();
	return 0;
}

static int b(void *map, int *key, void *value)
{
	struct elem *elem = value;

	elem->runs_b++;
	runs++;
	return 0;
}

#define STEP(name, call)                                                                                               \
	SEC("syscall") int name(struct args *args)                                                                     \
	{                                                                                                              \
		__u32 key = args->key;                                                                                 \
		struct elem *elem = bpf_map_lookup_elem(&m, &key);                                                     \
                                                                                                                       \
		if (!elem)                                                                                             \
			return 1;                                                                                      \
		return call;                                                                                           \
	}

STEP(init, bpf_wq_init(&elem->work, &m, args->flags))
STEP(set_a, bpf_wq_set_callback(&elem->work, a, args->flags))
STEP(set_b, bpf_wq_set_callback(&elem->work, b, args->flags))
STEP(other_sets_b, bpf_wq_set_callback(&elem->work, b, args->flags))
STEP(start, bpf_wq_start(&elem->work, args->flags))
STEP(other_starts, bpf_wq_start(&elem->work, args->flags))

// All three at once
SEC("syscall") int all(struct args *args)
{
	__u32 key = args->key;
	struct elem *elem = bpf_map_lookup_elem(&m, &key);
	int err;

	if (!elem)
		return 1;
	err = bpf_wq_init(&elem->work, &m, 0);
	if (!err)
		err = bpf_wq_set_callback(&elem->work, a, 0);
	if (!err)
		err = bpf_wq_start(&elem->work, 0);
	return err;
}

SEC("syscall") int start_1000(struct args *args)
{
	__u32 key = args->key;
	struct elem *elem = bpf_map_lookup_elem(&m, &key);
	int i;

	if (!elem)
		return 1;
	for (i = 0; i < 1000; i++)
		result |= bpf_wq_start(&elem->work, 0);
	return i;
}

SEC("syscall") int erase(struct args *args)
{
	__u32 key = args->key;

	return bpf_map_delete_elem(&m, &key);
}

SEC("syscall") int replace(struct args *args)
{
	struct elem fresh = {.tag = 77};
	__u32 key = args->key;

	return bpf_map_update_elem(&m, &key, &fresh, args->flags);
}

// Inserts enough to push everything else out of an LRU map
SEC("syscall") int fill(struct args *args)
{
	struct elem fresh = {};
	__u32 key = args->key;

	for (int i = 0; i < 500; i++) {
		bpf_map_update_elem(&m, &key, &fresh, 0);
		key++;
	}
	return 0;
}

// Which elements have to go is Linux's secret: those that are left ran, those that are gone did not
SEC("syscall") int arm_eight(void *ctx)
{
	struct elem fresh = {};
	__u32 armed = 0;

	for (__u32 i = 0; i < 8; i++) {
		__u32 key = i;
		struct elem *elem;

		bpf_map_update_elem(&m, &key, &fresh, 0);
		elem = bpf_map_lookup_elem(&m, &key);
		if (!elem)
			continue;
		if (bpf_wq_init(&elem->work, &m, 0))
			return -12;
		bpf_wq_set_callback(&elem->work, a, 0);
		bpf_wq_start(&elem->work, 0);
		armed++;
	}
	return armed == 8;
}

SEC("syscall") int evicted_never_ran(void *ctx)
{
	__u32 left = 0;

	for (__u32 i = 0; i < 8; i++) {
		__u32 key = i;
		struct elem *elem = bpf_map_lookup_elem(&m, &key);

		if (elem && elem->runs != 1)
			return 2;
		if (elem)
			left++;
		order[i] = 0;
	}
	return left < 8 && runs == left;
}

SEC("syscall") int drain(struct args *args)
{
	__u32 key = args->key;

	for (int i = 0; i < 500; i++) {
		bpf_map_delete_elem(&m, &key);
		key++;
	}
	return 0;
}
