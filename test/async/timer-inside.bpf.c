// What a timer's callback may do (4.5, 4.7), and what it is given (4.4).
//
// scenario rearms_itself (4.7) on array, hash, lru_hash:
//   set m 0 {}; run go_rearms; settle; get m 0; global r
// scenario cancels_itself (4.5) on array, hash, lru_hash:
//   set m 0 {}; run go_cancels; settle; get m 0; global r; run start; settle; get m 0
// scenario deletes_itself (4.7) on hash, lru_hash:
//   set m 0 {}; run go_deletes; settle; size m; global r; global count
// scenario deletes_itself_in_array (4.7) on array:
//   set m 0 {}; run go_deletes_in_array; settle; get m 0; global r
// scenario sets_another_and_rearms (4.4) on array, hash:
//   set m 0 {}; run go_hands_over; settle; get m 0; global r
// scenario inits_itself (4.1, 4.4) on array, hash:
//   set m 0 {}; run go_inits; settle; get m 0; global r
// scenario updates_itself (4.7) on array, hash:
//   set m 0 {}; run go_updates; settle; get m 0; global r; global count
// scenario arguments (4.4, 1.13) on array, hash, hash+no_prealloc, lru_hash:
//   set m 0 {"tag":7}; run go_looks; settle; global r; get m 0
// scenario cancels_another (4.5) on array, hash:
//   set m 0 {}; set m 1 {}; run arm_next; run go_cancels_next; settle; global r; get m 1
// scenario starts_another (4.3) on array, hash:
//   set m 0 {}; set m 1 {}; run arm_next; run go_starts_next; settle; global r; get m 1
// scenario starts_in_one_run (4.3):
//   set m 0 {}; run go_plain; settle; get m 0
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "bpf_experimental.h"

char LICENSE[] SEC("license") = "GPL";

struct elem {
	__u32 runs;
	__u32 runs_b;
	struct bpf_timer timer;
	__u32 tag;
	__u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, struct elem);
} m SEC(".maps");

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

CALLBACK(rearms)
	if (before < 5)
		r[before] = bpf_timer_start(&elem->timer, 1000, 0);
END

CALLBACK(cancels)
	r[0] = bpf_timer_cancel(&elem->timer);
END

CALLBACK(deletes)
	r[0] = bpf_map_delete_elem(map, key);
	r[1] = bpf_timer_start(&elem->timer, 1000, 0);
	r[2] = bpf_timer_cancel(&elem->timer);
	r[3] = bpf_timer_set_callback(&elem->timer, b);
END

CALLBACK(deletes_in_array)
	r[0] = bpf_map_delete_elem(map, key);
	if (before == 0)
		r[1] = bpf_timer_start(&elem->timer, 1000, 0);
END

CALLBACK(hands_over)
	r[0] = bpf_timer_set_callback(&elem->timer, b);
	r[1] = bpf_timer_start(&elem->timer, 1000, 0);
END

CALLBACK(inits)
	r[0] = bpf_timer_init(&elem->timer, map, 1);
	r[1] = bpf_timer_init(&elem->timer, map, 2);
END

CALLBACK(updates)
	struct elem fresh = {.tag = 77};

	r[0] = bpf_map_update_elem(map, key, &fresh, 0);
	r[1] = bpf_timer_start(&elem->timer, 1000, 0);
	r[2] = elem->tag;
END

CALLBACK(looks)
	struct elem *found = bpf_map_lookup_elem(map, key);

	r[0] = found == elem;
	r[1] = *key;
	r[2] = elem->tag;
	elem->tag = 8;
END

CALLBACK(cancels_next)
	__u32 next = *key + 1;
	struct elem *other = bpf_map_lookup_elem(map, &next);

	if (other) {
		r[0] = bpf_timer_start(&other->timer, 1000000000000ULL, 0);
		r[1] = bpf_timer_cancel(&other->timer);
		r[2] = bpf_timer_cancel(&other->timer);
		r[3] = bpf_timer_start(&other->timer, 1000, 0);
	}
END

CALLBACK(starts_next)
	__u32 next = *key + 1;
	struct elem *other = bpf_map_lookup_elem(map, &next);

	r[0] = other ? bpf_timer_start(&other->timer, 1000, 0) : 1;
END

static __always_inline int go(__u32 key, int(callback)(void *map, int *key, void *value), int start)
{
	struct elem *elem = bpf_map_lookup_elem(&m, &key);
	int err;

	if (!elem)
		return 1;
	err = bpf_timer_init(&elem->timer, &m, CLOCK_MONOTONIC);
	if (!err)
		err = bpf_timer_set_callback(&elem->timer, callback);
	if (!err && start)
		err = bpf_timer_start(&elem->timer, 1000, 0);
	return err;
}

#define GO(callback)                                                                                                   \
	SEC("syscall") int go_##callback(void *ctx)                                                                    \
	{                                                                                                              \
		return go(0, callback, 1);                                                                             \
	}

GO(plain)
GO(rearms)
GO(cancels)
GO(deletes)
GO(deletes_in_array)
GO(hands_over)
GO(inits)
GO(updates)
GO(looks)
GO(cancels_next)
GO(starts_next)

SEC("syscall") int arm_next(void *ctx)
{
	return go(1, plain, 0);
}

SEC("syscall") int start(void *ctx)
{
	__u32 key = 0;
	struct elem *elem = bpf_map_lookup_elem(&m, &key);

	return elem ? bpf_timer_start(&elem->timer, 1000, 0) : 1;
}
