// What a callback may do to the element that it runs for (1.12), and what it is given (1.13).
//
// scenario starts_itself (0.2, 1.2, 1.3, 1.12) on array, hash, hash+no_prealloc, lru_hash:
//   set m 0 {}; run go_restarts; settle; get m 0; global r
// scenario thousand_starts_while_running (0.2, 1.2, 1.3) on array, hash:
//   set m 0 {}; run go_storm; settle; get m 0; global r
// scenario sets_another_and_starts (1.4, 1.12) on array, hash, lru_hash:
//   set m 0 {}; run go_hands_over; settle; get m 0; global r
// scenario sets_another_without_start (1.4, 1.12):
//   set m 0 {}; run go_hands_over_quietly; settle; get m 0; run start; settle; get m 0
// scenario init_while_running (1.12, 0.3) on array, hash, lru_hash:
//   set m 0 {}; run go_inits; settle; get m 0; global r
// scenario deletes_itself (1.12) on hash, lru_hash:
//   set m 0 {}; run go_deletes; settle; size m; global r; global count
// scenario deletes_itself_in_array (1.12) on array:
//   run go_deletes; settle; get m 0; global r
// scenario updates_itself (1.12, 1.11) on array, hash, lru_hash:
//   set m 0 {}; run go_updates; settle; get m 0; global r; global count
// scenario updates_itself_noexist (1.12) on array, hash:
//   set m 0 {}; run go_updates_noexist; settle; get m 0; global r
// scenario arguments (1.13) on array, hash, hash+no_prealloc, lru_hash:
//   set m 5 {"tag":7}; run go_looks {"key":5}; settle; global r; get m 5
// scenario starts_another_element (1.12) on array, hash:
//   set m 0 {}; set m 1 {}; run arm {"key":1}; run go_starts_next; settle; get m 0; get m 1; global r
// scenario inits_another_element (1.12, 1.13) on array, hash:
//   set m 0 {}; set m 1 {}; run go_inits_next; settle; get m 0; get m 1; global r
// scenario deletes_another_pending_element (1.9, 1.12) on hash, hash+no_prealloc, lru_hash:
//   set m 0 {}; set m 1 {}; run go_deletes_next; run arm_and_start {"key":1}; settle; size m; global r; global count
// scenario ping_pong (1.4, 3.29) on array:
//   set m 0 {}; run go_ping; settle; get m 0
// scenario stale_pointer_init (1.12, 7.2) on hash:
//   set m 0 {}; run go_deletes_and_inits; settle; size m; global r; global count
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "bpf_experimental.h"

char LICENSE[] SEC("license") = "GPL";

struct elem {
	__u32 pad;
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

int r[8];
__u32 count;

#define CALLBACK(name)                                                                                                 \
	static int name(void *map, int *key, void *value)                                                              \
	{                                                                                                              \
		struct elem *elem = value;                                                                             \
		__u32 before = elem->runs++;                                                                           \
                                                                                                                       \
		count++;

#define END                                                                                                            \
		(void)before;                                                                                          \
		return 0;                                                                                              \
	}

static int b(void *map, int *key, void *value)
{
	((struct elem *)value)->runs_b++;
	count++;
	return 0;
}

CALLBACK(plain)
END

CALLBACK(restarts)
	if (before < 5)
		r[before] = bpf_wq_start(&elem->work, 0);
END

CALLBACK(storm)
	if (before == 0)
		for (int i = 0; i < 1000; i++)
			r[0] |= bpf_wq_start(&elem->work, 0);
END

CALLBACK(hands_over)
	r[0] = bpf_wq_set_callback(&elem->work, b, 0);
	r[1] = bpf_wq_start(&elem->work, 0);
END

CALLBACK(hands_over_quietly)
	r[0] = bpf_wq_set_callback(&elem->work, b, 0);
END

CALLBACK(inits)
	r[0] = bpf_wq_init(&elem->work, map, 0);
	r[1] = bpf_wq_init(&elem->work, map, 1);
END

CALLBACK(deletes)
	r[0] = bpf_map_delete_elem(map, key);
	r[1] = bpf_map_lookup_elem(map, key) ? 1 : 0;
	r[2] = bpf_wq_start(&elem->work, 0);
	r[3] = bpf_wq_set_callback(&elem->work, b, 0);
	r[4] = bpf_map_delete_elem(map, key);
END

// Only for preallocated hashes: the memory stays an element's
CALLBACK(deletes_and_inits)
	r[0] = bpf_map_delete_elem(map, key);
	r[1] = bpf_wq_init(&elem->work, map, 0);
	r[2] = bpf_wq_set_callback(&elem->work, b, 0);
	r[3] = bpf_wq_start(&elem->work, 0);
END

CALLBACK(updates)
	struct elem fresh = {.tag = 77};

