// Global data: constants that the verifier reads, data that may be written, and the edges of both.
#include "core.h"

char LICENSE[] SEC("license") = "GPL";

const volatile __u32 limit = 16;
const volatile __u32 large = 100;
const volatile __u8 table[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
__u32 counter;
__u64 words[8] = { 7 };
__u8 small[16];

SEC("tc") int constant_is_known(struct __sk_buff *skb)
{
	__u64 key = 0;
	struct value *value = bpf_map_lookup_elem(&hash, &key);

	return value ? value->bytes[limit] : 0;
}

SEC("tc") int constant_is_known_to_be_too_large(struct __sk_buff *skb)
{
	__u64 key = 0;
	struct value *value = bpf_map_lookup_elem(&hash, &key);

	return value ? value->bytes[large] : 0;
}

SEC("tc") int constant_ends_a_loop(struct __sk_buff *skb)
{
	__u64 sum = 0;

	for (__u32 i = 0; i < limit; i++)
		sum += small[i & 15];
	return sum & 1;
}

SEC("tc") int constant_makes_code_dead(struct __sk_buff *skb)
{
	__u64 key = 0;

	if (limit > 1000)
		return ((struct value *)bpf_map_lookup_elem(&hash, &key))->a;
	return 0;
}

SEC("tc") int variable_is_unknown(struct __sk_buff *skb)
{
	return small[counter];
}

SEC("tc") int variable_is_bounded_by_a_test(struct __sk_buff *skb)
{
	__u32 index = counter;

	return index < sizeof(small) ? small[index] : 0;
}

SEC("tc") int variable_read_twice(struct __sk_buff *skb)
{
	if (*(volatile __u32 *)&counter < sizeof(small))
		return small[*(volatile __u32 *)&counter];
	return 0;
}

SEC("tc") int variable_written(struct __sk_buff *skb)
{
	counter++;
	words[3] = skb->len;
	__sync_fetch_and_add(&words[1], 1);
	return 0;
}

SEC("tc") int table_at_unknown_index(struct __sk_buff *skb)
{
	return table[skb->mark & 7];
}

SEC("tc") int table_at_unbounded_index(struct __sk_buff *skb)
{
	return table[skb->mark];
}

SEC("tc") int neighbour_of_a_variable(struct __sk_buff *skb)
{
	return *(__u32 *)((void *)&words[7] + 8);
}

SEC("tc") int far_beyond_the_section(struct __sk_buff *skb)
{
	return *(__u32 *)((void *)words + 4096);
}

ASM("tc", constant_written, "r1 = %[limit] ll; r2 = 1; *(u32 *)(r1 + 0) = r2;" DONE, address(limit))
ASM("tc", constant_added_to, "r1 = %[limit] ll; r2 = 1; lock *(u32 *)(r1 + 0) += r2;" DONE, address(limit))
ASM("tc", constant_in_part, "r1 = %[table] ll; r2 = *(u16 *)(r1 + 2); r3 = r10; r3 += -8; r4 = 0; if r2 != 0x403 goto bad_%=;" DONE "bad_%=: r0 = r9; exit;", address(table))
ASM("tc", variable_needs_no_null_test, "r1 = %[counter] ll; r0 = *(u32 *)(r1 + 0); exit;", address(counter))
ASM("tc", pointer_stored_in_variable, "r1 = %[words] ll; *(u64 *)(r1 + 0) = r10;" DONE, address(words))
