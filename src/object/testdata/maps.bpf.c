/* Map definitions with every attribute, maps of maps and program arrays with initial values. */
#include "bpf.h"

struct value {
	__u64 count;
	struct bpf_wq work;
};

struct {
	__uint(type, 1);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, struct value);
	__uint(map_flags, 1);
	__uint(pinning, 1);
} beats SEC(".maps");

struct {
	__uint(type, 2);
	__uint(key_size, 4);
	__uint(value_size, 24);
	__uint(max_entries, 3);
	__uint(numa_node, 1);
} plain SEC(".maps");

struct {
	__uint(type, 30);
	__uint(max_entries, 100);
	__type(value, __u64);
	__uint(map_extra, 5);
} bloom SEC(".maps");

struct inner {
	__uint(type, 2);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} first SEC(".maps"), second SEC(".maps");

struct {
	__uint(type, 12);
	__uint(max_entries, 4);
	__type(key, __u32);
	__array(values, struct inner);
} outer SEC(".maps") = { .values = { [1] = &second, [3] = &first } };

int tail(void *ctx);

struct {
	__uint(type, 3);
	__uint(max_entries, 2);
	__uint(key_size, 4);
	__array(values, int(void *));
} jumps SEC(".maps") = { .values = { [1] = (void *)&tail } };

SEC("tc")
int tail(void *ctx)
{
	return 1;
}

SEC("tc")
int entry(void *ctx)
{
	__u32 key = 1;
	struct value *value = bpf_map_lookup_elem(&beats, &key);
	if (value)
		value->count++;
	bpf_map_lookup_elem(&outer, &key);
	bpf_tail_call(ctx, &jumps, 1);
	return 0;
}

SEC("license") char LICENSE[] = "GPL";
