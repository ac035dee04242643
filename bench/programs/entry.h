/* SPDX-License-Identifier: MIT */
/* Included after a program that computes: an XDP entry that hands it its memory and keeps its result. */
#define __uint(name, val) int(*name)[val]

struct {
	__uint(type, 2);
	__uint(key_size, 4);
	__uint(value_size, MEMSZ);
	__uint(max_entries, 1);
} input __attribute__((section(".maps"), used));

struct {
	__uint(type, 2);
	__uint(key_size, 4);
	__uint(value_size, 8);
	__uint(max_entries, 1);
} result __attribute__((section(".maps"), used));

static void *(*const bpf_map_lookup_elem)(void *map, const void *key) = (void *)1;
struct xdp_md;

__attribute__((section("xdp"), used)) int entry(struct xdp_md *ctx)
{
	u32 k = 0;
	struct buf *m = bpf_map_lookup_elem(&input, &k);
	u64 *r = bpf_map_lookup_elem(&result, &k);

	if (!m || !r)
		return 0;
	*r = prog(m, MEMSZ);
	return 2;
}

char _license[] __attribute__((section("license"), used)) = "GPL";
