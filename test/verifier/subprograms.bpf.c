// Calls between functions of a program: arguments, results, frames, and functions verified on their own.
#include "core.h"

char LICENSE[] SEC("license") = "GPL";

__u64 seen;

static __noinline __u64 twice(__u64 a)
{
	barrier_var(a);
	return a * 2;
}

static __noinline __u64 five(__u64 a, __u64 b, __u64 c, __u64 d, __u64 e)
{
	seen = a + b + c + d + e;
	barrier();
	return seen;
}

static __noinline __u64 load(const __u64 *p)
{
	return *p;
}

static __noinline void store(__u64 *p, __u64 v)
{
	*p = v;
}

static __noinline struct value *find(__u64 key)
{
	return bpf_map_lookup_elem(&hash, &key);
}

SEC("tc") int result_of_a_call(struct __sk_buff *skb)
{
	return twice(skb->len) & 1;
}

SEC("tc") int five_arguments(struct __sk_buff *skb)
{
	return five(1, skb->len, 3, skb->mark, 5) & 1;
}

SEC("tc") int callee_reads_the_callers_stack(struct __sk_buff *skb)
{
	__u64 local = skb->len;

	return load(&local) & 1;
}

SEC("tc") int callee_writes_the_callers_stack(struct __sk_buff *skb)
{
	__u64 local = 0;

	store(&local, skb->len);
	return local & 1;
}

SEC("tc") int callee_returns_value_or_null(struct __sk_buff *skb)
{
	struct value *v = find(skb->mark);

	return v ? v->a & 1 : 0;
}

SEC("tc") int callee_returns_value_or_null_unchecked(struct __sk_buff *skb)
{
	return find(skb->mark)->a & 1;
}

SEC("tc") int callee_given_null(struct __sk_buff *skb)
{
	__u64 *p = 0;

	barrier_var(p);
	return load(p) & 1;
}

SEC("tc") int callee_given_value(struct __sk_buff *skb)
{
	struct value *v = find(0);

	return v ? load(&v->b) & 1 : 0;
}

static __noinline __u64 *own_stack(void)
{
	__u64 local = 5;
	__u64 *p = &local;

	barrier_var(p);
	*p = 7;
	return p;
}

SEC("tc") int callee_returns_its_stack(struct __sk_buff *skb)
{
	return *own_stack() & 1;
}

/* Frames in assembly: each of them is entered with R1 to R5 only. */
static __naked __noinline __attribute__((used)) void reads_r6(void)
{
	asm volatile("r0 = r6; exit;");
}

static __naked __noinline __attribute__((used)) void writes_r6(void)
{
	asm volatile("r6 = 0; r0 = 0; exit;");
}

static __naked __noinline __attribute__((used)) void leaves_r0(void)
{
	asm volatile("exit;");
}

ASM("socket", callers_r6_is_hidden, "r6 = 1; call reads_r6; exit;", "i"(0))
ASM("socket", callers_r6_is_kept, "r6 = 1; call writes_r6; r0 = r6; exit;", "i"(0))
ASM("socket", result_never_set, "call leaves_r0; exit;", "i"(0))
ASM("socket", result_never_set_nor_read, "call leaves_r0; r0 = 0; exit;", "i"(0))
ASM("socket", arguments_are_gone, "r1 = 1; call writes_r6; r0 = r1; exit;", "i"(0))

static __naked __noinline __attribute__((used)) void itself(void)
{
	asm volatile("call itself; exit;");
}

ASM("socket", recursion, "call itself; r0 = 0; exit;", "i"(0))

#define LEVEL(n, next)                                                                                                 \
	static __noinline __u64 level##n(__u64 a)                                                                      \
	{                                                                                                              \
		a = next;                                                                                              \
		barrier_var(a);                                                                                        \
		return a + n;                                                                                          \
	}
LEVEL(8, a)
LEVEL(7, level8(a))
LEVEL(6, level7(a))
LEVEL(5, level6(a))
LEVEL(4, level5(a))
LEVEL(3, level4(a))
LEVEL(2, level3(a))
LEVEL(1, level2(a))

SEC("tc") int eight_frames(struct __sk_buff *skb)
{
	return level2(skb->len) & 1;
}

SEC("tc") int nine_frames(struct __sk_buff *skb)
{
	return level1(skb->len) & 1;
}

static __noinline __u64 large_frame(__u64 a)
{
	__u64 buffer[40], *all = buffer;

	barrier_var(all);
	all[0] = a;
	return all[0];
}

SEC("tc") int two_frames_fit(struct __sk_buff *skb)
{
	__u64 buffer[16], *all = buffer;

	barrier_var(all);
	all[0] = large_frame(skb->len);
	return all[0] & 1;
}

SEC("tc") int two_frames_too_large(struct __sk_buff *skb)
{
	__u64 buffer[32], *all = buffer;

	barrier_var(all);
	all[0] = large_frame(skb->len);
	return all[0] & 1;
}

/* Global functions: verified once, for any argument. */
__noinline __u64 global_sum(__u64 a, __u64 b)
{
	barrier_var(a);
	return a + b;
}

__noinline int global_of_context(struct __sk_buff *skb)
{
	return skb->len & 1;
}

__noinline __u64 global_of_pointer(__u64 *p)
{
	return p ? *p : 0;
}

__noinline __u64 global_of_pointer_unchecked(__u64 *p)
{
	return *p;
}

SEC("tc") int calls_global(struct __sk_buff *skb)
{
	return global_sum(skb->len, 1) & 1;
}

SEC("tc") int calls_global_with_context(struct __sk_buff *skb)
{
	return global_of_context(skb);
}

SEC("tc") int calls_global_with_pointer(struct __sk_buff *skb)
{
	__u64 local = 3;

	return global_of_pointer(&local) & 1;
}

SEC("tc") int calls_global_with_too_little_memory(struct __sk_buff *skb)
{
	__u32 local = 3;

	return global_of_pointer((void *)&local) & 1;
}

SEC("tc") int global_must_check_for_null(struct __sk_buff *skb)
{
	__u64 local = 3;

	return global_of_pointer_unchecked(&local) & 1;
}

SEC("tc") int result_of_global_is_unknown(struct __sk_buff *skb)
{
	struct value *v = find(0);

	return v ? v->bytes[global_sum(1, 2)] : 0;
}

SEC("tc") int result_of_static_is_known(struct __sk_buff *skb)
{
	struct value *v = find(0);

	return v ? v->bytes[twice(3)] : 0;
}
