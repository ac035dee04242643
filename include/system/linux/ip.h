/* SPDX-License-Identifier: MIT */
/* See bpf.h. */
#ifndef _LINUX_IP_H
#define _LINUX_IP_H
#include <linux/bpf.h>
#endif
