/**
 * Helper prototypes, one a line, in the order of their numbers: `name(arguments): return, flags`. Stable since each helper
 * was added; who may call which in one kernel is recorded apart (`v6_18/`). Argument names are those of `HelperArgType`;
 * `fixed_mem[20]` is memory of 20 bytes, `btf_id<task_struct>` a kernel object, `!` marks what is released.
 *
 * Helpers that are not listed exist (`helperIds`), but their prototypes differ by program type or were not checked.
 */
import { BpfError } from '../bits/index.js'
import { type HelperName, helperIds, type ProgramType } from '../uapi/index.js'
import type { HelperArg, HelperArgType, HelperPrototype, HelperReturn } from './types.js'

const table = `
map_lookup_elem(const_map_ptr, map_key): map_value_or_null, pkt
map_update_elem(const_map_ptr, map_key, map_value, anything): integer, pkt
map_delete_elem(const_map_ptr, map_key): integer, pkt
probe_read(uninit_mem, const_size_or_zero, anything): integer, gpl
ktime_get_ns(): integer
trace_printk(mem, const_size): integer, gpl
get_prandom_u32(): integer
get_smp_processor_id(): integer
skb_store_bytes(ctx, anything, mem, const_size, anything): integer, changes
l3_csum_replace(ctx, anything, anything, anything, anything): integer, changes
l4_csum_replace(ctx, anything, anything, anything, anything): integer, changes
tail_call(ctx, const_map_ptr, anything): void
clone_redirect(ctx, anything, anything): integer, changes
get_current_pid_tgid(): integer
get_current_uid_gid(): integer
get_current_comm(uninit_mem, const_size): integer
get_cgroup_classid(ctx): integer
skb_vlan_push(ctx, anything, anything): integer, changes
skb_vlan_pop(ctx): integer, changes
skb_get_tunnel_key(ctx, uninit_mem, const_size, anything): integer
skb_set_tunnel_key(ctx, mem, const_size, anything): integer
perf_event_read(const_map_ptr, anything): integer, gpl
redirect(anything, anything): integer
get_route_realm(ctx): integer
perf_event_output(ctx, const_map_ptr, anything, mem, const_size_or_zero): integer, gpl
skb_load_bytes(ctx, anything, uninit_mem, const_size): integer
get_stackid(ctx, const_map_ptr, anything): integer, gpl
csum_diff(mem_or_null, const_size_or_zero, mem_or_null, const_size_or_zero, anything): integer, pkt
skb_get_tunnel_opt(ctx, uninit_mem, const_size): integer
skb_set_tunnel_opt(ctx, mem, const_size): integer
skb_change_proto(ctx, anything, anything): integer, changes
skb_change_type(ctx, anything): integer
skb_under_cgroup(ctx, const_map_ptr, anything): integer
get_hash_recalc(ctx): integer
get_current_task(): integer, gpl
probe_write_user(anything, mem, const_size): integer, gpl
current_task_under_cgroup(const_map_ptr, anything): integer
skb_change_tail(ctx, anything, anything): integer, changes
skb_pull_data(ctx, anything): integer, changes
csum_update(ctx, anything): integer
set_hash_invalid(ctx): void
get_numa_node_id(): integer
skb_change_head(ctx, anything, anything): integer, changes
xdp_adjust_head(ctx, anything): integer, changes
probe_read_str(uninit_mem, const_size_or_zero, anything): integer, gpl
get_socket_uid(ctx): integer
set_hash(ctx, anything): integer
skb_adjust_room(ctx, anything, anything, anything): integer, changes
redirect_map(const_map_ptr, anything, anything): integer
sk_redirect_map(ctx, const_map_ptr, anything, anything): integer
sock_map_update(ctx, const_map_ptr, map_key, anything): integer, pkt
xdp_adjust_meta(ctx, anything): integer, changes
perf_event_read_value(const_map_ptr, anything, uninit_mem, const_size): integer, gpl
perf_prog_read_value(ctx, uninit_mem, const_size): integer, gpl
override_return(ctx, anything): integer, gpl
sock_ops_cb_flags_set(ctx, anything): integer
msg_redirect_map(ctx, const_map_ptr, anything, anything): integer
msg_apply_bytes(ctx, anything): integer
msg_cork_bytes(ctx, anything): integer
msg_pull_data(ctx, anything, anything, anything): integer, changes
bind(ctx, mem, const_size): integer
xdp_adjust_tail(ctx, anything): integer, changes
skb_get_xfrm_state(ctx, anything, uninit_mem, const_size, anything): integer
get_stack(ctx, uninit_mem, const_size_or_zero, anything): integer, gpl
skb_load_bytes_relative(ctx, anything, uninit_mem, const_size, anything): integer
fib_lookup(ctx, mem_write, const_size, anything): integer, gpl
sock_hash_update(ctx, const_map_ptr, map_key, anything): integer, pkt
msg_redirect_hash(ctx, const_map_ptr, map_key, anything): integer
sk_redirect_hash(ctx, const_map_ptr, map_key, anything): integer
rc_repeat(ctx): integer, gpl
rc_keydown(ctx, anything, anything, anything): integer, gpl
skb_cgroup_id(ctx): integer
get_current_cgroup_id(): integer
get_local_storage(const_map_ptr, anything): map_value
sk_select_reuseport(ctx, const_map_ptr, map_key, anything): integer
skb_ancestor_cgroup_id(ctx, anything): integer
sk_lookup_tcp(ctx, mem, const_size_or_zero, anything, anything): sock_or_null, pkt, acquires
sk_lookup_udp(ctx, mem, const_size_or_zero, anything, anything): sock_or_null, pkt, acquires
sk_release(btf_id_sock_common!): integer
map_push_elem(const_map_ptr, map_value, anything): integer, pkt
map_pop_elem(const_map_ptr, uninit_map_value): integer
map_peek_elem(const_map_ptr, uninit_map_value): integer
msg_push_data(ctx, anything, anything, anything): integer, changes
msg_pop_data(ctx, anything, anything, anything): integer, changes
rc_pointer_rel(ctx, anything, anything): integer, gpl
spin_lock(spin_lock): void
spin_unlock(spin_lock): void
sk_fullsock(sock_common): sock_or_null
tcp_sock(sock_common): tcp_sock_or_null
skb_ecn_set_ce(ctx): integer
get_listener_sock(sock_common): sock_or_null
skc_lookup_tcp(ctx, mem, const_size_or_zero, anything, anything): sock_common_or_null, pkt, acquires
tcp_check_syncookie(btf_id_sock_common, mem, const_size, mem, const_size): integer, pkt, gpl
strtol(mem, const_size, anything, fixed_mem_write[8]): integer
strtoul(mem, const_size, anything, fixed_mem_write[8]): integer
sk_storage_get(const_map_ptr, btf_id_sock_common_or_null, map_value_or_null, anything): map_value_or_null
sk_storage_delete(const_map_ptr, btf_id_sock_common): integer
send_signal(anything): integer
tcp_gen_syncookie(btf_id_sock_common, mem, const_size, mem, const_size): integer, pkt, gpl
probe_read_user(uninit_mem, const_size_or_zero, anything): integer, gpl
probe_read_kernel(uninit_mem, const_size_or_zero, anything): integer, gpl
probe_read_user_str(uninit_mem, const_size_or_zero, anything): integer, gpl
probe_read_kernel_str(uninit_mem, const_size_or_zero, anything): integer, gpl
send_signal_thread(anything): integer
jiffies64(): integer
get_ns_current_pid_tgid(anything, anything, uninit_mem, const_size): integer
get_netns_cookie(ctx_or_null): integer
get_current_ancestor_cgroup_id(anything): integer
ktime_get_boot_ns(): integer
sk_cgroup_id(btf_id_sock_common): integer
sk_ancestor_cgroup_id(btf_id_sock_common, anything): integer
ringbuf_output(const_map_ptr, mem, const_size_or_zero, anything): integer
ringbuf_reserve(const_map_ptr, const_alloc_size_or_zero, anything): ringbuf_mem_or_null, acquires
ringbuf_submit(ringbuf_mem!, anything): void
ringbuf_discard(ringbuf_mem!, anything): void
ringbuf_query(const_map_ptr, anything): integer
csum_level(ctx, anything): integer
get_task_stack(btf_id<task_struct>, uninit_mem, const_size_or_zero, anything): integer
load_hdr_opt(ctx, mem_write, const_size, anything): integer
store_hdr_opt(ctx, mem, const_size, anything): integer, changes
reserve_hdr_opt(ctx, anything, anything): integer
copy_from_user(uninit_mem, const_size_or_zero, anything): integer, sleeps
snprintf_btf(mem_write, const_size, mem, const_size, anything): integer
per_cpu_ptr(percpu_btf_id, anything): mem_or_btf_id_or_null
this_cpu_ptr(percpu_btf_id): mem_or_btf_id
redirect_peer(anything, anything): integer
redirect_neigh(anything, mem_or_null, const_size_or_zero, anything): integer
task_storage_get(const_map_ptr, btf_id_or_null<task_struct>, map_value_or_null, anything): map_value_or_null
task_storage_delete(const_map_ptr, btf_id_or_null<task_struct>): integer
get_current_task_btf(): btf_id, gpl
ktime_get_coarse_ns(): integer
check_mtu(ctx, anything, fixed_mem_write[4], anything, anything): integer, gpl
for_each_map_elem(const_map_ptr, func, stack_or_null, anything): integer
sys_bpf(anything, mem, const_size): integer
btf_find_by_name_kind(mem, const_size, anything, anything): integer
sys_close(anything): integer
timer_init(timer, const_map_ptr, anything): integer, gpl
timer_set_callback(timer, func): integer, gpl
timer_start(timer, anything, anything): integer, gpl
timer_cancel(timer): integer, gpl
get_func_ip(ctx): integer, gpl
get_attach_cookie(ctx): integer
task_pt_regs(btf_id<task_struct>): btf_id, gpl
get_branch_snapshot(uninit_mem, const_size_or_zero): integer, gpl
trace_vprintk(mem, const_size, mem_or_null, const_size_or_zero): integer, gpl
kallsyms_lookup_name(mem, const_size_or_zero, anything, fixed_mem_write[8]): integer
find_vma(btf_id<task_struct>, anything, func, stack_or_null, anything): integer
loop(anything, func, stack_or_null, anything): integer
strncmp(mem, const_size, const_str): integer
get_func_arg(ctx, anything, fixed_mem_write[8]): integer
get_func_ret(ctx, fixed_mem_write[8]): integer
get_func_arg_cnt(ctx): integer
get_retval(): integer
set_retval(anything): integer
xdp_get_buff_len(ctx): integer
xdp_load_bytes(ctx, anything, uninit_mem, const_size): integer
xdp_store_bytes(ctx, anything, mem, const_size): integer
copy_from_user_task(uninit_mem, const_size_or_zero, anything, btf_id<task_struct>, anything): integer, gpl, sleeps
skb_set_tstamp(ctx, anything, anything): integer
kptr_xchg(kptr_xchg_dest, btf_id_or_null!): btf_id_or_null, acquires
map_lookup_percpu_elem(const_map_ptr, map_key, anything): map_value_or_null, pkt
dynptr_from_mem(uninit_mem, const_size_or_zero, anything, uninit_dynptr): integer
ringbuf_reserve_dynptr(const_map_ptr, anything, anything, uninit_dynptr): integer
ringbuf_submit_dynptr(dynptr!, anything): void
ringbuf_discard_dynptr(dynptr!, anything): void
dynptr_read(uninit_mem, const_size_or_zero, dynptr, anything, anything): integer
dynptr_write(dynptr, anything, mem, const_size_or_zero, anything): integer
dynptr_data(dynptr, anything, const_alloc_size_or_zero): dynptr_mem_or_null
tcp_raw_gen_syncookie_ipv4(fixed_mem[20], mem, const_size_or_zero): integer, gpl, pkt
tcp_raw_gen_syncookie_ipv6(fixed_mem[40], mem, const_size_or_zero): integer, gpl, pkt
tcp_raw_check_syncookie_ipv4(fixed_mem[20], fixed_mem[20]): integer, gpl, pkt
tcp_raw_check_syncookie_ipv6(fixed_mem[40], fixed_mem[20]): integer, gpl, pkt
ktime_get_tai_ns(): integer
user_ringbuf_drain(const_map_ptr, func, stack_or_null, anything): integer
cgrp_storage_get(const_map_ptr, btf_id_or_null<cgroup>, map_value_or_null, anything): map_value_or_null
cgrp_storage_delete(const_map_ptr, btf_id_or_null<cgroup>): integer
`

