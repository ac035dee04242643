/* SPDX-License-Identifier: MIT */
/* See bpf.h. */
#ifndef _LINUX_STDDEF_H
#define _LINUX_STDDEF_H
#include <linux/bpf.h>
#endif
