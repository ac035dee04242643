/* Subprograms static, global, weak and hidden; callbacks; kernel functions and variables, some of which may be missing. */
#include "bpf.h"

struct task_struct;

extern int bpf_wq_start(struct bpf_wq *wq, __u32 flags) __ksym;
extern void bpf_rcu_read_lock(void) __ksym __weak;
extern const int bpf_prog_active __ksym;
extern const void absent __ksym __weak;

__u64 sum;

static __noinline int leaf(int a)
{
	sum += a;
	return sum;
}

static __noinline int unused_by_first(int a)
{
	sum ^= a;
	return leaf(a) * 3;
}

__noinline int global(int a)
{
	sum -= a;
	return leaf(a + 1);
}

__weak __noinline int weak(int a)
{
	sum <<= a;
	return sum;
}

__hidden __noinline int hidden(int a)
{
	sum |= a;
	return sum;
}

static int each(__u64 index, void *ctx)
{
	return leaf(index) > 5;
}

SEC("tc")
int first(void *ctx)
{
	return global(1) + leaf(2);
}

SEC("tc")
int second(void *ctx)
{
	bpf_loop(3, each, 0, 0);
	return unused_by_first(4) + hidden(5) + weak(6) + global(7);
}

SEC("?syscall")
int kernel(struct bpf_wq *wq)
{
	if (bpf_rcu_read_lock)
		bpf_rcu_read_lock();
	if (&absent == 0)
		return bpf_prog_active;
	return bpf_wq_start(wq, 0);
}

SEC("nonsense/foo")
int strange(void *ctx)
{
	return 0;
}

SEC("license") char LICENSE[] = "GPL";
