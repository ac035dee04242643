// Calls and stack (3.27 to 3.32), externs that the kernel lacks (3.6), malformed calls (3.7).
#include "wq.h"

char LICENSE[] SEC("license") = "GPL";

__u64 sink;

#define SETS(name, callback)                                                                                           \
	SEC("syscall") int name(void *ctx)                                                                             \
	{                                                                                                              \
		struct elem *elem = first();                                                                           \
                                                                                                                       \
		return elem ? bpf_wq_set_callback(&elem->work, callback, 0) : 1;                                       \
	}

#define FILL(size)                                                                                                     \
	char stack[size];                                                                                              \
	stack[0] = 1;                                                                                                  \
	asm volatile("" ::"r"(stack) : "memory");                                                                      \
	sink = stack[size - 1]

// 3.27: every callback has 512 bytes of its own
static int needs_496(void *map, int *key, void *value) { FILL(496); return 0; }
static int needs_504(void *map, int *key, void *value) { FILL(504); return 0; }
static __noinline int inner_304(void) { FILL(304); return 0; }
static int needs_304_and_304(void *map, int *key, void *value) { FILL(304); return inner_304() & 0; }
static __noinline int inner_192(void) { FILL(192); return 0; }
static int needs_304_and_192(void *map, int *key, void *value) { FILL(304); return inner_192() & 0; }
SETS(callback_uses_496_bytes, needs_496)
SETS(callback_uses_504_bytes, needs_504)
SETS(callback_chain_uses_608_bytes, needs_304_and_304)
SETS(callback_chain_uses_496_bytes, needs_304_and_192)

SEC("syscall") int main_400_and_callback_496(void *ctx)
{
	struct elem *elem = first();

	FILL(400);
	return elem ? bpf_wq_set_callback(&elem->work, needs_496, 0) : 1;
}

static __noinline int needs_400(void *map, int *key, void *value) { FILL(400); return 0; }
SEC("syscall") int callback_called_directly_adds_up(void *ctx)
{
	struct elem *elem = first();
	int key = 0;

	FILL(400);
	if (!elem)
		return 1;
	bpf_wq_set_callback(&elem->work, needs_400, 0);
	return needs_400(&m, &key, elem);
}

// 3.28: eight frames, the callback's included
#define LEVEL(n, next)                                                                                                 \
	static __noinline int level##n(void)                                                                           \
	{                                                                                                              \
		sink += next();                                                                                        \
		return 0;                                                                                              \
	}
static __noinline int level1(void) { sink++; return 0; }
LEVEL(2, level1)
LEVEL(3, level2)
LEVEL(4, level3)
LEVEL(5, level4)
LEVEL(6, level5)
LEVEL(7, level6)
LEVEL(8, level7)
static int eight_frames(void *map, int *key, void *value) { sink += level7(); return 0; }
static int nine_frames(void *map, int *key, void *value) { sink += level8(); return 0; }
SETS(callback_of_eight_frames, eight_frames)
SETS(callback_of_nine_frames, nine_frames)

SEC("syscall") int main_of_eight_frames_sets_callback_of_eight(void *ctx)
{
	struct elem *elem = first();

	if (!elem)
		return 1;
	bpf_wq_set_callback(&elem->work, eight_frames, 0);
	return level7();
}

// 3.28: loops
static int endless(void *map, int *key, void *value)
{
	asm volatile("r1 = 0; 1: if r1 == 0 goto 1b" ::: clobbers);
	return 0;
}
static int bounded(void *map, int *key, void *value)
{
	for (int i = 0; i < 20; i++)
		sink += bpf_get_prandom_u32();
	return 0;
}
SETS(callback_loops_for_ever, endless)
SETS(callback_loops_twenty_times, bounded)

// set_callback in a subprogram: the callback is still found
static int plain(void *map, int *key, void *value) { return 0; }
static __noinline int binds(struct elem *elem)
{
	return elem ? bpf_wq_set_callback(&elem->work, plain, 0) : 1;
}
SEC("syscall") int set_callback_in_subprogram(void *ctx)
{
	return binds(first());
}

// The callback handed over as an argument
static __noinline int binds_any(struct elem *elem, int (*callback)(void *map, int *key, void *value))
{
	return elem ? bpf_wq_set_callback_impl(&elem->work, callback, 0, NULL) : 1;
}
SEC("syscall") int callback_as_argument(void *ctx)
{
	return binds_any(first(), plain);
}

// 3.31: spilled and filled
SEC("syscall") __naked int callback_spilled(void *ctx)
{
	asm volatile("r1 = %[plain] ll;"
		     "*(u64 *)(r10 - 16) = r1;"
		     "*(u32 *)(r10 - 4) = 0;"
		     "r2 = r10;"
		     "r2 += -4;"
		     "r1 = %[m] ll;"
		     "call %[bpf_map_lookup_elem];"
		     "if r0 == 0 goto 1f;"
		     "r1 = r0;"
		     "r1 += 8;"
		     "r2 = *(u64 *)(r10 - 16);"
		     "r3 = 0;"
		     "call bpf_wq_set_callback_impl;"
		     "1: r0 = 0;"
		     "exit;"
		     :
		     : address(m), address(plain), value(bpf_map_lookup_elem)
		     : clobbers);
}

