/* SPDX-License-Identifier: MIT */
/* Constraints for programs written as `asm volatile` in a __naked function. */
#ifndef __TEST_ASM_H
#define __TEST_ASM_H

/* A number, a helper's number or a map's address as an operand: `call %[lookup]`, `r1 = %[m] ll`. */
#define __imm(name) [name] "i"(name)
#define __imm_const(name, value) [name] "i"(value)
#define __imm_addr(name) [name] "i"(&name)
#define __clobber_all "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "memory"

#endif
