/* SPDX-License-Identifier: MIT */
/* What the cases about the machine itself share: two maps, and a way to say a program in assembly. */
#ifndef __TEST_CORE_H
#define __TEST_CORE_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "asm.h"

struct value {
	__u64 a;
	__u64 b;
	__u8 bytes[48];
}; /* 64 bytes */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct value);
} array SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, __u64);
	__type(value, struct value);
} hash SEC(".maps");

/* A program in assembly; what follows the code are its operands. */
#define ASM(section, name, code, ...)                                                                                  \
	SEC(section) __naked void name(void)                                                                           \
	{                                                                                                              \
		asm volatile(code : : __VA_ARGS__ : clobbers);                                                         \
	}

/* r0 = the element of `hash` with key 0, or NULL. */
#define LOOKUP                                                                                                         \
	"r1 = 0;"                                                                                                      \
	"*(u64 *)(r10 - 8) = r1;"                                                                                      \
	"r2 = r10;"                                                                                                    \
	"r2 += -8;"                                                                                                    \
	"r1 = %[hash] ll;"                                                                                             \
	"call %[bpf_map_lookup_elem];"
/* The same, and the program ends where there is none. */
#define VALUE LOOKUP "if r0 != 0 goto have_%=; r0 = 0; exit; have_%=:"
#define LOOKS_UP address(hash), value(bpf_map_lookup_elem)

/* r0 = a number that nobody knows. */
#define UNKNOWN "call %[bpf_get_prandom_u32];"
#define ASKS value(bpf_get_prandom_u32)
#define DONE "r0 = 0; exit;"

#endif
