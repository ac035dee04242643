/* SPDX-License-Identifier: MIT */
/* See bpf.h. */
#ifndef _LINUX_UDP_H
#define _LINUX_UDP_H
#include <linux/bpf.h>
#endif
