/* SPDX-License-Identifier: MIT */
/* See bpf.h. */
#ifndef _LINUX_ICMP_H
#define _LINUX_ICMP_H
#include <linux/bpf.h>
#endif
