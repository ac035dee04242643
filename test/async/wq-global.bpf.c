// A workqueue in a global variable: its map is made, but not for user space to map (2.4).
//
// scenario load (2.3, 2.4): run start
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "bpf_experimental.h"

char LICENSE[] SEC("license") = "GPL";

struct bpf_wq work SEC(".data.work");

SEC("syscall") int start(void *ctx)
{
	return bpf_wq_start(&work, 0);
}
