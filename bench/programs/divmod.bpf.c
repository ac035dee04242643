/* SPDX-License-Identifier: MIT */
#include "bench.h"
/* 64- and 32-bit mul/div/mod mix, 256 rounds, operands from memory */
PROG { u64 a = 0x123456789abcdefULL; u32 b = 77;
  for (u32 i = 0; i < 256; i++) { u64 x = RD64(OFF_RAND + i * 8); u64 d = (x >> 32) | 1; u32 e = (u32)x | 1;
    a = a * 6364136223846793005ULL + x; a ^= a / d; a += x % (a | 1); b = b * 1103515245u + e; b ^= 0xffffffffu / e; b += (u32)a % e; }
  return a ^ b; }
#include "entry.h"