	r[0] = bpf_map_update_elem(map, key, &fresh, 0);
	r[1] = bpf_wq_start(&elem->work, 0);
	r[2] = elem->tag;
	elem->tag += 100;
END

CALLBACK(updates_noexist)
	struct elem fresh = {.tag = 77};

	r[0] = bpf_map_update_elem(map, key, &fresh, BPF_NOEXIST);
	r[1] = before ? 0 : bpf_wq_start(&elem->work, 0);
END

CALLBACK(looks)
	struct elem *found = bpf_map_lookup_elem(map, key);

	r[0] = found == elem;
	r[1] = *key;
	r[2] = elem->tag;
	r[3] = found ? found->tag : -1;
	elem->tag = 8;
END

CALLBACK(starts_next)
	__u32 next = *key + 1;
	struct elem *other = bpf_map_lookup_elem(map, &next);

	r[0] = other ? bpf_wq_start(&other->work, 0) : 1;
END

CALLBACK(inits_next)
	__u32 next = *key + 1;
	struct elem *other = bpf_map_lookup_elem(map, &next);

	if (other) {
		r[0] = bpf_wq_init(&other->work, map, 0);
		r[1] = bpf_wq_set_callback(&other->work, b, 0);
		r[2] = bpf_wq_start(&other->work, 0);
	}
END

CALLBACK(deletes_next)
	__u32 next = *key + 1;

	r[0] = bpf_map_delete_elem(map, &next);
END

static int pong(void *map, int *key, void *value);
static int ping(void *map, int *key, void *value)
{
	struct elem *elem = value;

	elem->runs++;
	bpf_wq_set_callback(&elem->work, pong, 0);
	if (elem->runs < 4)
		bpf_wq_start(&elem->work, 0);
	return 0;
}
static int pong(void *map, int *key, void *value)
{
	struct elem *elem = value;

	elem->runs_b++;
	bpf_wq_set_callback(&elem->work, ping, 0);
	bpf_wq_start(&elem->work, 0);
	return 0;
}

static __always_inline int go(__u32 key, int(callback)(void *map, int *key, void *value), int start)
{
	struct elem *elem = bpf_map_lookup_elem(&m, &key);
	int err;

	if (!elem)
		return 1;
	err = bpf_wq_init(&elem->work, &m, 0);
	if (!err)
		err = bpf_wq_set_callback(&elem->work, callback, 0);
	if (!err && start)
		err = bpf_wq_start(&elem->work, 0);
	return err;
}

#define GO(callback)                                                                                                   \
	SEC("syscall") int go_##callback(void *ctx)                                                                    \
	{                                                                                                              \
		return go(0, callback, 1);                                                                             \
	}

GO(restarts)
GO(storm)
GO(hands_over)
GO(hands_over_quietly)
GO(inits)
GO(deletes)
GO(deletes_and_inits)
GO(updates)
GO(updates_noexist)
GO(starts_next)
GO(inits_next)
GO(deletes_next)
GO(ping)

SEC("syscall") int go_looks(struct args *args)
{
	return go(args->key, looks, 1);
}

SEC("syscall") int arm(struct args *args)
{
	return go(args->key, plain, 0);
}

SEC("syscall") int arm_and_start(struct args *args)
{
	return go(args->key, plain, 1);
}

SEC("syscall") int start(void *ctx)
{
	__u32 key = 0;
	struct elem *elem = bpf_map_lookup_elem(&m, &key);

	return elem ? bpf_wq_start(&elem->work, 0) : 1;
}
