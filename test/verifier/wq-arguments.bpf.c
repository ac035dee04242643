// Arguments of the three kfuncs that Linux refuses, and the words that it does it with (3c).
#include "wq.h"

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct elem);
} other SEC(".maps");

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

#define WQ(pointer) ((struct bpf_wq *)(pointer))

CASE(init_good, bpf_wq_init(&elem->work, &m, 0))

// R1 of each of the three
CASE(init_of_context, bpf_wq_init(ctx, &m, 0))
CASE(init_of_null, bpf_wq_init(NULL, &m, 0))
CASE(init_of_scalar, bpf_wq_init(WQ(bpf_ktime_get_ns()), &m, 0))
CASE(init_of_map, bpf_wq_init(WQ(&m), &m, 0))
CASE(init_of_callback, bpf_wq_init(WQ(cb), &m, 0))
CASE(set_callback_of_context, bpf_wq_set_callback(WQ(ctx), cb, 0))
CASE(set_callback_of_null, bpf_wq_set_callback(NULL, cb, 0))
CASE(start_of_context, bpf_wq_start(ctx, 0))
CASE(start_of_null, bpf_wq_start(NULL, 0))
CASE(start_of_map, bpf_wq_start(WQ(&m), 0))

SEC("syscall") int init_of_stack(void *ctx)
{
	struct bpf_wq work = {};

	return bpf_wq_init(&work, &m, 0);
}

SEC("syscall") int start_of_stack(void *ctx)
{
	struct bpf_wq work = {};

	return bpf_wq_start(&work, 0);
}

SEC("syscall") int init_without_null_test(void *ctx)
{
	return bpf_wq_init(WQ(first_hashed()), &hash, 0);
}

// The offset in the value: constant, and that of the field
CASE(init_one_byte_off, bpf_wq_init(WQ((char *)&elem->work + 1), &m, 0))
CASE(init_at_value, bpf_wq_init(WQ(elem), &m, 0))
CASE(init_before_value, bpf_wq_init(WQ((char *)elem - 8), &m, 0))
CASE(init_after_field, bpf_wq_init(WQ(&elem->after), &m, 0))
CASE(init_beyond_value, bpf_wq_init(WQ(elem + 1), &m, 0))
CASE(start_one_byte_off, bpf_wq_start(WQ((char *)&elem->work + 1), 0))
CASE(set_callback_at_value, bpf_wq_set_callback(WQ(elem), cb, 0))

SEC("syscall") int init_variable_offset(void *ctx)
{
	struct elem *elem = first();
	__u64 offset = bpf_get_prandom_u32() & 8;

	if (!elem)
		return 1;
	barrier_var(offset);
	return bpf_wq_init(WQ((char *)elem + offset), &m, 0);
}

SEC("syscall") int start_variable_offset(void *ctx)
{
	struct elem *elem = first();
	__u64 offset = bpf_get_prandom_u32() & 8;

	if (!elem)
		return 1;
	barrier_var(offset);
	return bpf_wq_start(WQ((char *)elem + offset), 0);
}

SEC("syscall") __naked int start_offset_proved_by_branch(void *ctx)
{
	asm volatile("*(u32 *)(r10 - 4) = 0;"
		     "r2 = r10;"
		     "r2 += -4;"
		     "r1 = %[m] ll;"
		     "call %[bpf_map_lookup_elem];"
		     "if r0 == 0 goto 1f;"
		     "r6 = r0;"
		     "call %[bpf_get_prandom_u32];"
		     "if r0 != 8 goto 1f;"
		     "r6 += r0;"
		     "r1 = r6;"
		     "r2 = 0;"
		     "call bpf_wq_start;"
		     "1: r0 = 0;"
		     "exit;"
		     :
		     : address(m), value(bpf_map_lookup_elem), value(bpf_get_prandom_u32)
		     : clobbers);
}

// R2 of init: the map that the element lies in
CASE(map_is_context, bpf_wq_init(&elem->work, ctx, 0))
CASE(map_is_null, bpf_wq_init(&elem->work, NULL, 0))
CASE(map_is_scalar, bpf_wq_init(&elem->work, (void *)bpf_ktime_get_ns(), 0))
CASE(map_is_value, bpf_wq_init(&elem->work, elem, 0))
CASE(map_is_another, bpf_wq_init(&elem->work, &other, 0))

SEC("syscall") int map_is_stack(void *ctx)
{
	struct elem *elem = first();
	long stack = 0;

	return elem ? bpf_wq_init(&elem->work, &stack, 0) : 1;
}

// 3.12: inner maps are told apart by the lookup that gave them
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
		return bpf_wq_init(&elem->work, map, 0);
	second = bpf_map_lookup_elem(&outer, &index_of_map);
	if (!second)
		return 3;
	return bpf_wq_init(&elem->work, second, 0);
}

SEC("syscall") int inner_map_same_lookup(void *ctx)
{
	return init_inner(0, 0);
}

SEC("syscall") int inner_map_other_lookup(void *ctx)
{
	return init_inner(0, 1);
}

