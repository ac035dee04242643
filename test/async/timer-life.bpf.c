// The life of a timer, one call a step. Times are either 0 to 5 ms (fires before the scenario goes on) or 1000 s (never does).
//
// scenario return_codes (4.2) on array, hash, hash+no_prealloc, lru_hash:
//   set m 0 {}; run start {"ns":1000}; run cancel {}; run set_a {}; run init {"clock":1}; run init {"clock":1}; run start {};
//   run cancel {}; run set_a {}; run cancel {}; run start {}; run set_a {}; run start {}; settle; global runs; run cancel {}
// scenario clocks (4.1):
//   set m 0 {}; run init {"clock":2}; run init {"clock":3}; run init {"clock":4}; run init {"clock":5}; run init {"clock":6};
//   run init {"clock":8}; run init {"clock":9}; run init {"clock":11}; run init {"clock":16}; run init {"clock":4294967297};
//   run init {"clock":0}; run init {"clock":1}
// scenario clock_realtime (4.1): set m 0 {}; run init {"clock":0}; run set_a {}; run start {"ns":1000}; settle; global runs
// scenario clock_monotonic (4.1): set m 0 {}; run init {"clock":1}; run set_a {}; run start {"ns":1000}; settle; global runs
// scenario clock_boottime (4.1): set m 0 {}; run init {"clock":7}; run set_a {}; run start {"ns":1000}; settle; global runs
// scenario start_flags (4.3):
//   set m 0 {}; run arm {}; run start {"ns":1000000000000,"flags":4}; run start {"ns":1000000000000,"flags":8};
//   run start {"ns":1000000000000,"flags":4294967296}; run start {"ns":1000000000000,"flags":2}; run cancel {}
// scenario fires_once (4.3) on array, hash, hash+no_prealloc, lru_hash:
//   set m 0 {}; run arm {}; run start {"ns":1000}; settle; settle; get m 0; run start {"ns":2000000}; settle; get m 0
// scenario zero_fires_at_once (4.3): set m 0 {}; run arm {}; run start {"ns":0}; settle; global runs
// scenario rearm_later (4.3):
//   set m 0 {}; run arm {}; run start {"ns":5000000}; run start {"ns":1000000000000}; settle; global runs; run cancel {}
// scenario rearm_earlier (4.3):
//   set m 0 {}; run arm {}; run start {"ns":1000000000000}; run start {"ns":1000}; settle; global runs; run cancel {}
// scenario absolute_in_the_past (4.3):
//   set m 0 {}; run arm {}; run start {"ns":1,"flags":1}; settle; global runs
// scenario absolute_in_the_future (4.3):
//   set m 0 {}; run arm {}; run start_in {"ns":2000000}; settle; global runs;
//   run start_in {"ns":1000000000000}; settle; global runs; run cancel {}
// scenario never (4.3):
//   set m 0 {}; run arm {}; run start {"ns":"9223372036854775807"}; run cancel {}; run arm {}; run set_a {};
//   run start {"ns":"9223372036854775808"}; settle; global runs; run cancel {}; run set_a {};
//   run start {"ns":"18446744073709551615"}; settle; global runs; run cancel {}
// scenario pinned_to_cpu (4.3):
//   set m 0 {}; run arm {}; run start {"ns":1000,"flags":2} cpu=1; settle; global cpu;
//   run start {"ns":1000,"flags":2} cpu=0; settle; global cpu
// scenario cancel_drops_the_callback (4.5) on array, hash, lru_hash:
//   set m 0 {}; run arm {}; run start {"ns":1000000000000}; run cancel {}; run start {"ns":1000}; settle; global runs;
//   run set_a {}; run start {"ns":1000}; settle; global runs
// scenario cancel_idle_drops_the_callback (4.5):
//   set m 0 {}; run arm {}; run cancel {}; run start {"ns":1000}; run cancel {}; settle; global runs
// scenario callback_is_sticky (4.4):
//   set m 0 {}; run arm {}; run start {"ns":1000}; settle; run start {"ns":1000}; settle; global runs
// scenario callback_replaced_while_armed (4.5):
//   set m 0 {}; run arm {}; run start {"ns":3000000}; run set_b {}; settle; get m 0
// scenario delete_cancels (1.9) on hash, hash+no_prealloc, lru_hash:
//   set m 0 {}; run arm {}; run start {"ns":3000000}; delete m 0; settle; global runs; set m 0 {}; run start {"ns":1000};
//   run cancel {}; run arm {}; run start {"ns":1000}; settle; global runs
// scenario array_delete_does_not (1.9) on array:
//   run arm {}; run start {"ns":3000000}; delete m 0; settle; global runs
// scenario take_cancels (1.9) on hash, lru_hash:
//   set m 0 {"tag":3}; run arm {}; run start {"ns":3000000}; take m 0; settle; global runs
// scenario update_cancels (1.9, 2.8) on array, hash, hash+no_prealloc, lru_hash:
//   set m 0 {}; run arm {}; run start {"ns":3000000}; set m 0 {"tag":5}; settle; global runs; run start {}; run cancel {};
//   run set_a {}; run init {"clock":1}; get m 0
// scenario refused_update_does_not (1.9, 2.8) on array, hash, lru_hash:
//   set m 0 {}; run arm {}; run start {"ns":3000000}; set m 0 {"tag":5} flags=1; settle; global runs
// scenario program_update_cancels (1.9) on array, hash:
//   set m 0 {}; run arm {}; run start {"ns":3000000}; run replace {}; settle; global runs; run cancel {}
// scenario close_cancels (1.14, 4.1) on array, hash, lru_hash:
//   set m 0 {}; run arm {}; run start {"ns":3000000}; close m; settle; global runs; run init {"clock":1};
//   run init {"clock":2}; run set_a {}; run start {}; run cancel {}
// scenario program_closed_while_armed (1.7):
//   set m 0 {}; run arm {}; run start {"ns":3000000}; close arm; close start; settle; global runs
// scenario any_program_may_start (1.6):
//   set m 0 {}; run init {"clock":1}; run set_b {}; run start {"ns":1000}; settle; get m 0
// scenario two_in_order_of_expiry (4.3, 5.8):
//   set m 0 {}; set m 1 {}; set m 2 {}; run arm {"key":0}; run arm {"key":1}; run arm {"key":2};
//   run start {"key":0,"ns":9000000}; run start {"key":1,"ns":3000000}; run start {"key":2,"ns":6000000}; settle; global order
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