/** Types whose programs hold sockets as they are handed out by the networking code, not as objects that tracing found. */
const socketTypes: ReadonlySet<ProgramType> = new Set<ProgramType>([
  'sched_cls',
  'sched_act',
  'cgroup_skb',
  'cgroup_sock',
  'cgroup_sock_addr',
  'cgroup_sockopt',
  'sock_ops',
  'sk_msg',
])

/**
 * Helpers that take other arguments where the program type has no socket buffer (XDP buffer) as its context: `undefined` is
 * a prototype of kernel objects that is not in this table.
 */
const variants: Readonly<
  Record<string, { readonly types: ReadonlySet<ProgramType>; readonly otherwise: string | undefined }>
> = {
  bpf_get_cgroup_classid: {
    types: new Set<ProgramType>(['sched_cls', 'sched_act', 'lwt_in', 'lwt_out', 'lwt_xmit']),
    otherwise: 'get_cgroup_classid(): integer',
  },
  bpf_xdp_get_buff_len: { types: new Set<ProgramType>(['xdp']), otherwise: undefined },
  bpf_sk_storage_get: { types: socketTypes, otherwise: undefined },
  bpf_sk_storage_delete: { types: socketTypes, otherwise: undefined },
  bpf_get_func_ip: { types: new Set<ProgramType>(['kprobe', 'tracing']), otherwise: undefined },
}

