// What may be done with pointers besides following them: arithmetic, comparison, null tests, copies, and giving them away.
#include "core.h"

char LICENSE[] SEC("license") = "GPL";

ASM("socket", unchecked_result, LOOKUP "r0 = *(u64 *)(r0 + 0);" DONE, LOOKS_UP)
ASM("socket", checked_result, VALUE "r0 = *(u64 *)(r0 + 0);" DONE, LOOKS_UP)
ASM("socket", checked_with_equality, LOOKUP "if r0 == 0 goto out_%=; r0 = *(u64 *)(r0 + 0); out_%=:" DONE, LOOKS_UP)
ASM("socket", wrong_branch_of_the_check, LOOKUP "if r0 != 0 goto out_%=; r1 = *(u64 *)(r0 + 0); out_%=:" DONE, LOOKS_UP)
ASM("socket", checked_with_greater_zero, LOOKUP "if r0 > 0 goto have_%=; r0 = 0; exit; have_%=: r0 = *(u64 *)(r0 + 0);" DONE, LOOKS_UP)
ASM("socket", check_reaches_all_copies, LOOKUP "r6 = r0; r7 = r0; if r6 == 0 goto out_%=; r0 = *(u64 *)(r7 + 0); out_%=:" DONE, LOOKS_UP)
ASM("socket", check_of_another_lookup,
    LOOKUP "r6 = r0; r2 = r10; r2 += -8; r1 = %[hash] ll; call %[bpf_map_lookup_elem]; if r0 == 0 goto out_%=; r0 = *(u64 *)(r6 + 0); out_%=:" DONE, LOOKS_UP)
ASM("socket", arithmetic_before_the_check, LOOKUP "r0 += 8; if r0 == 0 goto out_%=; out_%=:" DONE, LOOKS_UP)
ASM("socket", null_is_zero_after_the_check, LOOKUP "if r0 != 0 goto out_%=; r1 = r10; r1 += -8; r1 += r0; r2 = 0; *(u8 *)(r1 + 0) = r2; out_%=:" DONE, LOOKS_UP)

ASM("socket", add_of_number, VALUE "r1 = 8; r0 += r1; r0 = *(u64 *)(r0 + 0);" DONE, LOOKS_UP)
ASM("socket", number_plus_pointer, VALUE "r1 = 8; r1 += r0; r0 = *(u64 *)(r1 + 0);" DONE, LOOKS_UP)
ASM("socket", subtraction_of_number, VALUE "r0 += 16; r1 = 8; r0 -= r1; r0 = *(u64 *)(r0 + 0);" DONE, LOOKS_UP)
ASM("socket", number_minus_pointer, VALUE "r1 = 8; r1 -= r0;" DONE, LOOKS_UP)
ASM("socket", pointer_minus_pointer, VALUE "r1 = r0; r1 += 8; r1 -= r0; r0 = r1; exit;", LOOKS_UP)
ASM("socket", pointer_plus_pointer, VALUE "r1 = r0; r1 += r0;" DONE, LOOKS_UP)
ASM("socket", pointer_plus_pointer_then_followed, VALUE "r1 = r0; r1 += r0; r0 = *(u8 *)(r1 + 0);" DONE, LOOKS_UP)
ASM("socket", multiplied, VALUE "r0 *= 2; r0 = *(u8 *)(r0 + 0);" DONE, LOOKS_UP)
ASM("socket", masked, VALUE "r0 &= -8; r0 = *(u8 *)(r0 + 0);" DONE, LOOKS_UP)
ASM("socket", masked_context, "r1 &= -8;" DONE, "i"(0))
ASM("socket", negated, VALUE "r0 = -r0; r0 = *(u8 *)(r0 + 0);" DONE, LOOKS_UP)
ASM("socket", swapped, VALUE "r0 = be64 r0; r0 = *(u8 *)(r0 + 0);" DONE, LOOKS_UP)
ASM("socket", half_arithmetic, VALUE "w0 += 1; r0 = *(u8 *)(r0 + 0);" DONE, LOOKS_UP)
ASM("socket", half_copy, VALUE "w1 = w0; r0 = *(u8 *)(r1 + 0);" DONE, LOOKS_UP)
ASM("socket", offset_at_the_limit, VALUE "r0 += 0x1fffffff; r0 += -0x1fffffff; r0 = *(u8 *)(r0 + 0);" DONE, LOOKS_UP)
ASM("socket", offset_beyond_the_limit, VALUE "r1 = 0x20000000; r0 += r1; r0 -= r1; r0 = *(u8 *)(r0 + 0);" DONE, LOOKS_UP)
ASM("socket", arithmetic_on_map, "r1 = %[hash] ll; r1 += 8;" DONE, address(hash))
ASM("socket", read_of_map, "r1 = %[hash] ll; r0 = *(u32 *)(r1 + 0);" DONE, address(hash))
ASM("socket", write_to_map, "r1 = %[hash] ll; r2 = 0; *(u32 *)(r1 + 0) = r2;" DONE, address(hash))
ASM("socket", arithmetic_on_context, "r1 += 8; r0 = *(u32 *)(r1 + 0);" DONE, "i"(0))
ASM("socket", unknown_arithmetic_on_context, "r6 = r1;" UNKNOWN "r0 &= 4; r6 += r0; r0 = *(u32 *)(r6 + 0);" DONE, ASKS)
ASM("socket", number_followed, "r1 = 4096; r0 = *(u64 *)(r1 + 0);" DONE, "i"(0))
ASM("socket", number_written_through, "r1 = 4096; r2 = 0; *(u64 *)(r1 + 0) = r2;" DONE, "i"(0))

// Pointers given away. Root may.
ASM("socket", value_pointer_in_result, VALUE "exit;", LOOKS_UP)
ASM("socket", frame_pointer_in_result, "r0 = r10; exit;", "i"(0))
ASM("socket", pointer_stored_in_map, VALUE "*(u64 *)(r0 + 0) = r10;" DONE, LOOKS_UP)
ASM("socket", context_stored_in_map, "r6 = r1;" VALUE "*(u64 *)(r0 + 8) = r6;" DONE, LOOKS_UP)
ASM("tc", pointer_stored_in_context, "*(u32 *)(r1 + 8) = r10;" DONE, "i"(0))
ASM("socket", pointer_compared_with_number, VALUE "if r0 == 7 goto out_%=; r0 = *(u8 *)(r0 + 0); out_%=:" DONE, LOOKS_UP)
ASM("socket", pointers_compared, VALUE "r1 = r0; r1 += 8; if r0 == r1 goto out_%=; r0 = *(u8 *)(r0 + 0); out_%=:" DONE, LOOKS_UP)
ASM("socket", atomic_add_of_pointer, VALUE "r1 = r10; lock *(u64 *)(r0 + 0) += r1;" DONE, LOOKS_UP)

// One register, two kinds of pointer.
ASM("socket", same_load_of_two_kinds,
    "r6 = r1;" UNKNOWN "r7 = r0;" VALUE "if r7 == 0 goto same_%=; r0 = r6; same_%=: r0 = *(u32 *)(r0 + 0);" DONE, LOOKS_UP, ASKS)
ASM("socket", same_load_of_value_and_stack,
    UNKNOWN "r7 = r0; r1 = 0; *(u64 *)(r10 - 8) = r1;" VALUE "if r7 == 0 goto same_%=; r0 = r10; r0 += -8; same_%=: r0 = *(u32 *)(r0 + 0);" DONE, LOOKS_UP, ASKS)
