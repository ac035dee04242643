/* SPDX-License-Identifier: MIT */
#include "bench.h"
/* sieve of Eratosthenes below 4096, one byte per number, in scratch memory */
PROG { u32 n = 0;
  for (u32 i = 0; i < 4096; i += 8) { RD64(OFF_SCR + i) = 0; barrier(); }
  for (u32 i = 2; i < 64; i++) { if (RD8(OFF_SCR + i)) continue;
    for (u32 j = i * i; j < 4096; j += i) { mem->d[OFF_SCR + j] = 1; barrier(); } }
  for (u32 i = 2; i < 4096; i++) { n += RD8(OFF_SCR + i) ^ 1; barrier(); }
  return n; }
#include "entry.h"
