// Arguments of helpers: kinds of pointer, sizes that belong to them, maps that fit, and who may call what.
#include "core.h"

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_RDONLY_PROG);
	__type(key, __u32);
	__type(value, __u64);
} constants SEC(".maps");

#define KEY "r1 = 0; *(u64 *)(r10 - 8) = r1;"
#define UPDATES address(hash), value(bpf_map_update_elem), value(bpf_map_lookup_elem)

ASM("socket", lookup_without_map, "r1 = 0; r2 = r10; r2 += -8; call %[bpf_map_lookup_elem];" DONE, LOOKS_UP)
ASM("socket", lookup_in_the_context, "r2 = r10; r2 += -8; call %[bpf_map_lookup_elem];" DONE, LOOKS_UP)
ASM("socket", lookup_with_number_as_key, "r1 = %[hash] ll; r2 = 5; call %[bpf_map_lookup_elem];" DONE, LOOKS_UP)
ASM("socket", lookup_with_null_key, "r1 = %[hash] ll; r2 = 0; call %[bpf_map_lookup_elem];" DONE, LOOKS_UP)
ASM("socket", lookup_with_map_as_key, "r1 = %[hash] ll; r2 = r1; call %[bpf_map_lookup_elem];" DONE, LOOKS_UP)
ASM("socket", lookup_with_value_as_key, VALUE "r2 = r0; r1 = %[hash] ll; call %[bpf_map_lookup_elem];" DONE, LOOKS_UP)
ASM("socket", lookup_with_end_of_value_as_key, VALUE "r2 = r0; r2 += 60; r1 = %[hash] ll; call %[bpf_map_lookup_elem];" DONE, LOOKS_UP)
ASM("socket", lookup_key_register_unwritten, "r1 = %[hash] ll; call %[bpf_map_lookup_elem];" DONE, LOOKS_UP)
ASM("socket", lookup_in_a_ring_buffer, KEY "r1 = %[events] ll; r2 = r10; r2 += -8; call %[bpf_map_lookup_elem];" DONE, address(events), value(bpf_map_lookup_elem))
ASM("socket", update_with_value_as_value, VALUE "r3 = r0; r2 = r10; r2 += -8; r1 = %[hash] ll; r4 = 0; call %[bpf_map_update_elem];" DONE, UPDATES)
ASM("socket", update_with_short_value, KEY "r2 = r10; r2 += -8; r3 = r2; r1 = %[hash] ll; r4 = 0; call %[bpf_map_update_elem];" DONE, UPDATES)
ASM("socket", update_with_flags_from_anywhere, VALUE "r4 = *(u64 *)(r0 + 0); r3 = r0; r2 = r10; r2 += -8; r1 = %[hash] ll; call %[bpf_map_update_elem];" DONE, UPDATES)
ASM("socket", update_with_pointer_as_flags, VALUE "r4 = r10; r3 = r0; r2 = r10; r2 += -8; r1 = %[hash] ll; call %[bpf_map_update_elem];" DONE, UPDATES)
ASM("socket", update_of_constants, "r1 = 0; *(u64 *)(r10 - 8) = r1; r2 = r10; r2 += -8; r3 = r2; r1 = %[constants] ll; r4 = 0; call %[bpf_map_update_elem];" DONE, address(constants), value(bpf_map_update_elem))
ASM("socket", read_of_constants, KEY "r2 = r10; r2 += -4; r1 = %[constants] ll; call %[bpf_map_lookup_elem]; if r0 == 0 goto out_%=; r1 = *(u64 *)(r0 + 0); out_%=:" DONE, address(constants), value(bpf_map_lookup_elem))
ASM("socket", write_of_constants, KEY "r2 = r10; r2 += -4; r1 = %[constants] ll; call %[bpf_map_lookup_elem]; if r0 == 0 goto out_%=; r1 = 1; *(u64 *)(r0 + 0) = r1; out_%=:" DONE, address(constants), value(bpf_map_lookup_elem))
ASM("socket", deletion, KEY "r2 = r10; r2 += -8; r1 = %[hash] ll; call %[bpf_map_delete_elem]; exit;", address(hash), value(bpf_map_delete_elem))

