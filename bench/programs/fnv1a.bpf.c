/* SPDX-License-Identifier: MIT */
#include "bench.h"
/* FNV-1a 64 over 1500 bytes: byte loads + dependent 64-bit multiply */
PROG { u64 h = 0xcbf29ce484222325ULL;
  for (u32 i = 0; i < 1500; i++) { h ^= RD8(OFF_RAND + i); h *= 0x100000001b3ULL; }
  return h; }
#include "entry.h"
