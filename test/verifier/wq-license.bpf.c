// 3.8: kfuncs are for GPL-compatible programs, and that is looked at before any instruction is.
#include "wq.h"

char LICENSE[] SEC("license") = "Proprietary";

static int cb(void *map, int *key, void *value)
{
	return 0;
}

SEC("syscall") int proprietary_calls_kfunc(void *ctx)
{
	struct elem *elem = first();

	return elem ? bpf_wq_start(&elem->work, 0) : 1;
}

SEC("syscall") int proprietary_sets_callback(void *ctx)
{
	struct elem *elem = first();

	return elem ? bpf_wq_set_callback(&elem->work, cb, 0) : 1;
}

// The broken instruction before the call is not what is complained about
SEC("syscall") __naked int proprietary_and_broken(void *ctx)
{
	asm volatile("r0 = r6;"
		     "r1 = r10;"
		     "r2 = 0;"
		     "call bpf_wq_start;"
		     "exit;" ::
			     : clobbers);
}

SEC("syscall") int proprietary_without_kfunc(void *ctx)
{
	return first() ? 0 : 1;
}

SEC("syscall") int proprietary_calls_restricted_helper(void *ctx)
{
	bpf_printk("restricted");
	return 0;
}
