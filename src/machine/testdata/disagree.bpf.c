/* SPDX-License-Identifier: MIT */
/* A kernel function that is declared otherwise than Linux has it. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

extern int bpf_wq_start(unsigned int flags) __ksym;

SEC("syscall") int start(void *ctx)
{
	return bpf_wq_start(0);
}
