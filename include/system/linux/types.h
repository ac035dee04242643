/* SPDX-License-Identifier: MIT */
/* See bpf.h. */
#ifndef _LINUX_TYPES_H
#define _LINUX_TYPES_H
#include <linux/bpf.h>
#endif
