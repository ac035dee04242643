// The callback as a verification root of its own (3d): what it is given, what it may do, what it must return.
#include "wq.h"

char LICENSE[] SEC("license") = "GPL";

__u64 sink;

#define SETS(name, callback)                                                                                           \
	SEC("syscall") int name(void *ctx)                                                                             \
	{                                                                                                              \
		struct elem *elem = first();                                                                           \
                                                                                                                       \
		return elem ? bpf_wq_set_callback_impl(&elem->work, (void *)callback, 0, NULL) : 1;                    \
	}

// 3.16: the prototype is not looked at
static int no_arguments(void) { return 0; }
static int other_types(struct __sk_buff *skb, char *text, long *number) { return 0; }
static long long_result(void *map, int *key, void *value) { return 0; }
static int five_arguments(void *a, int *b, void *c, void *d, void *e) { return 0; }
static int reads_fourth(void *a, int *b, void *c, __u64 d) { sink = d; return 0; }
SETS(callback_without_arguments, no_arguments)
SETS(callback_of_other_types, other_types)
SETS(callback_returning_long, long_result)
SETS(callback_of_five_arguments, five_arguments)
SETS(callback_reads_unset_argument, reads_fourth)

// 3.17: the result is exactly 0
static int returns_one(void *map, int *key, void *value) { return 1; }
static int returns_minus_one(void *map, int *key, void *value) { return -1; }
static int returns_unknown(void *map, int *key, void *value) { return bpf_get_prandom_u32(); }
static int returns_bit(void *map, int *key, void *value) { return bpf_get_prandom_u32() & 1; }
static void *returns_value(void *map, int *key, void *value) { return value; }
static void *returns_map(void *map, int *key, void *value) { return map; }
static int *returns_key(void *map, int *key, void *value) { return key; }
static int returns_zero_or_one(void *map, int *key, void *value)
{
	struct elem *elem = value;

	if (elem->before == 7)
		return 1;
	return 0;
}
static int returns_proven_zero(void *map, int *key, void *value)
{
	__u64 number = bpf_ktime_get_ns();

	barrier_var(number);
	return number == 0 ? (int)number : 0;
}
static void returns_nothing(void *map, int *key, void *value) { barrier(); }
static long returns_zero_in_low_half(void *map, int *key, void *value) { return 1L << 32; }
SETS(callback_returns_one, returns_one)
SETS(callback_returns_minus_one, returns_minus_one)
SETS(callback_returns_unknown, returns_unknown)
SETS(callback_returns_bit, returns_bit)
SETS(callback_returns_value, returns_value)
SETS(callback_returns_map, returns_map)
SETS(callback_returns_key, returns_key)
SETS(callback_returns_zero_or_one, returns_zero_or_one)
SETS(callback_returns_proven_zero, returns_proven_zero)
SETS(callback_returns_nothing, returns_nothing)
SETS(callback_returns_zero_in_low_half, returns_zero_in_low_half)

// A function that is called as well may return anything there, but is still checked as a callback
static __noinline int called_too(void *map, int *key, void *value) { return bpf_get_prandom_u32(); }
SEC("syscall") int callback_called_directly_too(void *ctx)
{
	struct elem *elem = first();
	int key = 0;

	if (!elem)
		return 1;
	bpf_wq_set_callback(&elem->work, called_too, 0);
	return called_too(&m, &key, elem);
}

