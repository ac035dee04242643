import { expect, it } from 'vitest'
import { getProfile } from '../profile/index.js'
import { featuresOf } from './features.js'

const profile = getProfile('6.18')
const supported = (kind: Parameters<typeof featuresOf>[0]): string[] =>
  featuresOf(kind, profile)
    .filter((feature) => feature.supported)
    .map(({ name }) => name)

it('finds what the examples need, by asking the implementation', () => {
  expect(supported('programs')).toEqual(expect.arrayContaining(['syscall', 'xdp', 'sched_cls', 'socket_filter']))
  expect(supported('maps')).toEqual(expect.arrayContaining(['array', 'hash', 'lru_hash']))
  expect(supported('helpers')).toEqual(
    expect.arrayContaining(['bpf_map_lookup_elem', 'bpf_timer_start', 'bpf_spin_lock']),
  )
  expect(supported('kfuncs')).toEqual(
    expect.arrayContaining(['bpf_wq_init', 'bpf_wq_set_callback_impl', 'bpf_wq_start']),
  )
})

it('lists what the kernel has and this build has not', () => {
  expect(featuresOf('maps', profile).find(({ name }) => name === 'bloom_filter')).toMatchObject({ supported: false })
  expect(featuresOf('kfuncs', getProfile('7.2')).map(({ name }) => name)).toContain('bpf_wq_set_callback')
  expect(featuresOf('kfuncs', getProfile('7.2')).map(({ name }) => name)).not.toContain('bpf_wq_set_callback_impl')
})
