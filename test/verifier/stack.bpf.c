// The 512 bytes below r10: what was written, what was not, and what a spilled register is when it comes back.
#include "core.h"

char LICENSE[] SEC("license") = "GPL";

ASM("socket", register_never_written, "r0 = r2; exit;", "i"(0))
ASM("socket", result_never_written, "exit;", "i"(0))
ASM("socket", context_is_in_r1, "r0 = *(u32 *)(r1 + 0); exit;", "i"(0))
ASM("socket", arguments_are_gone_after_a_call, UNKNOWN "r0 = r1; exit;", ASKS)
ASM("socket", kept_registers_stay_after_a_call, "r6 = 1; r7 = 2;" UNKNOWN "r0 = r6; r0 += r7; exit;", ASKS)
ASM("socket", read_of_unwritten_stack, "r0 = *(u64 *)(r10 - 8);" DONE, "i"(0))
ASM("socket", read_of_half_written_stack, "r1 = 0; *(u32 *)(r10 - 8) = r1; r0 = *(u64 *)(r10 - 8);" DONE, "i"(0))
ASM("socket", unwritten_on_one_path,
    UNKNOWN "if r0 == 0 goto skip_%=; r1 = 0; *(u64 *)(r10 - 8) = r1; skip_%=: r0 = *(u64 *)(r10 - 8);" DONE, ASKS)
ASM("socket", deepest_byte, "r1 = 0; *(u64 *)(r10 - 512) = r1; r0 = *(u64 *)(r10 - 512); exit;", "i"(0))
ASM("socket", below_the_deepest_byte, "r1 = 0; *(u64 *)(r10 - 520) = r1;" DONE, "i"(0))
ASM("socket", above_the_frame, "r1 = 0; *(u64 *)(r10 + 0) = r1;" DONE, "i"(0))
ASM("socket", across_the_top, "r1 = 0; *(u64 *)(r10 - 4) = r1;" DONE, "i"(0))
ASM("socket", subtraction_of_a_number_from_the_frame, "r1 = 8; r2 = r10; r2 -= r1; r3 = 0; *(u8 *)(r2 + 0) = r3;" DONE, "i"(0))
ASM("socket", unaligned_store, "r1 = 0; *(u64 *)(r10 - 12) = r1;" DONE, "i"(0))
ASM("socket", frame_pointer_cannot_be_written, "r10 = 0;" DONE, "i"(0))
ASM("socket", frame_pointer_cannot_be_moved, "r10 += 8;" DONE, "i"(0))
ASM("socket", constant_comes_back, "r1 = -40; *(u64 *)(r10 - 8) = r1; r2 = *(u64 *)(r10 - 8); r3 = r10; r3 += r2; r4 = 0; *(u8 *)(r3 + 0) = r4;" DONE, "i"(0))
ASM("socket", constant_comes_back_in_a_half,
    "r1 = 8; *(u32 *)(r10 - 8) = r1; r2 = *(u32 *)(r10 - 8); r3 = r10; r3 += -16; r3 += r2; r4 = 0; *(u8 *)(r3 + 0) = r4;" DONE, "i"(0))
ASM("socket", pointer_comes_back, VALUE "*(u64 *)(r10 - 16) = r0; r6 = *(u64 *)(r10 - 16); r0 = *(u64 *)(r6 + 56);" DONE, LOOKS_UP)
ASM("socket", half_a_pointer, VALUE "*(u32 *)(r10 - 16) = r0;" DONE, LOOKS_UP)
ASM("socket", pointer_read_in_half, VALUE "*(u64 *)(r10 - 16) = r0; r6 = *(u32 *)(r10 - 16);" DONE, LOOKS_UP)
ASM("socket", pointer_overwritten_in_part, VALUE "*(u64 *)(r10 - 16) = r0; r1 = 0; *(u8 *)(r10 - 16) = r1; r6 = *(u64 *)(r10 - 16); r0 = *(u8 *)(r6 + 0);" DONE, LOOKS_UP)
ASM("socket", null_test_reaches_the_spill,
    LOOKUP "*(u64 *)(r10 - 16) = r0; if r0 == 0 goto out_%=; r6 = *(u64 *)(r10 - 16); r0 = *(u8 *)(r6 + 0); out_%=:" DONE, LOOKS_UP)
ASM("socket", spill_is_not_tested_itself,
    LOOKUP "*(u64 *)(r10 - 16) = r0; r6 = *(u64 *)(r10 - 16); r0 = *(u8 *)(r6 + 0);" DONE, LOOKS_UP)
ASM("socket", variable_offset_within,
    UNKNOWN "r0 &= 7; r1 = r10; r1 += -8; r1 += r0; r2 = 0; *(u64 *)(r10 - 8) = r2; *(u8 *)(r1 + 0) = r2; r0 = *(u8 *)(r1 + 0);" DONE, ASKS)
ASM("socket", variable_offset_beyond,
    UNKNOWN "r0 &= 15; r1 = r10; r1 += -8; r1 += r0; r2 = 0; *(u8 *)(r1 + 0) = r2;" DONE, ASKS)
ASM("socket", unbounded_offset, VALUE "r1 = *(u64 *)(r0 + 0); r2 = r10; r2 += r1; r3 = 0; *(u8 *)(r2 - 1) = r3;" DONE, LOOKS_UP)
ASM("socket", variable_store_over_a_pointer,
    VALUE "r6 = *(u8 *)(r0 + 0); r6 &= 7; *(u64 *)(r10 - 16) = r0; r1 = r10; r1 += -16; r1 += r6; r2 = 0; *(u8 *)(r1 + 0) = r2;"
	  "r7 = *(u64 *)(r10 - 16); r0 = *(u8 *)(r7 + 0);" DONE, LOOKS_UP)
ASM("socket", helper_may_read_unwritten_stack,
    "r1 = %[hash] ll; r2 = r10; r2 += -8; call %[bpf_map_lookup_elem];" DONE, LOOKS_UP)
ASM("socket", helper_key_above_the_frame,
    "r1 = %[hash] ll; r2 = r10; r2 += -4; call %[bpf_map_lookup_elem];" DONE, LOOKS_UP)
ASM("socket", stack_pointer_in_the_stack,
    "r1 = r10; r1 += -8; *(u64 *)(r10 - 16) = r1; r2 = 5; *(u64 *)(r10 - 8) = r2; r3 = *(u64 *)(r10 - 16); r0 = *(u64 *)(r3 + 0); exit;", "i"(0))

SEC("tc") int large_buffer(struct __sk_buff *skb)
{
	volatile __u8 buffer[480] = {};

	buffer[skb->len & 255] = 1;
	return buffer[7];
}
