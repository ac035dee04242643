/* SPDX-License-Identifier: MIT */
#include "bench.h"
/* bpf-to-bpf calls: 500 rounds x 3 calls (one of them nested) */
SUBPROG u64 leaf(u64 a, u64 b) { barrier(); return (a ^ (b << 3)) + (b >> 2); }
SUBPROG u64 mid(u64 a, u64 b, u64 c) { u64 r = leaf(a, c); return r * 5 + b; }
PROG { u64 a = RD64(OFF_RAND), b = RD64(OFF_RAND + 8);
  for (u32 i = 0; i < 500; i++) { a = mid(a, b, i); b = leaf(b, a); }
  return a ^ b; }
#include "entry.h"
