/* SPDX-License-Identifier: MIT */
/* See bpf.h. IPPROTO_* are an enumeration there. */
#ifndef _LINUX_IN_H
#define _LINUX_IN_H
#include <linux/bpf.h>

#define INADDR_ANY ((unsigned int)0x00000000)
#define INADDR_BROADCAST ((unsigned int)0xffffffff)
#define INADDR_LOOPBACK ((unsigned int)0x7f000001)
#endif
