// Direct packet access in tc and xdp: what a comparison with data_end proves, and for which copies of the pointer.
#include "core.h"

char LICENSE[] SEC("license") = "GPL";

#define XDP "r6 = r1; r2 = *(u32 *)(r1 + 0); r3 = *(u32 *)(r1 + 4);"
#define SKB "r6 = r1; r2 = *(u32 *)(r1 + 76); r3 = *(u32 *)(r1 + 80);"
#define PASS "r0 = 2; exit;"

ASM("xdp", xdp_unchecked, XDP "r0 = *(u8 *)(r2 + 0);" PASS, "i"(0))
ASM("xdp", xdp_checked, XDP "r4 = r2; r4 += 14; if r4 > r3 goto out_%=; r0 = *(u16 *)(r2 + 12); out_%=:" PASS, "i"(0))
ASM("xdp", xdp_one_byte_more, XDP "r4 = r2; r4 += 14; if r4 > r3 goto out_%=; r0 = *(u16 *)(r2 + 13); out_%=:" PASS, "i"(0))
ASM("xdp", xdp_branch_without_bytes, XDP "r4 = r2; r4 += 14; if r4 > r3 goto out_%=; exit_%=:" PASS "out_%=: r0 = *(u8 *)(r2 + 0);" PASS, "i"(0))
ASM("xdp", xdp_end_on_the_left, XDP "r4 = r2; r4 += 8; if r3 < r4 goto out_%=; r0 = *(u64 *)(r2 + 0); out_%=:" PASS, "i"(0))
ASM("xdp", xdp_strictly_below_end, XDP "r4 = r2; r4 += 8; if r4 >= r3 goto out_%=; r0 = *(u8 *)(r2 + 8); out_%=:" PASS, "i"(0))
ASM("xdp", xdp_not_strictly_below_end, XDP "r4 = r2; r4 += 8; if r4 > r3 goto out_%=; r0 = *(u8 *)(r2 + 8); out_%=:" PASS, "i"(0))
ASM("xdp", xdp_equal_proves_nothing, XDP "r4 = r2; r4 += 8; if r4 != r3 goto out_%=; r0 = *(u8 *)(r2 + 0); out_%=:" PASS, "i"(0))
ASM("xdp", xdp_signed_comparison_proves_nothing, XDP "r4 = r2; r4 += 8; if r4 s> r3 goto out_%=; r0 = *(u8 *)(r2 + 0); out_%=:" PASS, "i"(0))
ASM("xdp", xdp_store, XDP "r4 = r2; r4 += 6; if r4 > r3 goto out_%=; r5 = 0; *(u32 *)(r2 + 0) = r5; out_%=:" PASS, "i"(0))
ASM("xdp", xdp_store_to_end, XDP "r4 = 0; *(u8 *)(r3 + 0) = r4;" PASS, "i"(0))
ASM("xdp", xdp_read_of_end, XDP "r4 = *(u8 *)(r3 - 1);" PASS, "i"(0))
ASM("xdp", xdp_arithmetic_on_end, XDP "r3 += 8; r4 = r2; if r4 > r3 goto out_%=; out_%=:" PASS, "i"(0))
ASM("xdp", xdp_variable_offset,
    XDP "r4 = r2; r4 += 34; if r4 > r3 goto out_%=; r5 = *(u8 *)(r2 + 14); r5 &= 15; r5 <<= 2; r4 = r2; r4 += 14; r4 += r5;"
	"r5 = r4; r5 += 4; if r5 > r3 goto out_%=; r0 = *(u16 *)(r4 + 2); out_%=:" PASS, "i"(0))
ASM("xdp", xdp_variable_offset_unchecked,
    XDP "r4 = r2; r4 += 34; if r4 > r3 goto out_%=; r5 = *(u8 *)(r2 + 14); r5 &= 15; r5 <<= 2; r4 = r2; r4 += 14; r4 += r5;"
	"r0 = *(u16 *)(r4 + 2); out_%=:" PASS, "i"(0))
ASM("xdp", xdp_unbounded_offset,
    XDP "r4 = r2; r4 += 8; if r4 > r3 goto out_%=; r5 = *(u64 *)(r2 + 0); r4 = r2; r4 += r5;"
	"r5 = r4; r5 += 4; if r5 > r3 goto out_%=; r0 = *(u16 *)(r4 + 2); out_%=:" PASS, "i"(0))
