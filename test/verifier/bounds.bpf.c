// Which bytes of a map value may be touched: constant and variable offsets, and what each comparison proves about them.
#include "core.h"

char LICENSE[] SEC("license") = "GPL";

// Constant offsets; the value has 64 bytes.
ASM("socket", first_byte, VALUE "r1 = *(u8 *)(r0 + 0);" DONE, LOOKS_UP)
ASM("socket", last_word, VALUE "r1 = *(u64 *)(r0 + 56);" DONE, LOOKS_UP)
ASM("socket", one_past_the_end, VALUE "r1 = *(u8 *)(r0 + 64);" DONE, LOOKS_UP)
ASM("socket", half_past_the_end, VALUE "r1 = *(u64 *)(r0 + 60);" DONE, LOOKS_UP)
ASM("socket", before_the_value, VALUE "r1 = *(u8 *)(r0 - 1);" DONE, LOOKS_UP)
ASM("socket", moved_there_and_back, VALUE "r0 += 100; r0 += -92; r1 = *(u64 *)(r0 + 48);" DONE, LOOKS_UP)
ASM("socket", store_of_unaligned_word, VALUE "r1 = 0; *(u64 *)(r0 + 3) = r1;" DONE, LOOKS_UP)
ASM("socket", read_written_together, VALUE "r1 = *(u64 *)(r0 + 0); r1 += 1; *(u64 *)(r0 + 8) = r1;" DONE, LOOKS_UP)

// Variable offsets from the value itself.
#define INDEX VALUE "r1 = *(u64 *)(r0 + 0);"
ASM("socket", unbounded_index, INDEX "r0 += r1; r1 = *(u8 *)(r0 + 0);" DONE, LOOKS_UP)
ASM("socket", index_below_48, INDEX "if r1 > 47 goto out_%=; r0 += r1; r1 = *(u8 *)(r0 + 16); out_%=:" DONE, LOOKS_UP)
ASM("socket", index_below_49, INDEX "if r1 > 48 goto out_%=; r0 += r1; r1 = *(u8 *)(r0 + 16); out_%=:" DONE, LOOKS_UP)
ASM("socket", word_at_index_below_48, INDEX "if r1 > 47 goto out_%=; r0 += r1; r1 = *(u64 *)(r0 + 16); out_%=:" DONE, LOOKS_UP)
ASM("socket", signed_test_only, INDEX "if r1 s> 47 goto out_%=; r0 += r1; r1 = *(u8 *)(r0 + 16); out_%=:" DONE, LOOKS_UP)
ASM("socket", both_signed_tests,
    INDEX "if r1 s> 47 goto out_%=; if r1 s< 0 goto out_%=; r0 += r1; r1 = *(u8 *)(r0 + 16); out_%=:" DONE, LOOKS_UP)
ASM("socket", test_of_lower_half_only,
    INDEX "if w1 > 47 goto out_%=; r0 += r1; r1 = *(u8 *)(r0 + 16); out_%=:" DONE, LOOKS_UP)
ASM("socket", test_of_lower_half_then_cut,
    INDEX "if w1 > 47 goto out_%=; w1 = w1; r0 += r1; r1 = *(u8 *)(r0 + 16); out_%=:" DONE, LOOKS_UP)
ASM("socket", mask_is_a_bound, INDEX "r1 &= 31; r0 += r1; r1 = *(u8 *)(r0 + 16);" DONE, LOOKS_UP)
ASM("socket", mask_with_hole_is_no_smaller_bound, INDEX "r1 &= 0x41; r0 += r1; r1 = *(u8 *)(r0 + 0);" DONE, LOOKS_UP)
ASM("socket", remainder_is_no_bound, INDEX "r1 %%= 48; r0 += r1; r1 = *(u8 *)(r0 + 16);" DONE, LOOKS_UP)
ASM("socket", shift_right_is_a_bound, INDEX "r1 >>= 59; r0 += r1; r1 = *(u8 *)(r0 + 32);" DONE, LOOKS_UP)
ASM("socket", byte_load_is_a_bound, VALUE "r1 = *(u8 *)(r0 + 0); r1 >>= 3; r0 += r1; r1 = *(u8 *)(r0 + 32);" DONE, LOOKS_UP)
ASM("socket", equality_is_a_bound, INDEX "if r1 != 40 goto out_%=; r0 += r1; r1 = *(u64 *)(r0 + 16); out_%=:" DONE, LOOKS_UP)
ASM("socket", bound_of_sum,
    INDEX "r2 = *(u64 *)(r0 + 8); r1 &= 31; r2 &= 31; r1 += r2; r0 += r1; r1 = *(u8 *)(r0 + 1);" DONE, LOOKS_UP)
ASM("socket", bound_of_sum_too_large,
    INDEX "r2 = *(u64 *)(r0 + 8); r1 &= 31; r2 &= 31; r1 += r2; r0 += r1; r1 = *(u8 *)(r0 + 2);" DONE, LOOKS_UP)
ASM("socket", subtraction_may_be_negative, INDEX "r1 &= 15; r1 -= 8; r0 += r1; r1 = *(u8 *)(r0 + 0);" DONE, LOOKS_UP)
ASM("socket", subtraction_undone_is_no_bound, INDEX "r1 &= 15; r1 -= 8; r0 += 8; r0 += r1; r1 = *(u8 *)(r0 + 0);" DONE, LOOKS_UP)
ASM("socket", bound_of_product, INDEX "r1 &= 7; r1 *= 8; r0 += r1; r1 = *(u64 *)(r0 + 0);" DONE, LOOKS_UP)
ASM("socket", bound_of_product_too_large, INDEX "r1 &= 7; r1 *= 9; r0 += r1; r1 = *(u64 *)(r0 + 0);" DONE, LOOKS_UP)
ASM("socket", bound_survives_spill,
    INDEX "if r1 > 47 goto out_%=; *(u64 *)(r10 - 16) = r1; r1 = 0; r1 = *(u64 *)(r10 - 16);"
	  "r0 += r1; r1 = *(u8 *)(r0 + 16); out_%=:" DONE, LOOKS_UP)
ASM("socket", bound_of_a_copy,
    INDEX "r2 = r1; if r2 > 47 goto out_%=; r0 += r1; r1 = *(u8 *)(r0 + 16); out_%=:" DONE, LOOKS_UP)
ASM("socket", bound_on_one_path_only,
    INDEX "r2 = *(u64 *)(r0 + 8); if r2 == 0 goto go_%=; if r1 > 47 goto out_%=; go_%=: r0 += r1;"
	  "r1 = *(u8 *)(r0 + 16); out_%=:" DONE, LOOKS_UP)

// The same in C, as people meet it.
SEC("tc") int loop_over_bytes(struct __sk_buff *skb)
{
	__u64 key = 0, sum = 0;
	struct value *value = bpf_map_lookup_elem(&hash, &key);

	if (!value)
		return 0;
	for (int i = 0; i < 48; i++)
		sum += value->bytes[i];
	return sum & 1;
}

SEC("tc") int index_from_mark(struct __sk_buff *skb)
{
	__u64 key = 0;
	struct value *value = bpf_map_lookup_elem(&hash, &key);
	__u32 index = skb->mark;

	if (!value || index >= sizeof(value->bytes))
		return 0;
	value->bytes[index]++;
	return 0;
}

SEC("tc") int index_from_mark_unchecked(struct __sk_buff *skb)
{
	__u64 key = 0;
	struct value *value = bpf_map_lookup_elem(&hash, &key);

	if (!value)
		return 0;
	value->bytes[skb->mark]++;
	return 0;
}
