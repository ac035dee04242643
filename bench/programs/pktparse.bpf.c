/* SPDX-License-Identifier: MIT */
#include "bench.h"
/* 32 packets: Ethernet / optional VLAN / IPv4 with options / TCP or UDP -> verdict counters, ip checksum check */
inline_ u16 be16(u16 v) { return __builtin_bswap16(v); }
PROG { u64 pass = 0, drop = 0, bytes = 0, acc = 0;
  for (u32 p = 0; p < 32; p++) {
    u8 *k = &mem->d[OFF_PKTS + p * 64];
    u32 l3 = 14; u16 proto = be16(*(u16 *)(k + 12));
    if (proto == 0x8100) { proto = be16(*(u16 *)(k + 16)); l3 = 18; }
    if (proto == 0x0806) { pass++; continue; }
    if (proto != 0x0800) { drop++; continue; }
    u8 *ip = k + l3; u32 ihl = ip[0] & 15;
    if ((ip[0] >> 4) != 4 || ihl < 5 || ihl > 6) { drop++; continue; }
    u32 sum = 0;
    for (u32 i = 0; i < 10; i++) sum += *(u16 *)(ip + 2 * i);
    if (ihl == 6) sum += *(u16 *)(ip + 20) + *(u16 *)(ip + 22);
    sum = (sum & 0xffff) + (sum >> 16); sum = (sum & 0xffff) + (sum >> 16);
    if (sum != 0xffff) { drop++; continue; }
    if (ip[8] == 0) { drop++; continue; }
    bytes += be16(*(u16 *)(ip + 2));
    u32 src = __builtin_bswap32(*(u32 *)(ip + 12));
    if ((src >> 24) == 127 || (src >> 28) == 14) { drop++; continue; }
    u8 *l4 = ip + ihl * 4; u16 dport = be16(*(u16 *)(l4 + 2));
    if (ip[9] == 6) { u8 fl = l4[13];
      if ((fl & 3) == 3) { drop++; continue; }
      if (dport == 22 && (src >> 24) != 10) { drop++; continue; }
      pass++; acc += fl; }
    else if (ip[9] == 17) { if (dport == 53 || dport == 123) { pass++; acc ^= src; } else if (dport < 1024) drop++; else pass++; }
    else if (ip[9] == 1) pass++;
    else drop++;
  }
  return (pass << 48) ^ (drop << 40) ^ (bytes << 16) ^ acc; }
#include "entry.h"