// 3.15: a fresh frame: nothing of the caller's is there
static __attribute__((naked, used)) int reads_r6(void *map, int *key, void *value)
{
	asm volatile("r0 = r6; r0 = 0; exit;" ::: clobbers);
}
static __attribute__((naked, used)) int reads_r4(void *map, int *key, void *value)
{
	asm volatile("r0 = r4; r0 = 0; exit;" ::: clobbers);
}
static __attribute__((naked, used)) int reads_r0(void *map, int *key, void *value)
{
	asm volatile("r1 = r0; r0 = 0; exit;" ::: clobbers);
}
static __attribute__((naked, used)) int writes_r10(void *map, int *key, void *value)
{
	asm volatile("r10 = 0; r0 = 0; exit;" ::: clobbers);
}
static __attribute__((naked, used)) int reads_stack(void *map, int *key, void *value)
{
	asm volatile("r1 = *(u64 *)(r10 - 8); r0 = 0; exit;" ::: clobbers);
}
static __attribute__((naked, used)) int over_stack(void *map, int *key, void *value)
{
	asm volatile("*(u64 *)(r10 - 520) = 0; r0 = 0; exit;" ::: clobbers);
}
static __attribute__((naked, used)) int above_stack(void *map, int *key, void *value)
{
	asm volatile("*(u64 *)(r10 + 8) = 0; r0 = 0; exit;" ::: clobbers);
}
static __attribute__((naked, used)) int returns_frame(void *map, int *key, void *value)
{
	asm volatile("r0 = r10; exit;" ::: clobbers);
}
SETS(callback_reads_saved_register, reads_r6)
SETS(callback_reads_fourth_register, reads_r4)
SETS(callback_reads_result_register, reads_r0)
SETS(callback_writes_frame_pointer, writes_r10)
SETS(callback_reads_unwritten_stack, reads_stack)
SETS(callback_beyond_stack, over_stack)
SETS(callback_above_frame, above_stack)
SETS(callback_returns_frame, returns_frame)

// 1.13, 3.18: the key is read-only and as long as keys are
static int reads_key(void *map, int *key, void *value) { sink = *key; return 0; }
static int writes_key(void *map, int *key, void *value) { *key = 1; return 0; }
static int reads_beyond_key(void *map, int *key, void *value) { sink = *(__u64 *)key; return 0; }
static int reads_before_key(void *map, int *key, void *value) { sink = key[-1]; return 0; }
static int reads_key_variable(void *map, int *key, void *value) { sink = ((char *)key)[bpf_get_prandom_u32() & 3]; return 0; }
static int reads_key_variable_beyond(void *map, int *key, void *value) { sink = ((char *)key)[bpf_get_prandom_u32() & 7]; return 0; }
static int looks_up_by_key(void *map, int *key, void *value) { sink = (__u64)bpf_map_lookup_elem(&m, key); return 0; }
SETS(callback_reads_key, reads_key)
SETS(callback_writes_key, writes_key)
SETS(callback_reads_beyond_key, reads_beyond_key)
SETS(callback_reads_before_key, reads_before_key)
SETS(callback_reads_key_at_variable_offset, reads_key_variable)
SETS(callback_reads_key_beyond_at_variable_offset, reads_key_variable_beyond)
SETS(callback_looks_up_by_key, looks_up_by_key)

SEC("syscall") int callback_reads_long_key(void *ctx)
{
	struct elem *elem = first_hashed();

	return elem ? bpf_wq_set_callback_impl(&elem->work, (void *)reads_beyond_key, 0, NULL) : 1;
}

// The value: never NULL, as long as values are, the workqueue inside out of bounds
static int writes_value(void *map, int *key, void *value) { ((struct elem *)value)->before++; ((struct elem *)value)->after++; return 0; }
static int reads_beyond_value(void *map, int *key, void *value) { sink = ((__u64 *)value)[4]; return 0; }
static int reads_before_value(void *map, int *key, void *value) { sink = ((__u64 *)value)[-1]; return 0; }
static int reads_wq(void *map, int *key, void *value) { sink = ((__u64 *)value)[1]; return 0; }
static int writes_wq(void *map, int *key, void *value) { ((__u64 *)value)[2] = 0; return 0; }
SETS(callback_writes_value, writes_value)
SETS(callback_reads_beyond_value, reads_beyond_value)
SETS(callback_reads_before_value, reads_before_value)
SETS(callback_reads_workqueue, reads_wq)
SETS(callback_writes_workqueue, writes_wq)