/** The prototype that programs of a type see; `undefined` where this table has none. */
export function helperPrototype(id: number, type: ProgramType | undefined): HelperPrototype | undefined {
  const usual = helperPrototypes.get(id)
  const variant = usual && variants[usual.name]
  if (!variant || !type || variant.types.has(type)) return usual
  return variant.otherwise === undefined ? undefined : parsePrototype(variant.otherwise)
}

const row = /^(\w+)\((.*)\): (\w+)((?:, \w+)*)$/
const argument = /^(\w+?)(?:\[(\d+)\])?(?:<(\w+)>)?(!)?$/

/** All prototypes by helper number. */
export const helperPrototypes: ReadonlyMap<number, HelperPrototype> = new Map(
  table
    .trim()
    .split('\n')
    .map((line) => {
      const prototype = parsePrototype(line)
      return [prototype.id, prototype]
    }),
)

/** Reads one line of the table. Throws `BpfError` (`bad-prototype`): a mistake in the table. */
export function parsePrototype(line: string): HelperPrototype {
  const [, base, args, returns, flags = ''] = row.exec(line) ?? []
  const name = `bpf_${base}`
  if (!(name in helperIds) || args === undefined) throw new BpfError('bad-prototype', `cannot read '${line}'`)
  return {
    name,
    id: helperIds[name as HelperName],
    args: args ? args.split(', ').map(parseArgument) : [],
    returns: returns as HelperReturn,
    gplOnly: flags.includes('gpl'),
    mightSleep: flags.includes('sleeps'),
    pktAccess: flags.includes('pkt'),
    changesPacket: flags.includes('changes'),
    acquires: flags.includes('acquires'),
  }
}

function parseArgument(text: string): HelperArg {
  const [, type, size, struct, release] = argument.exec(text) ?? []
  if (!type) throw new BpfError('bad-prototype', `cannot read argument '${text}'`)
  return {
    type: type as HelperArgType,
    ...(size ? { size: Number(size) } : {}),
    ...(struct ? { struct } : {}),
    ...(release ? { release: true } : {}),
  }
}
