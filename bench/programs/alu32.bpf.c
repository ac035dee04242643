/* SPDX-License-Identifier: MIT */
#include "bench.h"
/* 32-bit ALU mix: xorshift32 + pcg step + signed shifts, 2000 rounds */
PROG { u32 x = RD32(OFF_RAND) | 1, p = RD32(OFF_RAND + 4), s = 0;
  for (u32 i = 0; i < 2000; i++) { x ^= x << 13; x ^= x >> 17; x ^= x << 5; p = p * 747796405u + 2891336453u;
    u32 w = ((p >> ((p >> 28) + 4)) ^ p) * 277803737u; w = (w >> 22) ^ w; s += (u32)((s32)w >> (x & 7)) - (x & ~w); barrier(); }
  return ((u64)s << 32) | x; }
#include "entry.h"
