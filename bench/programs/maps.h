/* SPDX-License-Identifier: MIT */
/* Shared by the programs that use maps: a thousand operations (or 500 groups of them) a run, a result to compare. */
#ifndef MAPS_H
#define MAPS_H

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;

#define SEC(x) __attribute__((section(x), used))
#define __uint(name, val) int(*name)[val]
#define __type(name, val) typeof(val) *name

static void *(*bpf_map_lookup_elem)(void *map, const void *key) = (void *)1;
static long (*bpf_map_update_elem)(void *map, const void *key, const void *value, u64 flags) = (void *)2;
static long (*bpf_map_delete_elem)(void *map, const void *key) = (void *)3;

struct {
	__uint(type, 2);
	__type(key, u32);
	__type(value, u64);
	__uint(max_entries, 1);
} result SEC(".maps");

char _license[] SEC("license") = "GPL";
struct xdp_md;

static inline __attribute__((always_inline)) void put(u64 v)
{
	u32 k = 0;
	u64 *r = bpf_map_lookup_elem(&result, &k);

	if (r)
		*r = v;
}

#endif
