/* SPDX-License-Identifier: MIT */
/* See bpf.h. */
#ifndef _LINUX_ICMPV6_H
#define _LINUX_ICMPV6_H
#include <linux/bpf.h>
#endif
