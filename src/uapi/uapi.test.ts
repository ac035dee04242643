import { expect, it } from 'vitest'
import {
  attachTypes,
  bpfCommands,
  ErrnoError,
  errnoName,
  errnos,
  helperIds,
  mapFlags,
  mapTypes,
  programTypes,
} from './index.js'

it.each([
  ['program types', programTypes, 33],
  ['map types', mapTypes, 34],
  ['attach types', attachTypes, 58],
  ['helpers', helperIds, 212],
  ['commands', bpfCommands, 38],
])('%s number without a gap from 0, as Linux 6.18 does', (_name, table, count) => {
  const numbers = Object.values<number>(table).sort((a, b) => a - b)
  expect(numbers).toEqual(Array.from({ length: count }, (_, index) => index))
})

it('knows the numbers that object files carry', () => {
  expect(programTypes).toMatchObject({ socket_filter: 1, sched_cls: 3, xdp: 6, syscall: 31 })
  expect(mapTypes).toMatchObject({ hash: 1, array: 2, lru_hash: 9, ringbuf: 27, cgroup_storage: 19 })
  expect(helperIds).toMatchObject({ bpf_map_lookup_elem: 1, bpf_timer_init: 169, bpf_timer_cancel: 172 })
  expect(mapFlags).toMatchObject({ no_prealloc: 1, zero_seed: 64, mmapable: 1024 })
})

it('names an errno, and one that Linux does not have', () => {
  expect(errnoName(22)).toBe('EINVAL')
  expect(errnoName(errnos.EAGAIN)).toBe('EAGAIN')
  expect(errnoName(524)).toBe('ENOTSUPP')
  expect(errnoName(4000)).toBe('E4000')
})

it('reports a refusal of the kernel with number, name and operation', () => {
  const error = new ErrnoError(17, 'map_update_elem', { place: 'map beats' })
  expect(error).toMatchObject({ code: 'EEXIST', errno: 17, errnoName: 'EEXIST', operation: 'map_update_elem' })
  expect(error.message).toBe('map beats: map_update_elem failed with EEXIST (17)')
})
