/* SPDX-License-Identifier: MIT */
#include "bench.h"
/* SipHash-2-4 over 1024 bytes */
#define SR do { v0 += v1; v1 = ROL64(v1,13); v1 ^= v0; v0 = ROL64(v0,32); v2 += v3; v3 = ROL64(v3,16); v3 ^= v2; \
 v0 += v3; v3 = ROL64(v3,21); v3 ^= v0; v2 += v1; v1 = ROL64(v1,17); v1 ^= v2; v2 = ROL64(v2,32); } while (0)
PROG { u64 k0 = RD64(OFF_RAND + 2048), k1 = RD64(OFF_RAND + 2056);
  u64 v0 = k0 ^ 0x736f6d6570736575ULL, v1 = k1 ^ 0x646f72616e646f6dULL, v2 = k0 ^ 0x6c7967656e657261ULL, v3 = k1 ^ 0x7465646279746573ULL;
  for (u32 i = 0; i < 1024; i += 8) { u64 m = RD64(OFF_RAND + i); v3 ^= m; SR; SR; v0 ^= m; }
  u64 b = 1024ULL << 56; v3 ^= b; SR; SR; v0 ^= b; v2 ^= 0xff; SR; SR; SR; SR;
  return v0 ^ v1 ^ v2 ^ v3; }
#include "entry.h"
