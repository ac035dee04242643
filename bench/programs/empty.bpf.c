/* SPDX-License-Identifier: MIT */
/* Nothing: what a run costs by itself, subtracted from every other program's time. */
struct xdp_md;

__attribute__((section("xdp"), used)) int entry(struct xdp_md *ctx)
{
	return 2;
}

char _license[] __attribute__((section("license"), used)) = "GPL";