#define LOADS value(bpf_skb_load_bytes)
ASM("tc", load_of_zero_bytes, "r2 = 0; r3 = r10; r3 += -16; r4 = 0; call %[bpf_skb_load_bytes];" DONE, LOADS)
ASM("tc", load_of_all_bytes, "r2 = 0; r3 = r10; r3 += -16; r4 = 16; call %[bpf_skb_load_bytes];" DONE, LOADS)
ASM("tc", load_of_too_many_bytes, "r2 = 0; r3 = r10; r3 += -16; r4 = 17; call %[bpf_skb_load_bytes];" DONE, LOADS)
ASM("tc", load_of_negative_size, "r2 = 0; r3 = r10; r3 += -16; r4 = -1; call %[bpf_skb_load_bytes];" DONE, LOADS)
ASM("tc", load_of_unknown_size, "r6 = r1; r4 = *(u32 *)(r6 + 0); r2 = 0; r3 = r10; r3 += -16; call %[bpf_skb_load_bytes];" DONE, LOADS)
ASM("tc", load_of_bounded_size, "r6 = r1; r4 = *(u32 *)(r6 + 0); r4 &= 15; r4 += 1; r2 = 0; r3 = r10; r3 += -16; call %[bpf_skb_load_bytes];" DONE, LOADS)
ASM("tc", load_of_size_that_may_be_zero, "r6 = r1; r4 = *(u32 *)(r6 + 0); r4 &= 15; r2 = 0; r3 = r10; r3 += -16; call %[bpf_skb_load_bytes];" DONE, LOADS)
ASM("tc", load_into_null, "r2 = 0; r3 = 0; r4 = 4; call %[bpf_skb_load_bytes];" DONE, LOADS)
ASM("tc", load_into_map_value, "r6 = r1;" VALUE "r1 = r6; r2 = 0; r3 = r0; r4 = 64; call %[bpf_skb_load_bytes];" DONE, LOOKS_UP, LOADS)
ASM("tc", load_beyond_map_value, "r6 = r1;" VALUE "r1 = r6; r2 = 0; r3 = r0; r4 = 65; call %[bpf_skb_load_bytes];" DONE, LOOKS_UP, LOADS)
ASM("tc", loaded_stack_is_written, "r2 = 0; r3 = r10; r3 += -16; r4 = 16; call %[bpf_skb_load_bytes]; r0 = *(u64 *)(r10 - 16); exit;", LOADS)
ASM("tc", loaded_stack_forgets_pointers, "*(u64 *)(r10 - 16) = r1; r2 = 0; r3 = r10; r3 += -16; r4 = 8; call %[bpf_skb_load_bytes]; r1 = *(u64 *)(r10 - 16); r0 = *(u32 *)(r1 + 0); exit;", LOADS)
ASM("xdp", helper_of_another_type, "r2 = 0; r3 = r10; r3 += -16; r4 = 4; call %[bpf_skb_load_bytes];" DONE, LOADS)
ASM("socket", helper_without_number, "call 0;" DONE, "i"(0))
ASM("socket", helper_with_unknown_number, "call 9999;" DONE, "i"(0))
ASM("tc", helper_that_needs_no_argument, "call %[bpf_ktime_get_ns]; r0 &= 1; exit;", value(bpf_ktime_get_ns))
ASM("tc", result_of_helper_is_unknown, UNKNOWN "r1 = r10; r1 += -8; r1 += r0; r2 = 0; *(u8 *)(r1 + 0) = r2;" DONE, ASKS)
ASM("syscall", helper_that_may_sleep, "r1 = r10; r1 += -8; r2 = 8; r3 = 0; call %[bpf_copy_from_user];" DONE, value(bpf_copy_from_user))
ASM("tc", helper_that_may_sleep_where_none_may, "r1 = r10; r1 += -8; r2 = 8; r3 = 0; call %[bpf_copy_from_user];" DONE, value(bpf_copy_from_user))

/* The size of a memory argument may be zero where the helper says so. */
SEC("tc") int print_number(struct __sk_buff *skb)
{
	bpf_printk("len %d", skb->len);
	return 0;
}

SEC("tc") int print_two(struct __sk_buff *skb)
{
	bpf_printk("%u of %llx", skb->len, bpf_ktime_get_ns());
	return 0;
}
