/* SPDX-License-Identifier: MIT */
/* See bpf.h. */
#ifndef _LINUX_TCP_H
#define _LINUX_TCP_H
#include <linux/bpf.h>
#endif
