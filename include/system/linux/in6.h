/* SPDX-License-Identifier: MIT */
/* See bpf.h. */
#ifndef _LINUX_IN6_H
#define _LINUX_IN6_H
#include <linux/bpf.h>
#endif
