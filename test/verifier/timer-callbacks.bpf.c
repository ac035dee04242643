// The timer's callback (4.4): like a workqueue's, but it may never sleep, and its map must not be one of a tracing program.
#include "timer.h"

char LICENSE[] SEC("license") = "GPL";

struct both {
	struct bpf_timer timer;
	struct bpf_wq work; /* at 16 */
	struct bpf_spin_lock lock;
	__u32 count;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct both);
} pair SEC(".maps");

__u64 sink;

#define SETS(name, callback)                                                                                           \
	SEC("syscall") int name(void *ctx)                                                                             \
	{                                                                                                              \
		struct elem *elem = first();                                                                           \
                                                                                                                       \
		return elem ? bpf_timer_set_callback(&elem->timer, callback) : 1;                                      \
	}

static int plain(void *map, int *key, void *value) { return 0; }
static int returns_one(void *map, int *key, void *value) { return 1; }
static int returns_unknown(void *map, int *key, void *value) { return bpf_get_prandom_u32(); }
static void *returns_value(void *map, int *key, void *value) { return value; }
static void returns_nothing(void *map, int *key, void *value) { barrier(); }
SETS(returns_zero, plain)
SETS(callback_returns_one, returns_one)
SETS(callback_returns_unknown, returns_unknown)
SETS(callback_returns_value, returns_value)
SETS(callback_returns_nothing, returns_nothing)

static int rearms(void *map, int *key, void *value) { bpf_timer_start(&((struct elem *)value)->timer, 1000, 0); return 0; }
static int cancels_itself(void *map, int *key, void *value) { bpf_timer_cancel(&((struct elem *)value)->timer); return 0; }
static int sets_itself(void *map, int *key, void *value) { bpf_timer_set_callback(&((struct elem *)value)->timer, sets_itself); return 0; }
static int pong(void *map, int *key, void *value);
static int ping(void *map, int *key, void *value) { bpf_timer_set_callback(&((struct elem *)value)->timer, pong); return 0; }
static int pong(void *map, int *key, void *value) { bpf_timer_set_callback(&((struct elem *)value)->timer, ping); return 0; }
static int writes_key(void *map, int *key, void *value) { *key = 0; return 0; }
static int reads_timer(void *map, int *key, void *value) { sink = ((__u64 *)value)[1]; return 0; }
static int writes_value(void *map, int *key, void *value) { ((struct elem *)value)->after++; return 0; }
static int inits_with_its_map(void *map, int *key, void *value) { bpf_timer_init(&((struct elem *)value)->timer, map, 1); return 0; }
static int deletes_its_element(void *map, int *key, void *value) { bpf_map_delete_elem(map, key); return 0; }
SETS(callback_rearms, rearms)
SETS(callback_cancels_itself, cancels_itself)
SETS(callback_sets_itself, sets_itself)
SETS(callback_ping_pong, ping)
SETS(callback_writes_key, writes_key)
SETS(callback_reads_timer, reads_timer)
SETS(callback_writes_value, writes_value)
SETS(callback_inits_with_its_map, inits_with_its_map)
SETS(callback_deletes_its_element, deletes_its_element)

// 3.19: never sleepable, even in a sleepable program
static int sleeps(void *map, int *key, void *value)
{
	__u64 copy = 0;

	bpf_copy_from_user(&copy, sizeof(copy), NULL);
	return 0;
}
SETS(callback_sleeps_in_syscall, sleeps)
SEC("tc") int callback_sleeps_in_tc(struct __sk_buff *skb)
{
	struct elem *elem = first();

	if (elem)
		bpf_timer_set_callback(&elem->timer, sleeps);
	return 0;
}

// A timer that starts work which may sleep
static int works(void *map, int *key, void *value)
{
	__u64 copy = 0;

	bpf_copy_from_user(&copy, sizeof(copy), NULL);
	((struct both *)value)->count++;
	return 0;
}
static int starts_work(void *map, int *key, void *value)
{
	bpf_wq_start(&((struct both *)value)->work, 0);
	return 0;
}
static int sets_work(void *map, int *key, void *value)
{
	bpf_wq_set_callback(&((struct both *)value)->work, works, 0);
	return 0;
}
static __always_inline struct both *first_pair(void)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&pair, &key);
}
#define PAIR(name, statement)                                                                                          \
	SEC("tc") int name(struct __sk_buff *skb)                                                                      \
	{                                                                                                              \
		struct both *both = first_pair();                                                                      \
                                                                                                                       \
		if (!both)                                                                                             \
			return 0;                                                                                      \
		statement;                                                                                             \
		return 0;                                                                                              \
	}
PAIR(timer_starts_work, bpf_timer_set_callback(&both->timer, starts_work))
PAIR(timer_sets_sleeping_work, bpf_timer_set_callback(&both->timer, sets_work))
PAIR(one_function_for_both, bpf_timer_set_callback(&both->timer, plain); bpf_wq_set_callback(&both->work, plain, 0))
PAIR(sleeper_for_both, bpf_wq_set_callback(&both->work, works, 0); bpf_timer_set_callback(&both->timer, works))
PAIR(start_under_lock, bpf_spin_lock(&both->lock); bpf_timer_start(&both->timer, 0, 0); bpf_spin_unlock(&both->lock))
PAIR(cancel_under_lock, bpf_spin_lock(&both->lock); bpf_timer_cancel(&both->timer); bpf_spin_unlock(&both->lock))
PAIR(timer_at_offset_of_work, bpf_timer_cancel((struct bpf_timer *)&both->work))
PAIR(work_at_offset_of_timer, bpf_wq_start((struct bpf_wq *)&both->timer, 0))

#define IN(section, name, context)                                                                                     \
	SEC(section) int name(context)                                                                                 \
	{                                                                                                              \
		struct elem *elem = first();                                                                           \
                                                                                                                       \
		if (elem)                                                                                              \
			bpf_timer_start(&elem->timer, 0, 0);                                                           \
		return 0;                                                                                              \
	}
IN("xdp", type_xdp, struct xdp_md *xdp)
IN("tc", type_tc, struct __sk_buff *skb)
IN("socket", type_socket, struct __sk_buff *skb)
IN("cgroup/skb", type_cgroup_skb, struct __sk_buff *skb)
// 3.10
IN("kprobe", type_kprobe, void *ctx)
IN("tracepoint", type_tracepoint, void *ctx)
IN("raw_tracepoint", type_raw_tracepoint, void *ctx)
IN("perf_event", type_perf_event, void *ctx)
