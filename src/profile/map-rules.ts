/**
 * Which map goes with which helper (the kernel: `cannot pass map_type 4 into func bpf_map_lookup_elem#1`). Two questions, as
 * in Linux: most special map types take a few helpers only, and some helpers take a few map types only.
 */
import { type HelperName, helperIds, type MapType } from '../uapi/index.js'

type Short = HelperName extends `bpf_${infer Name}` ? Name : never

const helpersOf: Partial<Record<MapType, readonly Short[]>> = {
  prog_array: ['tail_call'],
  perf_event_array: ['perf_event_read', 'perf_event_output', 'skb_output', 'perf_event_read_value', 'xdp_output'],
  ringbuf: [
    'ringbuf_output',
    'ringbuf_reserve',
    'ringbuf_query',
    'ringbuf_reserve_dynptr',
    'ringbuf_submit_dynptr',
    'ringbuf_discard_dynptr',
  ],
  user_ringbuf: ['user_ringbuf_drain'],
  stack_trace: ['get_stackid'],
  cgroup_array: ['skb_under_cgroup', 'current_task_under_cgroup'],
  cgroup_storage: ['get_local_storage'],
  percpu_cgroup_storage: ['get_local_storage'],
  devmap: ['redirect_map', 'map_lookup_elem'],
  devmap_hash: ['redirect_map', 'map_lookup_elem'],
  cpumap: ['redirect_map'],
  xskmap: ['redirect_map', 'map_lookup_elem'],
  array_of_maps: ['map_lookup_elem'],
  hash_of_maps: ['map_lookup_elem'],
  sockmap: [
    'sk_redirect_map',
    'sock_map_update',
    'map_delete_elem',
    'msg_redirect_map',
    'sk_select_reuseport',
    'map_lookup_elem',
    'map_update_elem',
  ],
  sockhash: [
    'sk_redirect_hash',
    'sock_hash_update',
    'map_delete_elem',
    'msg_redirect_hash',
    'sk_select_reuseport',
    'map_lookup_elem',
    'map_update_elem',
  ],
  reuseport_sockarray: ['sk_select_reuseport'],
  queue: ['map_peek_elem', 'map_pop_elem', 'map_push_elem'],
  stack: ['map_peek_elem', 'map_pop_elem', 'map_push_elem'],
  sk_storage: ['sk_storage_get', 'sk_storage_delete', 'kptr_xchg'],
  inode_storage: ['inode_storage_get', 'inode_storage_delete', 'kptr_xchg'],
  task_storage: ['task_storage_get', 'task_storage_delete', 'kptr_xchg'],
  cgrp_storage: ['cgrp_storage_get', 'cgrp_storage_delete', 'kptr_xchg'],
  bloom_filter: ['map_peek_elem', 'map_push_elem'],
}

const mapsOf: Partial<Record<Short, readonly MapType[]>> = {
  tail_call: ['prog_array'],
  perf_event_read: ['perf_event_array'],
  perf_event_output: ['perf_event_array'],
  perf_event_read_value: ['perf_event_array'],
  skb_output: ['perf_event_array'],
  xdp_output: ['perf_event_array'],
  ringbuf_output: ['ringbuf'],
  ringbuf_reserve: ['ringbuf'],
  ringbuf_query: ['ringbuf'],
  ringbuf_reserve_dynptr: ['ringbuf'],
  ringbuf_submit_dynptr: ['ringbuf'],
  ringbuf_discard_dynptr: ['ringbuf'],
  user_ringbuf_drain: ['user_ringbuf'],
  get_stackid: ['stack_trace'],
  current_task_under_cgroup: ['cgroup_array'],
  skb_under_cgroup: ['cgroup_array'],
  redirect_map: ['devmap', 'devmap_hash', 'cpumap', 'xskmap'],
  sk_redirect_map: ['sockmap'],
  msg_redirect_map: ['sockmap'],
  sock_map_update: ['sockmap'],
  sk_redirect_hash: ['sockhash'],
  msg_redirect_hash: ['sockhash'],
  sock_hash_update: ['sockhash'],
  get_local_storage: ['cgroup_storage', 'percpu_cgroup_storage'],
  sk_select_reuseport: ['reuseport_sockarray', 'sockmap', 'sockhash'],
  map_pop_elem: ['queue', 'stack'],
  map_peek_elem: ['queue', 'stack', 'bloom_filter'],
  map_push_elem: ['queue', 'stack', 'bloom_filter'],
  map_lookup_percpu_elem: ['percpu_array', 'percpu_hash', 'lru_percpu_hash'],
  sk_storage_get: ['sk_storage'],
  sk_storage_delete: ['sk_storage'],
  inode_storage_get: ['inode_storage'],
  inode_storage_delete: ['inode_storage'],
  task_storage_get: ['task_storage'],
  task_storage_delete: ['task_storage'],
  cgrp_storage_get: ['cgrp_storage'],
  cgrp_storage_delete: ['cgrp_storage'],
}

const ids = (names: readonly Short[]): Set<number> => new Set(names.map((name) => helperIds[`bpf_${name}`]))
const helperSets = new Map(Object.entries(helpersOf).map(([map, names]) => [map, ids(names)]))
const mapSets = new Map(
  Object.entries(mapsOf).map(([name, maps]) => [helperIds[`bpf_${name as Short}`] as number, new Set<MapType>(maps)]),
)

/** Whether a helper (by number) takes maps of this type. */
export function mapAllowed(helper: number, map: MapType): boolean {
  return (helperSets.get(map)?.has(helper) ?? true) && (mapSets.get(helper)?.has(map) ?? true)
}
