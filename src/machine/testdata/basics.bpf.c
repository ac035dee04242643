/* SPDX-License-Identifier: MIT */
/* Globals, printing, packets and what a program can ask about itself. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

const volatile __u32 step = 2;
__u64 total = 40;
__u32 calls;
__u64 pid_tgid, uid_gid, time, random;
char comm[16];

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} seen SEC(".maps");

SEC("syscall") int add(void *ctx)
{
	total += step;
	calls += 1;
	return total;
}

SEC("syscall") int print(void *ctx)
{
	bpf_printk("hello %d %s", 42, "you");
	bpf_printk("%d %d %d %d", 1, 2, 3, 4);
	return bpf_printk("%f", 1);
}

SEC("syscall") int who(void *ctx)
{
	pid_tgid = bpf_get_current_pid_tgid();
	uid_gid = bpf_get_current_uid_gid();
	time = bpf_ktime_get_ns();
	random = bpf_get_prandom_u32();
	bpf_get_current_comm(comm, sizeof(comm));
	return bpf_get_smp_processor_id();
}

SEC("xdp") int count(struct xdp_md *xdp)
{
	__u8 *data = (void *)(long)xdp->data, *end = (void *)(long)xdp->data_end;
	__u64 one = 1, *value;
	__u32 key;

	if (data + 14 > end)
		return XDP_ABORTED;
	key = data[13];
	data[0] += 1;
	value = bpf_map_lookup_elem(&seen, &key);
	if (value)
		__sync_fetch_and_add(value, 1);
	else if (bpf_map_update_elem(&seen, &key, &one, BPF_ANY))
		return XDP_DROP;
	return XDP_PASS;
}

SEC("tc") int mark(struct __sk_buff *skb)
{
	skb->mark += skb->len;
	skb->cb[0] = 5;
	return 0;
}

/* Fields that are not at the top of the value. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct {
		__u64 first;
		struct {
			struct bpf_timer timer;
			struct {
				struct bpf_wq work[1];
			} deep;
		} state;
	});
} nested SEC(".maps");

SEC("?syscall") int broken_call(void *ctx)
{
	return bpf_get_current_comm((void *)0x10, 16);
}

SEC("?syscall") int broken(struct __sk_buff *ctx)
{
	return *(volatile __u32 *)0x10;
}