SEC("syscall") int inner_map_against_plain(void *ctx)
{
	__u32 zero = 0;
	void *map = bpf_map_lookup_elem(&outer, &zero);
	struct elem *elem = first();

	if (!map || !elem)
		return 1;
	return bpf_wq_init(&elem->work, map, 0);
}

// R2 of set_callback: a static function with BTF
CASE(callback_is_null, bpf_wq_set_callback_impl(&elem->work, NULL, 0, NULL))
CASE(callback_is_scalar, bpf_wq_set_callback_impl(&elem->work, (void *)bpf_ktime_get_ns(), 0, NULL))
CASE(callback_is_value, bpf_wq_set_callback_impl(&elem->work, (void *)elem, 0, NULL))
CASE(callback_is_map, bpf_wq_set_callback_impl(&elem->work, (void *)&m, 0, NULL))
CASE(callback_is_context, bpf_wq_set_callback_impl(&elem->work, ctx, 0, NULL))
CASE(callback_is_global, bpf_wq_set_callback_impl(&elem->work, (void *)global_cb, 0, NULL))

SEC("syscall") __naked int callback_plus_eight(void *ctx)
{
	asm volatile("*(u32 *)(r10 - 4) = 0;"
		     "r2 = r10;"
		     "r2 += -4;"
		     "r1 = %[m] ll;"
		     "call %[bpf_map_lookup_elem];"
		     "if r0 == 0 goto 1f;"
		     "r1 = r0;"
		     "r1 += 8;"
		     "r2 = %[cb] ll;"
		     "r2 += 8;"
		     "r3 = 0;"
		     "call bpf_wq_set_callback_impl;"
		     "1: r0 = 0;"
		     "exit;"
		     :
		     : address(m), address(cb), value(bpf_map_lookup_elem)
		     : clobbers);
}

// Flags: any scalar will do, nothing else
CASE(init_flags_pointer, bpf_wq_init(&elem->work, &m, (unsigned int)(long)ctx))
CASE(start_flags_unknown, bpf_wq_start(&elem->work, bpf_ktime_get_ns()))

#define NAKED_CALL(name, setup, kfunc)                                                                                 \
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
			     "r1 += 8;" setup "call " kfunc ";"                                                        \
			     "1: r0 = 0;"                                                                              \
			     "exit;"                                                                                   \
			     :                                                                                         \
			     : address(m), address(cb), value(bpf_map_lookup_elem)                                     \
			     : clobbers);                                                                              \
	}

NAKED_CALL(init_flags_is_context, "r2 = %[m] ll; r3 = r6;", "bpf_wq_init")
NAKED_CALL(init_flags_unwritten, "r2 = %[m] ll;", "bpf_wq_init")
NAKED_CALL(start_flags_is_stack, "r2 = r10;", "bpf_wq_start")
NAKED_CALL(start_flags_unwritten, "", "bpf_wq_start")
NAKED_CALL(set_callback_flags_is_map, "r2 = %[cb] ll; r3 = %[m] ll;", "bpf_wq_set_callback_impl")
NAKED_CALL(set_callback_callback_unwritten, "r3 = 0;", "bpf_wq_set_callback_impl")

// 3.4: R4 belongs to the verifier: it may be anything, even unwritten
NAKED_CALL(set_callback_r4_unwritten, "r2 = %[cb] ll; r3 = 0;", "bpf_wq_set_callback_impl")
NAKED_CALL(set_callback_r4_is_stack, "r2 = %[cb] ll; r3 = 0; r4 = r10;", "bpf_wq_set_callback_impl")
NAKED_CALL(set_callback_r4_is_context, "r2 = %[cb] ll; r3 = 0; r4 = r6;", "bpf_wq_set_callback_impl")

// 3.14: what comes back is any 64-bit number
NAKED_CALL(result_is_not_an_int, "r2 = 0; call bpf_wq_start; if r0 s> 0x7fffffff goto 2f; goto 1f; 2: r9 = *(u64 *)(r8 + 0); r2 = 0;",
	   "bpf_wq_start")

// The wq argument unwritten: no separate check
SEC("syscall") __naked int start_of_unwritten(void *ctx)
{
	asm volatile("r1 = r2;"
		     "r2 = 0;"
		     "call bpf_wq_start;"
		     "r0 = 0;"
		     "exit;" ::
			     : clobbers);
}

SEC("syscall") __naked int start_of_clobbered(void *ctx)
{
	asm volatile("call %[bpf_ktime_get_ns];"
		     "r2 = 0;"
		     "call bpf_wq_start;"
		     "r0 = 0;"
		     "exit;"
		     :
		     : value(bpf_ktime_get_ns)
		     : clobbers);
}

// Mentioned, so that the externs have BTF although only assembly calls some of them
SEC("?syscall") int mention(void *ctx)
{
	struct elem *elem = first();

	if (!elem)
		return 1;
	return bpf_wq_init(&elem->work, &m, 0) + bpf_wq_set_callback(&elem->work, cb, 0) + bpf_wq_start(&elem->work, 0);
}
