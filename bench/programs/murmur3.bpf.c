/* SPDX-License-Identifier: MIT */
#include "bench.h"
/* murmur3_x86_32 over 1500 bytes: 32-bit mul/rotate */
PROG { u32 h = 0x1234567;
  for (u32 i = 0; i < 1500; i += 4) { u32 k = RD32(OFF_RAND + i); k *= 0xcc9e2d51u; k = ROL32(k, 15); k *= 0x1b873593u;
    h ^= k; h = ROL32(h, 13); h = h * 5 + 0xe6546b64u; }
  h ^= 1500; h ^= h >> 16; h *= 0x85ebca6bu; h ^= h >> 13; h *= 0xc2b2ae35u; h ^= h >> 16; return h; }
#include "entry.h"
