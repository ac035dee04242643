// What each type of program may return, and what it may not end in the middle of.
#include "core.h"

char LICENSE[] SEC("license") = "GPL";

ASM("socket", socket_any_number, UNKNOWN "exit;", ASKS)
ASM("socket", socket_wide_number, "r0 = 0x123456789 ll; exit;", "i"(0))
ASM("tc", tc_negative, "r0 = -1; exit;", "i"(0))
ASM("tc", tc_any_number, UNKNOWN "exit;", ASKS)
ASM("action", action_any_number, UNKNOWN "exit;", ASKS)
ASM("xdp", xdp_beyond_its_codes, "r0 = 99; exit;", "i"(0))
ASM("syscall", syscall_negative, "r0 = -22; exit;", "i"(0))
ASM("syscall", syscall_any_number, UNKNOWN "exit;", ASKS)
ASM("cgroup_skb/ingress", cgroup_skb_two, "r0 = 2; exit;", "i"(0))
ASM("cgroup_skb/ingress", cgroup_skb_one, "r0 = 1; exit;", "i"(0))
ASM("cgroup_skb/ingress", cgroup_skb_unknown, UNKNOWN "exit;", ASKS)
ASM("cgroup_skb/ingress", cgroup_skb_masked, UNKNOWN "r0 &= 1; exit;", ASKS)
ASM("cgroup_skb/egress", cgroup_skb_three_on_egress, "r0 = 3; exit;", "i"(0))
ASM("cgroup_skb/egress", cgroup_skb_four_on_egress, "r0 = 4; exit;", "i"(0))
ASM("cgroup_skb/ingress", cgroup_skb_lower_half, UNKNOWN "w0 &= 1; exit;", ASKS)
ASM("cgroup_skb/ingress", cgroup_skb_test_before, UNKNOWN "if r0 > 1 goto one_%=; exit; one_%=: r0 = 1; exit;", ASKS)
ASM("sk_lookup", sk_lookup_two, "r0 = 2; exit;", "i"(0))
ASM("sk_lookup", sk_lookup_one, "r0 = 1; exit;", "i"(0))
ASM("cgroup_skb/ingress", cgroup_skb_pointer, "r0 = r10; exit;", "i"(0))
ASM("socket", falls_off_the_end, "r0 = 0;", "i"(0))
ASM("socket", falls_off_the_end_after_a_branch, UNKNOWN "if r0 == 0 goto out_%=; exit; out_%=: r0 = 1;", ASKS)
ASM("socket", ends_with_a_jump_back, "r0 = 0; goto end_%=; start_%=: exit; end_%=: goto start_%=;", "i"(0))
