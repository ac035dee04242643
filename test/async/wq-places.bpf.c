// Which maps may hold a workqueue (2.2), and updates that keep or cancel it (2.8).
//
// scenario creation (2.2) on array, hash, hash+no_prealloc, hash+zero_seed, array+mmapable,
//   array+inner_map, hash+rdonly, percpu_array, percpu_hash, lru_percpu_hash, array+rdonly_prog, array+wronly_prog,
//   hash+rdonly_prog, hash+wronly_prog:
//   run arm
// scenario locked_update_of_array_cancels (2.8) on array:
//   run arm; run start; set m 0 {"tag":4} flags=4; settle; global runs; run start; run arm; get m 0
// scenario locked_update_of_hash_does_not (1.9, 2.8) on hash, hash+no_prealloc:
//   set m 0 {}; run arm; run start; set m 0 {"tag":4} flags=4; settle; global runs; run start; run arm; settle; get m 0
// scenario no_lock_in_lru (2.2) on lru_hash, lru_hash+no_common_lru: run arm
// scenario takes_the_lock_of_its_element (3.24) on array, hash:
//   set m 0 {}; run arm_locks; run start; settle; get m 0
// scenario locked_update_inserts (2.8) on hash, hash+no_prealloc:
//   set m 0 {"tag":4} flags=4; size m; set m 0 {"tag":5} flags=5; get m 0; set m 1 {"tag":5} flags=6; size m
// scenario program_locked_update (2.8) on array, hash, hash+no_prealloc:
//   set m 0 {}; run arm; run start; run locked_update; settle; global runs; run start; settle; get m 0
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "bpf_experimental.h"

char LICENSE[] SEC("license") = "GPL";

struct elem {
	struct bpf_spin_lock lock;
	__u32 runs;
	struct bpf_wq work;
	__u32 tag;
	__u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct elem);
} m SEC(".maps");

__u32 runs;

static int a(void *map, int *key, void *value)
{
	((struct elem *)value)->runs++;
	runs++;
	return 0;
}

SEC("syscall") int arm(void *ctx)
{
	__u32 key = 0;
	struct elem *elem = bpf_map_lookup_elem(&m, &key);

	if (!elem)
		return 1;
	return bpf_wq_init(&elem->work, &m, 0) ?: bpf_wq_set_callback(&elem->work, a, 0);
}

static int locks(void *map, int *key, void *value)
{
	struct elem *elem = value;

	bpf_spin_lock(&elem->lock);
	elem->tag = 5;
	bpf_spin_unlock(&elem->lock);
	return 0;
}

SEC("syscall") int arm_locks(void *ctx)
{
	__u32 key = 0;
	struct elem *elem = bpf_map_lookup_elem(&m, &key);

	if (!elem)
		return 1;
	return bpf_wq_init(&elem->work, &m, 0) ?: bpf_wq_set_callback(&elem->work, locks, 0);
}

SEC("syscall") int start(void *ctx)
{
	__u32 key = 0;
	struct elem *elem = bpf_map_lookup_elem(&m, &key);

	return elem ? bpf_wq_start(&elem->work, 0) : 1;
}

SEC("syscall") int locked_update(void *ctx)
{
	struct elem fresh = {.tag = 6};
	__u32 key = 0;

	return bpf_map_update_elem(&m, &key, &fresh, BPF_F_LOCK);
}
