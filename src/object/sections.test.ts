import { expect, it } from 'vitest'
import { attachTypes, programTypes } from '../uapi/index.js'
import { sectionMeaning, sectionRules, XDP_HAS_FRAGS } from './sections.js'

it('names only program and attach types that Linux has, each rule once', () => {
  for (const { name, type, attachType } of sectionRules) {
    expect(Object.hasOwn(programTypes, type), name).toBe(true)
    if (attachType) expect(Object.hasOwn(attachTypes, attachType), name).toBe(true)
  }
  expect(new Set(sectionRules.map(({ name }) => name)).size).toBe(sectionRules.length)
})

it.each([
  ['xdp', 'xdp', 'xdp', undefined],
  ['xdp/devmap', 'xdp', 'xdp_devmap', undefined],
  ['tc', 'sched_cls', undefined, undefined],
  ['tcx/egress', 'sched_cls', 'tcx_egress', undefined],
  ['socket', 'socket_filter', undefined, undefined],
  ['kprobe', 'kprobe', undefined, undefined],
  ['kprobe/do_unlinkat+0x10', 'kprobe', undefined, 'do_unlinkat+0x10'],
  ['kprobe.multi/tcp_*', 'kprobe', 'trace_kprobe_multi', 'tcp_*'],
  ['uretprobe//usr/lib/libc.so.6:malloc', 'kprobe', undefined, '/usr/lib/libc.so.6:malloc'],
  ['tp/sched/sched_switch', 'tracepoint', undefined, 'sched/sched_switch'],
  ['tp_btf/sched_switch', 'tracing', 'trace_raw_tp', 'sched_switch'],
  ['fentry/tcp_sendmsg', 'tracing', 'trace_fentry', 'tcp_sendmsg'],
  ['iter/bpf_map', 'tracing', 'trace_iter', 'bpf_map'],
  ['lsm/file_open', 'lsm', 'lsm_mac', 'file_open'],
  ['lsm_cgroup/socket_bind', 'lsm', 'lsm_cgroup', 'socket_bind'],
  ['cgroup_skb/egress', 'cgroup_skb', 'cgroup_inet_egress', undefined],
  ['cgroup/connect4', 'cgroup_sock_addr', 'cgroup_inet4_connect', undefined],
  ['cgroup/sendmsg6', 'cgroup_sock_addr', 'cgroup_udp6_sendmsg', undefined],
  ['cgroup/getsockname_unix', 'cgroup_sock_addr', 'cgroup_unix_getsockname', undefined],
  ['struct_ops/hid_device_event', 'struct_ops', undefined, 'hid_device_event'],
  ['netfilter', 'netfilter', 'netfilter', undefined],
  ['sk_reuseport/migrate', 'sk_reuseport', 'sk_reuseport_select_or_migrate', undefined],
])('SEC("%s") is a program of type %s, attach type %s, attached to %s', (name, type, attachType, attachTo) => {
  expect(sectionMeaning(name)).toMatchObject({ type, attachType, attachTo, sleepable: false, flags: 0, autoload: true })
})

it('marks what may sleep and what takes packets of several buffers', () => {
  for (const name of ['syscall', 'fentry.s/x', 'lsm.s/file_open', 'iter.s/task', 'uprobe.s', 'struct_ops.s/init']) {
    expect(sectionMeaning(name).sleepable, name).toBe(true)
  }
  expect(sectionMeaning('xdp.frags')).toMatchObject({ attachType: 'xdp', flags: XDP_HAS_FRAGS })
  expect(sectionMeaning('xdp.frags/cpumap')).toMatchObject({ attachType: 'xdp_cpumap', flags: XDP_HAS_FRAGS })
})

it('reads ? as "only when told"', () => {
  expect(sectionMeaning('?tc')).toMatchObject({ autoload: false, section: 'tc', type: 'sched_cls' })
})

it('takes nothing for granted: names that libbpf 1.0 stopped to know have no type', () => {
  for (const name of ['xdp_main', 'xdp/foo', 'tc/foo', 'socket1', 'tc_cls', 'cgroup/skb/x', 'fentrys/x', '', 'maps']) {
    expect(sectionMeaning(name).type, name).toBe(undefined)
  }
})
