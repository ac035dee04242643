/* What only newer tools write: an arena with a 64-bit attribute, struct_ops with their programs, pointers in data. */
#include "bpf.h"

struct {
	__uint(type, 33);
	__uint(map_flags, 1 << 10);
	__uint(max_entries, 2);
	__ulong(map_extra, 0x100000000000ull);
} arena SEC(".maps");

struct tcp_congestion_ops {
	void (*init)(void *sk);
	__u32 (*ssthresh)(void *sk);
	__u64 flags;
	char name[16];
};

SEC("struct_ops")
void start(void *sk)
{
}

SEC("struct_ops.s/ssthresh")
__u32 threshold(void *sk)
{
	return bpf_map_lookup_elem(&arena, sk) != 0;
}

SEC(".struct_ops.link")
struct tcp_congestion_ops odd = { .init = (void *)start, .ssthresh = threshold, .flags = 2, .name = "odd" };

int word;
int *to_word = &word;
const char *text[2] = { "one", "two" };

SEC("license") char LICENSE[] = "GPL";
