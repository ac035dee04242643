// Which declarations make a workqueue field that the verifier knows (2.1, 2.5, 2.6). Each case starts what it takes for one.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "bpf_experimental.h"

char LICENSE[] SEC("license") = "GPL";

#define ARRAY_OF(name, type_of_value)                                                                                  \
	struct {                                                                                                       \
		__uint(type, BPF_MAP_TYPE_ARRAY);                                                                      \
		__uint(max_entries, 2);                                                                                \
		__type(key, __u32);                                                                                    \
		__type(value, type_of_value);                                                                          \
	} name SEC(".maps")

#define STARTS(name, map, offset)                                                                                      \
	SEC("syscall") int name(void *ctx)                                                                             \
	{                                                                                                              \
		__u32 key = 0;                                                                                         \
		char *value = bpf_map_lookup_elem(&map, &key);                                                         \
                                                                                                                       \
		return value ? bpf_wq_start((struct bpf_wq *)(value + offset), 0) : 1;                                 \
	}

#define FIELD(name, offset, ...)                                                                                       \
	struct value_##name __VA_ARGS__;                                                                               \
	ARRAY_OF(map_##name, struct value_##name);                                                                     \
	STARTS(name, map_##name, offset)

typedef struct bpf_wq wq_t;
struct nested {
	__u64 x;
	struct bpf_wq work;
};
struct deeper {
	__u64 y;
	struct nested nested;
};

// Recognised
FIELD(member, 0, { struct bpf_wq work; __u64 x; })
FIELD(member_at_eight, 8, { __u64 x; struct bpf_wq work; })
FIELD(member_at_end, 24, { __u64 x[3]; struct bpf_wq work; })
FIELD(nested_member, 16, { __u64 x; struct nested nested; })
FIELD(twice_nested_member, 24, { __u64 x; struct deeper deeper; })
FIELD(array_of_one, 8, { __u64 x; struct bpf_wq work[1]; })
FIELD(array_of_one_nested, 16, { __u64 x; struct nested nested[1]; })
FIELD(beside_timer, 16, { struct bpf_timer timer; struct bpf_wq work; })
FIELD(beside_lock, 8, { struct bpf_spin_lock lock; struct bpf_wq work; })
FIELD(beside_task_work, 8, { struct bpf_task_work task_work; struct bpf_wq work; })
FIELD(beside_all, 32, { struct bpf_spin_lock lock; struct bpf_timer timer; struct bpf_task_work task_work; struct bpf_wq work; })
FIELD(alone_in_struct, 0, { struct bpf_wq work; })
FIELD(in_anonymous_struct, 8, { __u64 x; struct { struct bpf_wq work; }; })

// Silently not recognised
FIELD(through_typedef, 8, { __u64 x; wq_t work; })
FIELD(const_member, 8, { __u64 x; const struct bpf_wq work; })
FIELD(volatile_member, 8, { __u64 x; volatile struct bpf_wq work; })
FIELD(pointer_member, 8, { __u64 x; struct bpf_wq *work; __u64 y; })
FIELD(in_union, 8, { __u64 x; union { struct bpf_wq work; __u64 y; }; })
FIELD(array_of_none, 8, { __u64 x; struct bpf_wq work[0]; __u64 y[2]; })
FIELD(misaligned, 4, { __u32 x; struct bpf_wq work; } __attribute__((packed)))
FIELD(no_field_at_all, 8, { __u64 x[3]; })
FIELD(only_timer, 8, { __u64 x; struct bpf_timer timer; })

// Too many: no field at all
FIELD(two_members, 0, { struct bpf_wq work; struct bpf_wq second; })
FIELD(array_of_two, 0, { struct bpf_wq work[2]; })
FIELD(array_of_two_structs, 8, { struct nested nested[2]; })

// The value type itself
ARRAY_OF(map_bare, struct bpf_wq);
STARTS(value_is_workqueue, map_bare, 0)
ARRAY_OF(map_scalar, __u64);
STARTS(value_is_scalar, map_scalar, 0)

// Without BTF for the value
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__uint(key_size, 4);
	__uint(value_size, 32);
} map_without_btf SEC(".maps");
STARTS(value_without_btf, map_without_btf, 8)

// Global data: its map's value type is the data section
struct bpf_wq global_work SEC(".data.work");
struct nested global_nested SEC(".data.nested");

static int cb(void *map, int *key, void *value)
{
	return 0;
}

SEC("syscall") int global_variable(void *ctx)
{
	return bpf_wq_start(&global_work, 0);
}

SEC("syscall") int member_of_global_variable(void *ctx)
{
	return bpf_wq_start(&global_nested.work, 0);
}

SEC("syscall") int global_variable_sets_callback(void *ctx)
{
	return bpf_wq_set_callback(&global_work, cb, 0);
}

// 2.2: kinds of maps and flags that may have one (test/async has those that may not)
#define KIND(name, kind, flags)                                                                                        \
	struct {                                                                                                       \
		__uint(type, kind);                                                                                    \
		__uint(map_flags, flags);                                                                              \
		__uint(max_entries, 2);                                                                                \
		__type(key, __u32);                                                                                    \
		__type(value, struct nested);                                                                          \
	} map_##name SEC(".maps");                                                                                     \
	STARTS(name, map_##name, 8)

KIND(in_lru_no_common, BPF_MAP_TYPE_LRU_HASH, BPF_F_NO_COMMON_LRU)
KIND(in_mmapable_array, BPF_MAP_TYPE_ARRAY, BPF_F_MMAPABLE)
KIND(in_inner_map_array, BPF_MAP_TYPE_ARRAY, BPF_F_INNER_MAP)
KIND(in_zero_seed_hash, BPF_MAP_TYPE_HASH, BPF_F_ZERO_SEED)
KIND(in_hash_read_only_for_users, BPF_MAP_TYPE_HASH, BPF_F_RDONLY)