SEC("syscall") __naked int callback_is_returned(void *ctx)
{
	asm volatile("r0 = %[plain] ll;"
		     "exit;"
		     :
		     : address(plain)
		     : clobbers);
}

SEC("syscall") __naked int callback_is_read_through(void *ctx)
{
	asm volatile("r1 = %[plain] ll;"
		     "r0 = *(u64 *)(r1 + 0);"
		     "exit;"
		     :
		     : address(plain)
		     : clobbers);
}

SEC("syscall") __naked int callback_plus_zero(void *ctx)
{
	asm volatile("r1 = %[plain] ll;"
		     "r1 += 0;"
		     "r0 = 0;"
		     "exit;"
		     :
		     : address(plain)
		     : clobbers);
}

// 3.32: inside other callbacks
static long each(void *map, __u32 *key, struct elem *elem, void *ctx)
{
	bpf_wq_init(&elem->work, map, 0);
	bpf_wq_set_callback(&elem->work, plain, 0);
	bpf_wq_start(&elem->work, 0);
	return 0;
}
SEC("syscall") int within_for_each(void *ctx)
{
	return bpf_for_each_map_elem(&m, each, NULL, 0);
}
static long turn(__u64 index, void *ctx)
{
	__u32 key = index;
	struct elem *elem = bpf_map_lookup_elem(&m, &key);

	if (elem)
		bpf_wq_start(&elem->work, 0);
	return 0;
}
SEC("syscall") int within_loop(void *ctx)
{
	return bpf_loop(4, turn, NULL, 0);
}

// Two different callbacks on two paths, both explored
static int first_bad(void *map, int *key, void *value) { return 1; }
SEC("syscall") int second_path_has_bad_callback(void *ctx)
{
	struct elem *elem = first();

	if (!elem)
		return 1;
	if (elem->before > 100)
		return bpf_wq_set_callback(&elem->work, first_bad, 0);
	return bpf_wq_set_callback(&elem->work, plain, 0);
}

SEC("syscall") int bad_callback_never_set(void *ctx)
{
	struct elem *elem = first();

	if (!elem)
		return 1;
	sink = (__u64)first_bad;
	return bpf_wq_set_callback(&elem->work, plain, 0);
}

// 3.30: one path may set many callbacks, and every one is explored
SEC("syscall") int sets_a_hundred_times(void *ctx)
{
	struct elem *elem = first();

	if (!elem)
		return 1;
	for (int i = 0; i < 100; i++)
		bpf_wq_set_callback(&elem->work, plain, 0);
	return 0;
}

// 3.6: kfuncs that no kernel has
extern int workerbee_no_such_kfunc(struct bpf_wq *wq) __weak __ksym;
SEC("syscall") int weak_kfunc_reached(void *ctx)
{
	struct elem *elem = first();

	return elem ? workerbee_no_such_kfunc(&elem->work) : 1;
}
SEC("syscall") int weak_kfunc_guarded(void *ctx)
{
	struct elem *elem = first();

	if (elem && bpf_ksym_exists(workerbee_no_such_kfunc))
		return workerbee_no_such_kfunc(&elem->work);
	return 0;
}
SEC("syscall") int kfunc_that_exists_guarded(void *ctx)
{
	struct elem *elem = first();

	if (elem && bpf_ksym_exists(bpf_wq_start))
		return bpf_wq_start(&elem->work, 0);
	return 0;
}

// 3.7: calls that no compiler makes
#define RAW_CALL(name, bytes)                                                                                          \
	SEC("syscall") __naked int name(void *ctx)                                                                     \
	{                                                                                                              \
		asm volatile(".byte " bytes ";"                                                                        \
			     "r0 = 0;"                                                                                 \
			     "exit;" ::                                                                                \
				     : clobbers);                                                                      \
	}

RAW_CALL(kfunc_zero, "0x85, 0x20, 0, 0, 0, 0, 0, 0")
RAW_CALL(kfunc_with_offset, "0x85, 0x20, 1, 0, 1, 0, 0, 0")
RAW_CALL(kfunc_of_type_one, "0x85, 0x20, 0, 0, 1, 0, 0, 0")
RAW_CALL(kfunc_negative, "0x85, 0x20, 0, 0, 0xff, 0xff, 0xff, 0xff")
RAW_CALL(helper_with_destination, "0x85, 0x01, 0, 0, 5, 0, 0, 0")
RAW_CALL(helper_with_offset, "0x85, 0x00, 1, 0, 5, 0, 0, 0")
RAW_CALL(helper_zero, "0x85, 0x00, 0, 0, 0, 0, 0, 0")
RAW_CALL(helper_too_large, "0x85, 0x00, 0, 0, 0xe8, 0x03, 0, 0")
RAW_CALL(call_of_unknown_kind, "0x85, 0x30, 0, 0, 5, 0, 0, 0")

SEC("syscall") __naked int kfunc_zero_in_dead_code(void *ctx)
{
	asm volatile("r0 = 0;"
		     "if r0 == 0 goto 1f;"
		     ".byte 0x85, 0x20, 0, 0, 0, 0, 0, 0;"
		     "1: r0 = 0;"
		     "exit;" ::
			     : clobbers);
}

// A function of the kernel that is no kfunc
extern int bpf_check(void *prog, void *attr, void *uattr, __u32 size) __ksym;
SEC("syscall") int function_that_is_no_kfunc(void *ctx)
{
	return bpf_check(NULL, NULL, NULL, 0);
}
