/**
 * What a section name says about the program in it: libbpf's table of `SEC()` names (libbpf 1.6), one row a rule.
 *
 * A row's name is matched in one of two ways: exactly, or, where it ends in `+`, as the whole name or as `name/...`, of
 * which the rest is what the program attaches to. Since libbpf 1.0 nothing else matches: `xdp_main` and `tc/foo` say nothing.
 */
import type { AttachType, ProgramType } from '../uapi/index.js'

/** `BPF_F_XDP_HAS_FRAGS` of BPF_PROG_LOAD: the program can handle multi-buffer packets (Linux 5.18). */
export const XDP_HAS_FRAGS = 1 << 5

/** One rule. */
export interface SectionRule {
  /** The name as in libbpf: with `+`, the rest after a slash is free. */
  readonly name: string
  readonly type: ProgramType
  readonly attachType?: AttachType
  /** Loaded with BPF_F_SLEEPABLE. */
  readonly sleepable?: true
  /** Further load flags. */
  readonly flags?: number
}

/** What a section name says. `type` is undefined where no rule matches. */
export interface SectionMeaning {
  readonly type: ProgramType | undefined
  readonly attachType: AttachType | undefined
  readonly attachTo: string | undefined
  readonly sleepable: boolean
  readonly flags: number
  /** `false` for `?name`. */
  readonly autoload: boolean
  /** The name without the `?`. */
  readonly section: string
}

const sleepable = { sleepable: true } as const
const frags = { flags: XDP_HAS_FRAGS } as const

function row(name: string, type: ProgramType, attachType?: AttachType, more: Partial<SectionRule> = {}): SectionRule {
  return { name, type, ...(attachType ? { attachType } : {}), ...more }
}

/** `cgroup/connect4` and its kin: one family of socket address hooks. */
function sockAddr(hook: 'bind' | 'connect' | 'sendmsg' | 'recvmsg' | 'getpeername' | 'getsockname'): SectionRule[] {
  const rows: SectionRule[] = []
  const inet = hook === 'sendmsg' || hook === 'recvmsg' ? (`udp` as const) : (`inet` as const)
  for (const version of [4, 6] as const) {
    // Only some of the products exist, so the union is narrowed by name.
    const attachType = `cgroup_${inet}${version}_${hook}` as AttachType
    rows.push(row(`cgroup/${hook}${version}`, 'cgroup_sock_addr', attachType))
  }
  if (hook !== 'bind') rows.push(row(`cgroup/${hook}_unix`, 'cgroup_sock_addr', `cgroup_unix_${hook}`))
  return rows
}

