/* Global data in every section that becomes a map, and configuration of the kernel. */
#include "bpf.h"

enum libbpf_tristate { TRI_NO = 0, TRI_YES = 1, TRI_MODULE = 2 };
enum mood { CALM = 1, BUSY = 7 };

struct point {
	__s32 x;
	__u64 y;
};

const volatile __u32 interval_ms = 1000;
const volatile __u64 mask = 0xfedcba9876543210ull;
__u32 fired = 3;
struct point where = { -2, 1ull << 40 };
enum mood mood = BUSY;
__u64 total;
__u8 bytes[5];
char label[8] = "hello";
static __u32 hidden_count = 9;
int hot SEC(".data.hot") = 77;
const int cold SEC(".rodata.cold") = 78;
int zero SEC(".bss.zero");
__hidden int quiet SEC(".data.quiet") = 79;

extern int LINUX_KERNEL_VERSION __kconfig;
extern _Bool CONFIG_BPF_LSM __kconfig __weak;
extern enum libbpf_tristate CONFIG_TLS __kconfig __weak;
extern char CONFIG_BPF_JIT __kconfig __weak;
extern __u64 CONFIG_HZ __kconfig __weak;
extern char CONFIG_CC_VERSION_TEXT[16] __kconfig __weak;

SEC("xdp")
int count(void *ctx)
{
	static __u64 calls;

	__sync_fetch_and_add(&calls, 1);
	__sync_fetch_and_add(&total, interval_ms);
	fired++;
	hidden_count += fired;
	where.y += mask;
	bytes[2] = label[1];
	hot += cold + quiet++;
	zero = mood;
	if (LINUX_KERNEL_VERSION > 0x060000 && CONFIG_HZ > 100)
		return CONFIG_BPF_LSM + CONFIG_TLS + CONFIG_BPF_JIT + CONFIG_CC_VERSION_TEXT[0];
	bpf_trace_printk("hello %d", 9, hidden_count);
	return 2;
}

SEC("license") char LICENSE[] = "Dual MIT/GPL";
SEC("version") __u32 VERSION = 0x060c00;
