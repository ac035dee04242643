/* SPDX-License-Identifier: MIT */
/* A workqueue as a global variable: the map can be made, but not be mapped into user space, which libbpf asks for. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf_experimental.h>

char LICENSE[] SEC("license") = "GPL";

struct bpf_wq work;

SEC("syscall") int start(void *ctx)
{
	return bpf_wq_start(&work, 0);
}
