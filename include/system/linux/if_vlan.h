/* SPDX-License-Identifier: MIT */
/* See bpf.h. */
#ifndef _LINUX_IF_VLAN_H
#define _LINUX_IF_VLAN_H
#include <linux/bpf.h>
#endif
