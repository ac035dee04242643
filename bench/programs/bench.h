/* SPDX-License-Identifier: MIT */
/*
 * Shared by the programs that compute: one function over 16 KiB of memory, without helpers, called by `entry.h`. Every run
 * gives the same result; only the upper half of the memory is written.
 */
#ifndef BENCH_H
#define BENCH_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed int s32;
typedef signed long long s64;

#define MEMSZ 16384
#define OFF_RAND 0x0000 /* 4096 pseudo-random bytes */
#define OFF_SORT 0x1000 /* 512 ascending u32 */
#define OFF_PKTS 0x1800 /* 32 packets of 64 bytes */
#define OFF_SCR 0x2000	/* 8192 bytes to write to, zero at the start */

struct buf {
	u8 d[MEMSZ];
} __attribute__((aligned(8)));

#define barrier() __asm__ volatile("" ::: "memory")
#define noinline __attribute__((noinline))
#define inline_ static inline __attribute__((always_inline))
#define ROL32(x, r) (((x) << (r)) | ((x) >> (32 - (r))))
#define ROL64(x, r) (((x) << (r)) | ((x) >> (64 - (r))))

inline_ void *at_(struct buf *m, u64 o)
{
	return (u8 *)m + o;
}

#define RD8(o) (*(u8 *)at_(mem, (o)))
#define RD32(o) (*(u32 *)at_(mem, (o)))
#define RD64(o) (*(u64 *)at_(mem, (o)))

#define SUBPROG static noinline
#define PROG static noinline u64 prog(struct buf *mem, u64 len)

#endif
