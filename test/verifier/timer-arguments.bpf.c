// Arguments of the four timer helpers (4a, 4.10): helpers complain in other words than kfuncs.
#include "timer.h"

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct elem);
} other SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64[4]);
} plain SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__uint(key_size, 4);
	__uint(value_size, 32);
} without_btf SEC(".maps");

struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct elem);
} inner_a SEC(".maps"), inner_b SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, __u32);
	__array(values, struct inner);
} outer SEC(".maps") = {.values = {&inner_a, &inner_b}};

static int cb(void *map, int *key, void *value)
{
	return 0;
}

__noinline int global_cb(void *map __arg_nonnull)
{
	return 0;
}

#define CASE(name, call)                                                                                               \
	SEC("syscall") int name(void *ctx)                                                                             \
	{                                                                                                              \
		struct elem *elem = first();                                                                           \
                                                                                                                       \
		return elem ? call : 1;                                                                                \
	}
#define TIMER(pointer) ((struct bpf_timer *)(pointer))

CASE(init_good, bpf_timer_init(&elem->timer, &m, CLOCK_MONOTONIC))
CASE(set_callback_good, bpf_timer_set_callback(&elem->timer, cb))
CASE(start_good, bpf_timer_start(&elem->timer, 1000, 0))
CASE(cancel_good, bpf_timer_cancel(&elem->timer))
CASE(init_flags_unknown, bpf_timer_init(&elem->timer, &m, bpf_ktime_get_ns()))
CASE(start_time_and_flags_unknown, bpf_timer_start(&elem->timer, bpf_ktime_get_ns(), bpf_ktime_get_ns()))

CASE(init_of_context, bpf_timer_init(ctx, &m, 0))
CASE(init_of_null, bpf_timer_init(NULL, &m, 0))
CASE(init_of_scalar, bpf_timer_init(TIMER(bpf_ktime_get_ns()), &m, 0))
CASE(init_of_map, bpf_timer_init(TIMER(&m), &m, 0))
CASE(set_callback_of_context, bpf_timer_set_callback(ctx, cb))
CASE(start_of_context, bpf_timer_start(ctx, 0, 0))
CASE(start_of_null, bpf_timer_start(NULL, 0, 0))
CASE(cancel_of_context, bpf_timer_cancel(ctx))
CASE(cancel_of_map, bpf_timer_cancel(TIMER(&m)))

SEC("syscall") int init_of_stack(void *ctx)
{
	struct bpf_timer timer = {};

	return bpf_timer_init(&timer, &m, 0);
}

SEC("syscall") int cancel_without_null_test(void *ctx)
{
	return bpf_timer_cancel(TIMER(first_hashed()));
}

CASE(init_one_byte_off, bpf_timer_init(TIMER((char *)&elem->timer + 1), &m, 0))
CASE(init_at_value, bpf_timer_init(TIMER(elem), &m, 0))
CASE(init_before_value, bpf_timer_init(TIMER((char *)elem - 8), &m, 0))
CASE(init_beyond_value, bpf_timer_init(TIMER(elem + 1), &m, 0))
CASE(start_at_value, bpf_timer_start(TIMER(elem), 0, 0))
CASE(cancel_at_value, bpf_timer_cancel(TIMER(elem)))

SEC("syscall") int init_variable_offset(void *ctx)
{
	struct elem *elem = first();
	__u64 offset = bpf_get_prandom_u32() & 8;

	if (!elem)
		return 1;
	barrier_var(offset);
	return bpf_timer_init(TIMER((char *)elem + offset), &m, 0);
}

CASE(map_is_context, bpf_timer_init(&elem->timer, ctx, 0))
CASE(map_is_null, bpf_timer_init(&elem->timer, NULL, 0))
CASE(map_is_scalar, bpf_timer_init(&elem->timer, (void *)bpf_ktime_get_ns(), 0))
CASE(map_is_value, bpf_timer_init(&elem->timer, elem, 0))
CASE(map_is_another, bpf_timer_init(&elem->timer, &other, 0))
CASE(map_is_one_without_timer, bpf_timer_init(&elem->timer, &plain, 0))