ASM("xdp", xdp_other_variable_offset_is_another_pointer,
    XDP "r4 = r2; r4 += 34; if r4 > r3 goto out_%=; r5 = *(u8 *)(r2 + 14); r7 = *(u8 *)(r2 + 15); r8 = r2; r8 += r5;"
	"r9 = r2; r9 += r7; r4 = r8; r4 += 4; if r4 > r3 goto out_%=; r0 = *(u8 *)(r9 + 0); out_%=:" PASS, "i"(0))
ASM("xdp", xdp_gone_after_adjust_head,
    XDP "r4 = r2; r4 += 14; if r4 > r3 goto out_%=; r7 = r2; r1 = r6; r2 = 0; call %[bpf_xdp_adjust_head]; r0 = *(u8 *)(r7 + 0); out_%=:" PASS,
    value(bpf_xdp_adjust_head))
ASM("xdp", xdp_read_again_after_adjust_head,
    "r6 = r1; r2 = 4; call %[bpf_xdp_adjust_head]; r2 = *(u32 *)(r6 + 0); r3 = *(u32 *)(r6 + 4); r4 = r2; r4 += 8;"
    "if r4 > r3 goto out_%=; r0 = *(u64 *)(r2 + 0); out_%=:" PASS,
    value(bpf_xdp_adjust_head))
ASM("xdp", xdp_metadata_up_to_data,
    "r2 = *(u32 *)(r1 + 8); r3 = *(u32 *)(r1 + 0); r4 = r2; r4 += 4; if r4 > r3 goto out_%=; r0 = *(u32 *)(r2 + 0); out_%=:" PASS, "i"(0))
ASM("xdp", xdp_metadata_is_not_data,
    "r2 = *(u32 *)(r1 + 8); r3 = *(u32 *)(r1 + 4); r4 = r2; r4 += 4; if r4 > r3 goto out_%=; r0 = *(u32 *)(r2 + 0); out_%=:" PASS, "i"(0))
ASM("xdp", xdp_check_survives_spill,
    XDP "*(u64 *)(r10 - 8) = r2; r4 = r2; r4 += 4; if r4 > r3 goto out_%=; r5 = *(u64 *)(r10 - 8); r0 = *(u32 *)(r5 + 0); out_%=:" PASS, "i"(0))
ASM("xdp", xdp_packet_pointer_as_number, XDP "r0 = r2;" "exit;", "i"(0))
ASM("xdp", xdp_length_as_number, XDP "r3 -= r2; r0 = r3; r0 &= 1; r0 += 1; exit;", "i"(0))
ASM("tc", tc_checked, SKB "r4 = r2; r4 += 14; if r4 > r3 goto out_%=; r0 = *(u16 *)(r2 + 12); out_%=:" DONE, "i"(0))
ASM("tc", tc_unchecked, SKB "r0 = *(u16 *)(r2 + 12);" DONE, "i"(0))
ASM("tc", tc_store, SKB "r4 = r2; r4 += 14; if r4 > r3 goto out_%=; r5 = 7; *(u16 *)(r2 + 12) = r5; out_%=:" DONE, "i"(0))
ASM("tc", tc_check_too_large, SKB "r4 = r2; r4 += 0xffff; r4 += 1; if r4 > r3 goto out_%=; r0 = *(u8 *)(r2 + 0); out_%=:" DONE, "i"(0))
ASM("socket", socket_filter_has_no_packet_pointer, "r2 = *(u32 *)(r1 + 76);" DONE, "i"(0))

SEC("xdp") int parse_headers(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u8 *eth = data, *ip = eth + 14;

	if (ip + 20 > (__u8 *)end)
		return XDP_PASS;
	if (eth[12] != 8 || eth[13])
		return XDP_PASS;

	__u32 length = (ip[0] & 15) * 4;
	__u8 *udp = ip + length;

	if (length < 20 || udp + 8 > (__u8 *)end)
		return XDP_DROP;
	return udp[3] == 53 ? XDP_DROP : XDP_PASS;
}

SEC("tc") int sum_of_first_bytes(struct __sk_buff *skb)
{
	__u8 *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	__u32 sum = 0;

	for (int i = 0; i < 32; i++) {
		if (data + i + 1 > end)
			break;
		sum += data[i];
	}
	return sum & 1;
}
