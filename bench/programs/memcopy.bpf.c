/* SPDX-License-Identifier: MIT */
#include "bench.h"
/* copy 1024 bytes byte-wise, 2048 bytes 8-byte-wise, then compare 2048 bytes 8-wise and 1024 bytes byte-wise */
PROG { u64 diff = 0; u32 n = 0;
  for (u32 i = 0; i < 1024; i++) { mem->d[OFF_SCR + i] = RD8(OFF_RAND + i); barrier(); }
  for (u32 i = 0; i < 2048; i += 8) { RD64(OFF_SCR + 4096 + i) = RD64(OFF_RAND + 1024 + i); barrier(); }
  for (u32 i = 0; i < 2048; i += 8) { diff |= RD64(OFF_SCR + 4096 + i) ^ RD64(OFF_RAND + i); barrier(); }
  for (u32 i = 0; i < 1024; i++) { if (RD8(OFF_SCR + i) != RD8(OFF_RAND + i)) break; n++; barrier(); }
  return diff + n; }
#include "entry.h"