/** All rules, in libbpf's order. */
export const sectionRules: readonly SectionRule[] = [
  row('socket', 'socket_filter'),
  row('sk_reuseport/migrate', 'sk_reuseport', 'sk_reuseport_select_or_migrate'),
  row('sk_reuseport', 'sk_reuseport', 'sk_reuseport_select'),
  row('kprobe+', 'kprobe'),
  row('uprobe+', 'kprobe'),
  row('uprobe.s+', 'kprobe', undefined, sleepable),
  row('kretprobe+', 'kprobe'),
  row('uretprobe+', 'kprobe'),
  row('uretprobe.s+', 'kprobe', undefined, sleepable),
  row('kprobe.multi+', 'kprobe', 'trace_kprobe_multi'),
  row('kretprobe.multi+', 'kprobe', 'trace_kprobe_multi'),
  row('kprobe.session+', 'kprobe', 'trace_kprobe_session'),
  row('uprobe.multi+', 'kprobe', 'trace_uprobe_multi'),
  row('uretprobe.multi+', 'kprobe', 'trace_uprobe_multi'),
  row('uprobe.session+', 'kprobe', 'trace_uprobe_session'),
  row('uprobe.multi.s+', 'kprobe', 'trace_uprobe_multi', sleepable),
  row('uretprobe.multi.s+', 'kprobe', 'trace_uprobe_multi', sleepable),
  row('uprobe.session.s+', 'kprobe', 'trace_uprobe_session', sleepable),
  row('ksyscall+', 'kprobe'),
  row('kretsyscall+', 'kprobe'),
  row('usdt+', 'kprobe'),
  row('usdt.s+', 'kprobe', undefined, sleepable),
  row('tc/ingress', 'sched_cls', 'tcx_ingress'),
  row('tc/egress', 'sched_cls', 'tcx_egress'),
  row('tcx/ingress', 'sched_cls', 'tcx_ingress'),
  row('tcx/egress', 'sched_cls', 'tcx_egress'),
  row('tc', 'sched_cls'),
  row('classifier', 'sched_cls'),
  row('action', 'sched_act'),
  row('netkit/primary', 'sched_cls', 'netkit_primary'),
  row('netkit/peer', 'sched_cls', 'netkit_peer'),
  row('tracepoint+', 'tracepoint'),
  row('tp+', 'tracepoint'),
  row('raw_tracepoint+', 'raw_tracepoint'),
  row('raw_tp+', 'raw_tracepoint'),
  row('raw_tracepoint.w+', 'raw_tracepoint_writable'),
  row('raw_tp.w+', 'raw_tracepoint_writable'),
  row('tp_btf+', 'tracing', 'trace_raw_tp'),
  row('fentry+', 'tracing', 'trace_fentry'),
  row('fmod_ret+', 'tracing', 'modify_return'),
  row('fexit+', 'tracing', 'trace_fexit'),
  row('fentry.s+', 'tracing', 'trace_fentry', sleepable),
  row('fmod_ret.s+', 'tracing', 'modify_return', sleepable),
  row('fexit.s+', 'tracing', 'trace_fexit', sleepable),
  row('freplace+', 'ext'),
  row('lsm+', 'lsm', 'lsm_mac'),
  row('lsm.s+', 'lsm', 'lsm_mac', sleepable),
  row('lsm_cgroup+', 'lsm', 'lsm_cgroup'),
  row('iter+', 'tracing', 'trace_iter'),
  row('iter.s+', 'tracing', 'trace_iter', sleepable),
  row('syscall', 'syscall', undefined, sleepable),
  row('xdp.frags/devmap', 'xdp', 'xdp_devmap', frags),
  row('xdp/devmap', 'xdp', 'xdp_devmap'),
  row('xdp.frags/cpumap', 'xdp', 'xdp_cpumap', frags),
  row('xdp/cpumap', 'xdp', 'xdp_cpumap'),
  row('xdp.frags', 'xdp', 'xdp', frags),
  row('xdp', 'xdp', 'xdp'),
  row('perf_event', 'perf_event'),
  row('lwt_in', 'lwt_in'),
  row('lwt_out', 'lwt_out'),
  row('lwt_xmit', 'lwt_xmit'),
  row('lwt_seg6local', 'lwt_seg6local'),
  row('sockops', 'sock_ops', 'cgroup_sock_ops'),
  row('sk_skb/stream_parser', 'sk_skb', 'sk_skb_stream_parser'),
  row('sk_skb/stream_verdict', 'sk_skb', 'sk_skb_stream_verdict'),
  row('sk_skb/verdict', 'sk_skb', 'sk_skb_verdict'),
  row('sk_skb', 'sk_skb'),
  row('sk_msg', 'sk_msg', 'sk_msg_verdict'),
  row('lirc_mode2', 'lirc_mode2', 'lirc_mode2'),
  row('flow_dissector', 'flow_dissector', 'flow_dissector'),
  row('cgroup_skb/ingress', 'cgroup_skb', 'cgroup_inet_ingress'),
  row('cgroup_skb/egress', 'cgroup_skb', 'cgroup_inet_egress'),
  row('cgroup/skb', 'cgroup_skb'),
  row('cgroup/sock_create', 'cgroup_sock', 'cgroup_inet_sock_create'),
  row('cgroup/sock_release', 'cgroup_sock', 'cgroup_inet_sock_release'),
  row('cgroup/sock', 'cgroup_sock', 'cgroup_inet_sock_create'),
  row('cgroup/post_bind4', 'cgroup_sock', 'cgroup_inet4_post_bind'),
  row('cgroup/post_bind6', 'cgroup_sock', 'cgroup_inet6_post_bind'),
  ...sockAddr('bind'),
  ...sockAddr('connect'),
  ...sockAddr('sendmsg'),
  ...sockAddr('recvmsg'),
  ...sockAddr('getpeername'),
  ...sockAddr('getsockname'),
  row('cgroup/sysctl', 'cgroup_sysctl', 'cgroup_sysctl'),
  row('cgroup/getsockopt', 'cgroup_sockopt', 'cgroup_getsockopt'),
  row('cgroup/setsockopt', 'cgroup_sockopt', 'cgroup_setsockopt'),
  row('cgroup/dev', 'cgroup_device', 'cgroup_device'),
  row('struct_ops+', 'struct_ops'),
  row('struct_ops.s+', 'struct_ops', undefined, sleepable),
  row('sk_lookup', 'sk_lookup', 'sk_lookup'),
  row('netfilter', 'netfilter', 'netfilter'),
]

const exact = new Map<string, SectionRule>()
const open = new Map<string, SectionRule>()
for (const rule of sectionRules) {
  if (rule.name.endsWith('+')) open.set(rule.name.slice(0, -1), rule)
  else exact.set(rule.name, rule)
}

/** Says what a `SEC()` name means; `?` in front asks not to load the program unless told. */
export function sectionMeaning(name: string): SectionMeaning {
  const autoload = !name.startsWith('?')
  const section = autoload ? name : name.slice(1)
  const slash = section.indexOf('/')
  const head = slash < 0 ? section : section.slice(0, slash)
  const rule = exact.get(section) ?? open.get(head)
  const rest = rule?.name.endsWith('+') && slash >= 0 ? section.slice(slash + 1) : ''
  return {
    type: rule?.type,
    attachType: rule?.attachType,
    attachTo: rest === '' ? undefined : rest,
    sleepable: rule?.sleepable ?? false,
    flags: rule?.flags ?? 0,
    autoload,
    section,
  }
}