// 1.13, 3.12: the map is a map: usable as such, and the same one for init
static int inits_own(void *map, int *key, void *value) { bpf_wq_init(&((struct elem *)value)->work, map, 0); return 0; }
static int inits_named(void *map, int *key, void *value) { bpf_wq_init(&((struct elem *)value)->work, &m, 0); return 0; }
static int inits_other(void *map, int *key, void *value) { bpf_wq_init(&((struct elem *)value)->work, &hash, 0); return 0; }
static int deletes_own(void *map, int *key, void *value) { bpf_map_delete_elem(map, key); return 0; }
static int updates_own(void *map, int *key, void *value) { __u64 fresh[4] = {}; bpf_map_update_elem(map, key, fresh, 0); return 0; }
static int reads_map(void *map, int *key, void *value) { sink = *(__u32 *)map; return 0; }
static int writes_map(void *map, int *key, void *value) { *(__u64 *)map = 0; return 0; }
static int looks_up_and_reads(void *map, int *key, void *value)
{
	__u32 other = 1;
	struct elem *elem = bpf_map_lookup_elem(map, &other);

	if (elem)
		sink = elem->before;
	return 0;
}
SETS(callback_inits_with_its_map, inits_own)
SETS(callback_inits_with_named_map, inits_named)
SETS(callback_inits_with_other_map, inits_other)
SETS(callback_deletes_its_element, deletes_own)
SETS(callback_updates_its_element, updates_own)
SETS(callback_reads_map_structure, reads_map)
SETS(callback_writes_map_structure, writes_map)
SETS(callback_looks_up_another, looks_up_and_reads)

// 1.12: starting itself, another callback
static int starts_itself(void *map, int *key, void *value) { bpf_wq_start(&((struct elem *)value)->work, 0); return 0; }
static int sets_itself(void *map, int *key, void *value) { bpf_wq_set_callback(&((struct elem *)value)->work, sets_itself, 0); return 0; }
static int pong(void *map, int *key, void *value);
static int ping(void *map, int *key, void *value) { bpf_wq_set_callback(&((struct elem *)value)->work, pong, 0); return 0; }
static int pong(void *map, int *key, void *value) { bpf_wq_set_callback(&((struct elem *)value)->work, ping, 0); return 0; }
static int wrong_in_second(void *map, int *key, void *value) { return 3; }
static int sets_wrong(void *map, int *key, void *value) { bpf_wq_set_callback(&((struct elem *)value)->work, wrong_in_second, 0); return 0; }
SETS(callback_starts_itself, starts_itself)
SETS(callback_sets_itself, sets_itself)
SETS(callback_ping_pong, ping)
SETS(callback_sets_bad_callback, sets_wrong)

// 3.17: nothing of the context is there
static int reads_context(struct __sk_buff *skb) { sink = skb->len; return 0; }
SEC("tc") int callback_takes_context(struct __sk_buff *skb)
{
	struct elem *elem = first();

	return elem ? bpf_wq_set_callback_impl(&elem->work, (void *)reads_context, 0, NULL) : 1;
}

// 3.31: two callbacks, chosen when it runs
static int left(void *map, int *key, void *value) { return 0; }
static int right_bad(void *map, int *key, void *value) { return 5; }
SEC("syscall") int callback_chosen_at_run_time(void *ctx)
{
	struct elem *elem = first();
	void *callback = bpf_get_prandom_u32() & 1 ? (void *)left : (void *)writes_value;

	return elem ? bpf_wq_set_callback_impl(&elem->work, callback, 0, NULL) : 1;
}
SEC("syscall") int callback_chosen_one_is_bad(void *ctx)
{
	struct elem *elem = first();
	void *callback = bpf_get_prandom_u32() & 1 ? (void *)left : (void *)right_bad;

	return elem ? bpf_wq_set_callback_impl(&elem->work, callback, 0, NULL) : 1;
}
SEC("syscall") int bad_callback_in_dead_branch(void *ctx)
{
	struct elem *elem = first();
	__u64 zero = 0;

	if (!elem)
		return 1;
	if (elem->before & 1 && !(elem->before & 1))
		zero = 1;
	return bpf_wq_set_callback_impl(&elem->work, zero ? (void *)right_bad : (void *)left, 0, NULL);
}