struct args {
	__u32 key;
	__u32 pad;
	__u64 ns;
	__u64 flags;
	__u64 clock;
};

__u32 runs;
__u32 order[4];
__u32 cpu;

static int a(void *map, int *key, void *value)
{
	__u32 nth = runs;

	((struct elem *)value)->runs++;
	if (nth < 4)
		order[nth] = *key;
	runs++;
	cpu = bpf_get_smp_processor_id();
	return 0;
}

static int b(void *map, int *key, void *value)
{
	((struct elem *)value)->runs_b++;
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

STEP(init, bpf_timer_init(&elem->timer, &m, args->clock))
STEP(set_a, bpf_timer_set_callback(&elem->timer, a))
STEP(set_b, bpf_timer_set_callback(&elem->timer, b))
STEP(start, bpf_timer_start(&elem->timer, args->ns, args->flags))
STEP(start_in, bpf_timer_start(&elem->timer, bpf_ktime_get_ns() + args->ns, BPF_F_TIMER_ABS))
STEP(cancel, bpf_timer_cancel(&elem->timer))
STEP(arm, bpf_timer_init(&elem->timer, &m, CLOCK_MONOTONIC) ?: bpf_timer_set_callback(&elem->timer, a))

SEC("syscall") int replace(struct args *args)
{
	struct elem fresh = {.tag = 77};
	__u32 key = args->key;

	return bpf_map_update_elem(&m, &key, &fresh, 0);
}
