/* SPDX-License-Identifier: MIT */
#include "bench.h"
/* branchy: a 12-opcode accumulator machine interpreting 1024 bytes */
PROG { u64 a = 1, b = 2, c = 3;
  for (u32 i = 0; i < 1024; i++) { u8 op = RD8(OFF_RAND + i); u64 im = op >> 4; barrier();
    switch (op & 15) {
    case 0: a += im; break; case 1: b ^= a; break; case 2: c = a + b; break; case 3: a = (a << 7) | (a >> 57); break;
    case 4: if (a > b) c++; else b--; break; case 5: b *= im | 1; break; case 6: a -= c; break; case 7: c ^= c >> 3; break;
    case 8: { u64 t = a; a = b; b = t; break; } case 9: if (c & 1) a ^= 0x9e3779b97f4a7c15ULL; break; case 10: b += c & im; break;
    case 11: c = ~c; break; default: a += op; break; } }
  return a ^ ROL64(b, 21) ^ ROL64(c, 42); }
#include "entry.h"
