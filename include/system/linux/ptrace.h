/* SPDX-License-Identifier: MIT */
/* See bpf.h. */
#ifndef _LINUX_PTRACE_H
#define _LINUX_PTRACE_H
#include <linux/bpf.h>
#endif
