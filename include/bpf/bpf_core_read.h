/* SPDX-License-Identifier: MIT */
/*
 * Reading kernel structures whose layout is settled at load time (CO-RE). The builtins record a relocation; the loader
 * writes the offset, size or existence that the running kernel has.
 */
#ifndef __BPF_CORE_READ_H__
#define __BPF_CORE_READ_H__

/* Kinds of question, as LLVM and the kernel number them. */
enum bpf_field_info_kind {
	BPF_FIELD_BYTE_OFFSET = 0,
	BPF_FIELD_BYTE_SIZE = 1,
	BPF_FIELD_EXISTS = 2,
	BPF_FIELD_SIGNED = 3,
	BPF_FIELD_LSHIFT_U64 = 4,
	BPF_FIELD_RSHIFT_U64 = 5,
};
enum bpf_type_info_kind {
	BPF_TYPE_EXISTS = 0,
	BPF_TYPE_SIZE = 1,
	BPF_TYPE_MATCHES = 2,
};
enum bpf_enum_value_kind {
	BPF_ENUMVAL_EXISTS = 0,
	BPF_ENUMVAL_VALUE = 1,
};

#define bpf_core_field_exists(field) __builtin_preserve_field_info(field, BPF_FIELD_EXISTS)
#define bpf_core_field_size(field) __builtin_preserve_field_info(field, BPF_FIELD_BYTE_SIZE)
#define bpf_core_field_offset(field) __builtin_preserve_field_info(field, BPF_FIELD_BYTE_OFFSET)
#define bpf_core_type_exists(type) __builtin_preserve_type_info(*(typeof(type) *)0, BPF_TYPE_EXISTS)
#define bpf_core_type_matches(type) __builtin_preserve_type_info(*(typeof(type) *)0, BPF_TYPE_MATCHES)
#define bpf_core_type_size(type) __builtin_preserve_type_info(*(typeof(type) *)0, BPF_TYPE_SIZE)
#define bpf_core_type_id_local(type) __builtin_btf_type_id(*(typeof(type) *)0, 0)
#define bpf_core_type_id_kernel(type) __builtin_btf_type_id(*(typeof(type) *)0, 1)
#define bpf_core_enum_value_exists(type, value) __builtin_preserve_enum_value(*(typeof(type) *)value, BPF_ENUMVAL_EXISTS)
#define bpf_core_enum_value(type, value) __builtin_preserve_enum_value(*(typeof(type) *)value, BPF_ENUMVAL_VALUE)

/* Copies from a kernel address whose offset is relocated. */
#define bpf_core_read(dst, size, src) bpf_probe_read_kernel(dst, size, (const void *)__builtin_preserve_access_index(src))
#define bpf_core_read_str(dst, size, src)                                                                              \
	bpf_probe_read_kernel_str(dst, size, (const void *)__builtin_preserve_access_index(src))
#define bpf_core_cast(ptr, type) ((typeof(type) *)bpf_rdonly_cast((ptr), bpf_core_type_id_kernel(type)))

/* BPF_CORE_READ(task, real_parent, pid): follows pointers, one safe read a step; up to five steps. */
#define __core_get(src, field)                                                                                         \
	({                                                                                                             \
		typeof(src) ____from = (src);                                                                          \
		typeof(____from->field) ____value;                                                                     \
		bpf_core_read(&____value, sizeof(____value), &____from->field);                                        \
		____value;                                                                                             \
	})
#define __core_read_1(src, a) __core_get(src, a)
#define __core_read_2(src, a, b) __core_get(__core_get(src, a), b)
#define __core_read_3(src, a, b, c) __core_get(__core_read_2(src, a, b), c)
#define __core_read_4(src, a, b, c, d) __core_get(__core_read_3(src, a, b, c), d)
#define __core_read_5(src, a, b, c, d, e) __core_get(__core_read_4(src, a, b, c, d), e)
#define __core_pick(_1, _2, _3, _4, _5, name, ...) name
#define BPF_CORE_READ(src, ...)                                                                                        \
	__core_pick(__VA_ARGS__, __core_read_5, __core_read_4, __core_read_3, __core_read_2, __core_read_1)            \
	(src, __VA_ARGS__)

#endif
