/* SPDX-License-Identifier: MIT */
/* Operands for programs written as `asm volatile` in a __naked function. */
#ifndef __TEST_ASM_H
#define __TEST_ASM_H

/* A constant or a helper's number: `call %[bpf_map_lookup_elem]` with value(bpf_map_lookup_elem). */
#define value(name) [name] "i"(name)
/* A map's or function's address: `r1 = %[m] ll` with address(m). */
#define address(name) [name] "i"(&name)
#define clobbers "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "memory"

#endif
