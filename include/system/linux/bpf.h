/* SPDX-License-Identifier: MIT */
/*
 * Stands in for the kernel's <linux/bpf.h> where a system has none (macOS): searched after everything else, so that real
 * headers win. All types come from vmlinux.h; the other files here add the constants that are macros in Linux.
 */
#ifndef _LINUX_BPF_H
#define _LINUX_BPF_H
#include "../../vmlinux.h"
#endif