SEC("syscall") int map_is_stack(void *ctx)
{
	struct elem *elem = first();
	long stack = 0;

	return elem ? bpf_timer_init(&elem->timer, &stack, 0) : 1;
}

static __always_inline int init_inner(__u32 index, __u32 index_of_map)
{
	__u32 zero = 0;
	void *map = bpf_map_lookup_elem(&outer, &index), *second;
	struct elem *elem;

	if (!map)
		return 1;
	elem = bpf_map_lookup_elem(map, &zero);
	if (!elem)
		return 2;
	if (index == index_of_map)
		return bpf_timer_init(&elem->timer, map, 0);
	second = bpf_map_lookup_elem(&outer, &index_of_map);
	if (!second)
		return 3;
	return bpf_timer_init(&elem->timer, second, 0);
}

SEC("syscall") int inner_map_same_lookup(void *ctx)
{
	return init_inner(0, 0);
}

SEC("syscall") int inner_map_other_lookup(void *ctx)
{
	return init_inner(0, 1);
}

CASE(callback_is_null, bpf_timer_set_callback(&elem->timer, NULL))
CASE(callback_is_scalar, bpf_timer_set_callback(&elem->timer, (void *)bpf_ktime_get_ns()))
CASE(callback_is_value, bpf_timer_set_callback(&elem->timer, elem))
CASE(callback_is_map, bpf_timer_set_callback(&elem->timer, &m))
CASE(callback_is_context, bpf_timer_set_callback(&elem->timer, ctx))
CASE(callback_is_global, bpf_timer_set_callback(&elem->timer, global_cb))
CASE(start_time_is_pointer, bpf_timer_start(&elem->timer, (__u64)ctx, 0))

SEC("syscall") int timer_in_plain_map(void *ctx)
{
	__u32 key = 0;
	__u64 *value = bpf_map_lookup_elem(&plain, &key);

	return value ? bpf_timer_cancel(TIMER(value)) : 1;
}

SEC("syscall") int timer_in_map_without_btf(void *ctx)
{
	__u32 key = 0;
	__u64 *value = bpf_map_lookup_elem(&without_btf, &key);

	return value ? bpf_timer_cancel(TIMER(value)) : 1;
}

#define NAKED_CALL(name, setup, helper)                                                                                \
	SEC("syscall") __naked int name(void *ctx)                                                                     \
	{                                                                                                              \
		asm volatile("r6 = r1;"                                                                                \
			     "*(u32 *)(r10 - 4) = 0;"                                                                  \
			     "r2 = r10;"                                                                               \
			     "r2 += -4;"                                                                               \
			     "r1 = %[m] ll;"                                                                           \
			     "call %[bpf_map_lookup_elem];"                                                            \
			     "if r0 == 0 goto 1f;"                                                                     \
			     "r1 = r0;"                                                                                \
			     "r1 += 8;" setup "call %[" #helper "];"                                                   \
			     "1: r0 = 0;"                                                                              \
			     "exit;"                                                                                   \
			     :                                                                                         \
			     : address(m), address(cb), value(bpf_map_lookup_elem), value(helper)                      \
			     : clobbers);                                                                              \
	}

NAKED_CALL(start_flags_unwritten, "r2 = 0;", bpf_timer_start)
NAKED_CALL(start_flags_is_context, "r2 = 0; r3 = r6;", bpf_timer_start)
NAKED_CALL(init_flags_unwritten, "r2 = %[m] ll;", bpf_timer_init)
NAKED_CALL(set_callback_third_register_unwritten, "r2 = %[cb] ll;", bpf_timer_set_callback)
NAKED_CALL(set_callback_unwritten, "", bpf_timer_set_callback)
