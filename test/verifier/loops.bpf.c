// Loops: unrolled by the verifier until they end, refused where it cannot see an end, and states that are not tried again.
#include "core.h"

char LICENSE[] SEC("license") = "GPL";

ASM("socket", counted_up, "r1 = 0; loop_%=: r1 += 1; if r1 < 100 goto loop_%=; r0 = r1; exit;", "i"(0))
ASM("socket", counted_down, "r1 = 100; loop_%=: r1 += -1; if r1 != 0 goto loop_%=;" DONE, "i"(0))
ASM("socket", never_ending, "loop_%=: goto loop_%=;", "i"(0))
ASM("socket", never_ending_with_exit, "r0 = 0; loop_%=: if r0 == 0 goto loop_%=; exit;", "i"(0))
ASM("socket", counter_not_advanced, UNKNOWN "r6 = r0; loop_%=: if r6 != 0 goto loop_%=;" DONE, ASKS)
ASM("socket", unknown_end, UNKNOWN "r6 = r0; r6 &= 0xff; r7 = 0; loop_%=: r7 += 1; if r7 < r6 goto loop_%=;" DONE, ASKS)
ASM("socket", two_deep,
    "r1 = 0; r3 = 0; outer_%=: r2 = 0; inner_%=: r3 += 1; r2 += 1; if r2 < 20 goto inner_%=; r1 += 1; if r1 < 20 goto outer_%=; r0 = 0; exit;", "i"(0))
ASM("socket", counter_in_the_stack,
    "r1 = 0; *(u64 *)(r10 - 8) = r1; loop_%=: r1 = *(u64 *)(r10 - 8); r1 += 1; *(u64 *)(r10 - 8) = r1; if r1 < 50 goto loop_%=;" DONE, "i"(0))
ASM("socket", counter_in_a_map, VALUE "r6 = r0; loop_%=: r1 = *(u64 *)(r6 + 0); r1 += 1; *(u64 *)(r6 + 0) = r1; if r1 < 50 goto loop_%=;" DONE, LOOKS_UP)
ASM("socket", half_counter, "w1 = 0; loop_%=: w1 += 1; if w1 < 64 goto loop_%=;" DONE, "i"(0))
ASM("socket", jump_into_a_loop, UNKNOWN "r1 = 5; if r0 == 0 goto middle_%=; r1 = 0; loop_%=: r1 += 1; middle_%=: r1 += 1; if r1 < 30 goto loop_%=;" DONE, ASKS)

SEC("tc") int eighty_thousand_steps(struct __sk_buff *skb)
{
	__u64 sum = 0;

	for (int i = 0; i < 20000; i++) {
		sum += i;
		barrier_var(sum);
	}
	return sum & 1;
}

/* 2 to the power of 24 paths that meet again in the same state. */
SEC("tc") int paths_that_meet(struct __sk_buff *skb)
{
	__u32 bits = skb->mark;

#pragma unroll
	for (int i = 0; i < 24; i++) {
		if (bits & (1u << i))
			barrier();
		barrier();
	}
	return 0;
}

/* A number that only looks different is no reason to look again. */
SEC("tc") int counters_that_do_not_matter(struct __sk_buff *skb)
{
	__u64 key = 0, count = 0;
	struct value *value = bpf_map_lookup_elem(&hash, &key);

	if (!value)
		return 0;
#pragma unroll
	for (int i = 0; i < 20; i++) {
		if (skb->mark & (1u << i))
			count++;
		barrier_var(count);
	}
	value->a = count;
	return 0;
}

/* Here the number matters, as an index: it was made precise. */
SEC("tc") int counters_that_matter(struct __sk_buff *skb)
{
	__u64 key = 0, count = 0;
	struct value *value = bpf_map_lookup_elem(&hash, &key);

	if (!value)
		return 0;
#pragma unroll
	for (int i = 0; i < 10; i++) {
		if (skb->mark & (1u << i))
			count++;
		barrier_var(count);
	}
	return value->bytes[count];
}

SEC("tc") int counters_that_matter_too_large(struct __sk_buff *skb)
{
	__u64 key = 0, count = 40;
	struct value *value = bpf_map_lookup_elem(&hash, &key);

	if (!value)
		return 0;
#pragma unroll
	for (int i = 0; i < 10; i++) {
		if (skb->mark & (1u << i))
			count++;
		barrier_var(count);
	}
	return value->bytes[count];
}

SEC("tc") int search_in_value(struct __sk_buff *skb)
{
	__u64 key = 0;
	struct value *value = bpf_map_lookup_elem(&hash, &key);
	int i;

	if (!value)
		return 0;
	for (i = 0; i < 48; i++)
		if (value->bytes[i] == (skb->mark & 255))
			break;
	return i & 1;
}

SEC("tc") int lookups_in_a_loop(struct __sk_buff *skb)
{
	__u64 sum = 0;

	for (__u64 key = 0; key < 16; key++) {
		struct value *value = bpf_map_lookup_elem(&hash, &key);

		if (value)
			sum += value->b;
	}
	return sum & 1;
}

static __noinline __u64 down(__u64 from)
{
	__u64 steps = 0;

	while (from) {
		from >>= 1;
		steps++;
		barrier_var(steps);
	}
	return steps;
}

SEC("tc") int loop_in_a_function(struct __sk_buff *skb)
{
	return down(skb->mark) & 1;
}
