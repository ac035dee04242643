/* SPDX-License-Identifier: MIT */
/* See bpf.h. */
#ifndef _LINUX_IPV6_H
#define _LINUX_IPV6_H
#include <linux/bpf.h>
#endif
