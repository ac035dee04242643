/** What is known of program types beside what was recorded: facts that do not change between kernels. */
import type { ProgramType } from '../uapi/index.js'

/** The struct that a program's source calls its context. Types that are missing get what their attach point gives. */
export const contextStructs: Readonly<Partial<Record<ProgramType, string>>> = {
  socket_filter: '__sk_buff',
  sched_cls: '__sk_buff',
  sched_act: '__sk_buff',
  cgroup_skb: '__sk_buff',
  lwt_in: '__sk_buff',
  lwt_out: '__sk_buff',
  lwt_xmit: '__sk_buff',
  lwt_seg6local: '__sk_buff',
  sk_skb: '__sk_buff',
  flow_dissector: '__sk_buff',
  xdp: 'xdp_md',
  kprobe: 'pt_regs',
  perf_event: 'bpf_perf_event_data',
  raw_tracepoint: 'bpf_raw_tracepoint_args',
  raw_tracepoint_writable: 'bpf_raw_tracepoint_args',
  cgroup_sock: 'bpf_sock',
  cgroup_sock_addr: 'bpf_sock_addr',
  cgroup_device: 'bpf_cgroup_dev_ctx',
  cgroup_sysctl: 'bpf_sysctl',
  cgroup_sockopt: 'bpf_sockopt',
  sock_ops: 'bpf_sock_ops',
  sk_msg: 'sk_msg_md',
  sk_reuseport: 'sk_reuseport_md',
  sk_lookup: 'bpf_sk_lookup',
  netfilter: 'bpf_nf_ctx',
}

/** Types that may write to the packet (`cannot write into packet` elsewhere). */
export const packetWriters: ReadonlySet<ProgramType> = new Set<ProgramType>([
  'sched_cls',
  'sched_act',
  'xdp',
  'lwt_xmit',
  'sk_skb',
  'sk_msg',
  'cgroup_sockopt',
])

/** Types that the kernel counts as tracing programs where it refuses maps with a `bpf_wq` or `bpf_timer`. */
export const tracingTypes: ReadonlySet<ProgramType> = new Set<ProgramType>([
  'kprobe',
  'tracepoint',
  'perf_event',
  'raw_tracepoint',
  'raw_tracepoint_writable',
])
