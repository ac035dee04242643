import { expect, it } from 'vitest'
import { helperIds, type ProgramType } from '../uapi/index.js'
import { helperPrototypes, parsePrototype } from './helper-table.js'
import { kfuncFlags } from './kfunc-flags.js'
import { getProfile, withKfuncs } from './profile.js'
import type { HelperArgType } from './types.js'
import * as recorded from './v6_18/recorded.js'

const kernel = getProfile('6.18')
const id = (name: keyof typeof helperIds): number => helperIds[name]

function numbers(ranges: string): Set<number> {
  const all = new Set<number>()
  for (const part of ranges.split(',')) {
    const [from = 0, to = from] = part.split('-').map(Number)
    for (let n = from; n <= to; n++) all.add(n)
  }
  return all
}

it('knows its kernels and refuses others by name', () => {
  expect(getProfile()).toBe(kernel)
  expect(getProfile('6.18.44')).toBe(kernel)
  expect(() => getProfile('5.4')).toThrow(expect.objectContaining({ code: 'unknown-kernel' }))
  expect(() => getProfile('6.180')).toThrow(/no profile of Linux 6.180/)
})

it('the table of prototypes agrees with what the kernel answered: licence and sleep', () => {
  const gpl = numbers(recorded.gplHelpers)
  const sleeping = numbers(recorded.sleepingHelpers)
  const called = new Set(Object.values(recorded.helperCallers).flatMap((ranges) => [...numbers(ranges)]))
  const wrong = [...helperPrototypes.values()].filter(
    (row) => called.has(row.id) && (row.gplOnly !== gpl.has(row.id) || row.mightSleep !== sleeping.has(row.id)),
  )
  expect(wrong.map((row) => row.name)).toEqual([])
})

it('every prototype is made of known words, and a size follows each buffer', () => {
  const sized = new Set<HelperArgType>(['mem', 'mem_or_null', 'uninit_mem', 'mem_write'])
  for (const { name, args } of helperPrototypes.values()) {
    expect(args.length, name).toBeLessThanOrEqual(5)
    for (const [i, { type }] of args.entries()) {
      if (sized.has(type)) expect(args[i + 1]?.type, name).toMatch(/^const_size/)
    }
  }
  expect(parsePrototype('strtol(mem, const_size, anything, fixed_mem_write[8]): integer').args[3]).toEqual({
    type: 'fixed_mem_write',
    size: 8,
  })
  expect(() => parsePrototype('nonsense(): integer')).toThrow(expect.objectContaining({ code: 'bad-prototype' }))
})

it('says who may call what', () => {
  expect(kernel.helperAllowed(id('bpf_timer_init'), 'syscall')).toBe(true)
  expect(kernel.helperAllowed(id('bpf_skb_load_bytes'), 'sched_cls')).toBe(true)
  expect(kernel.helperAllowed(id('bpf_skb_load_bytes'), 'xdp')).toBe(false)
  expect(kernel.hasHelper(211)).toBe(true)
  expect(kernel.hasHelper(212)).toBe(false)
  const wq = kernel.kfunc('bpf_wq_start')
  expect(wq && kernel.kfuncAllowed(wq, 'netfilter')).toBe(true)
  const acquire = kernel.kfunc('bpf_task_acquire')
  expect(acquire && kernel.kfuncAllowed(acquire, 'lwt_in')).toBe(false)
})

it('knows what a context access gives', () => {
  const at = (type: ProgramType, access: 'read' | 'write', offset: number, size: number) =>
    kernel.contextAccess(type, access, offset, size)
  expect(at('xdp', 'read', 0, 4)).toBe('pkt')
  expect(at('xdp', 'read', 4, 4)).toBe('pkt_end')
  expect(at('xdp', 'read', 0, 8)).toBeUndefined()
  expect(at('xdp', 'write', 12, 4)).toBeUndefined()
  expect(at('sched_cls', 'read', 9, 1)).toBe('scalar')
  expect(at('sched_cls', 'write', 8, 4)).toBe('scalar')
  expect(at('sched_cls', 'write', 8, 2)).toBeUndefined()
  expect(at('socket_filter', 'read', 76, 4)).toBeUndefined()
  expect(at('syscall', 'write', 4096, 8)).toBe('scalar')
  expect(at('syscall', 'read', 4097, 2)).toBeUndefined()
  expect(at('tracing', 'read', 0, 8)).toBeUndefined()
})

it('knows the rules of program types', () => {
  expect(kernel.program('cgroup_skb').returns).toEqual([0n, 1n])
  expect(kernel.program('xdp')).toMatchObject({
    returns: undefined,
    contextStruct: 'xdp_md',
    packetWrite: true,
    sleepable: 'no',
  })
  expect(kernel.program('syscall')).toMatchObject({ sleepable: 'must', contextStruct: undefined })
  expect(kernel.program('kprobe')).toMatchObject({ tracing: true, sleepable: 'may' })
})

it('what a program may return depends on where it is attached', () => {
  expect(kernel.program('cgroup_skb', 'cgroup_inet_egress').returns).toEqual([0n, 3n])
  expect(kernel.program('cgroup_skb', 'cgroup_inet_ingress').returns).toEqual([0n, 1n])
  expect(kernel.program('cgroup_sock_addr', 'cgroup_udp4_recvmsg').returns).toEqual([1n, 1n])
})

it('helpers whose arguments depend on the program type', () => {
  const classid = id('bpf_get_cgroup_classid')
  expect(kernel.helper(classid, 'sched_cls')?.args).toHaveLength(1)
  expect(kernel.helper(classid, 'syscall')?.args).toHaveLength(0)
  expect(kernel.helper(id('bpf_xdp_get_buff_len'), 'xdp')?.args).toEqual([{ type: 'ctx' }])
  expect(kernel.helper(id('bpf_xdp_get_buff_len'), 'syscall')).toBeUndefined()
})

it('3.7: tells ids of kfuncs from ids of types', () => {
  const start = kernel.kfunc('bpf_wq_start')
  expect(kernel.kfuncById(start?.kernelId ?? 0)).toBe(start)
  expect(kernel.kfuncById(1)).toBe('no function')
  expect(kernel.kfuncById(-1)).toBe('no function')
  expect(kernel.kfuncById(recorded.firstFunctionId)).not.toBe('no function')
})

it('pairs maps with helpers', () => {
  expect(kernel.mapAllowed(id('bpf_map_lookup_elem'), 'lru_hash')).toBe(true)
  expect(kernel.mapAllowed(id('bpf_map_lookup_elem'), 'prog_array')).toBe(false)
  expect(kernel.mapAllowed(id('bpf_tail_call'), 'array')).toBe(false)
  expect(kernel.mapAllowed(id('bpf_ringbuf_output'), 'ringbuf')).toBe(true)
  expect(kernel.mapAllowed(id('bpf_timer_init'), 'array')).toBe(true)
})

it('3.3: the pruned BTF holds the prototypes of the workqueue kfuncs, with their parameter suffixes', () => {
  const shape = (name: string) => {
    const types = kernel.kfunc(name)?.types()
    const func = types?.btf.type(types.func)
    const proto = func?.kind === 'func' ? types?.btf.type(func.type) : undefined
    return proto?.kind === 'func_proto' ? proto.params.map((param) => param.name) : undefined
  }
  expect(shape('bpf_wq_init')).toEqual(['wq', 'p__map', 'flags'])
  expect(shape('bpf_wq_set_callback_impl')).toEqual(['wq', 'callback_fn', 'flags', 'aux__prog'])
  expect(shape('bpf_wq_start')).toEqual(['wq', 'flags'])
  for (const row of kernel.kfuncs.values()) expect(row.types().func, row.name).toBeGreaterThan(0)
})

it('every described kfunc exists', () => {
  expect(Object.keys(kfuncFlags).filter((name) => !kernel.kfunc(name))).toEqual([])
})

it('3.5: both spellings of set_callback, each under its kernel, with a hint elsewhere', () => {
  const later = getProfile('7.0')
  expect(kernel.kfunc('bpf_wq_set_callback')).toBeUndefined()
  expect(kernel.kfuncHint('bpf_wq_set_callback')).toMatch(/came with Linux 7.0: on 6.18 call bpf_wq_set_callback_impl/)
  expect(later.kfunc('bpf_wq_set_callback')).toMatchObject({ hiddenParams: 1 })
  expect(later.kfunc('bpf_wq_set_callback_impl')).toBeUndefined()
  expect(later.kfuncHint('bpf_wq_set_callback_impl')).toMatch(/call bpf_wq_set_callback, without the last argument/)
  expect(kernel.kfuncHint('no_such_kfunc')).toBeUndefined()
})

it('3.10: tracing programs may use maps with a bpf_wq from 7.2 on', () => {
  expect(kernel.tracingForbids).toEqual(['bpf_wq', 'bpf_timer'])
  expect(getProfile('7.2').tracingForbids).toEqual([])
})

it('takes kfuncs of the user without changing the kernel', () => {
  const types = kernel.kfunc('bpf_wq_start')?.types()
  if (!types) throw new Error('no bpf_wq_start')
  const own = {
    name: 'my_send',
    kernelId: 0,
    described: true,
    flags: { sleepable: true },
    programTypes: ['syscall'] as const,
  }
  const more = withKfuncs(kernel, [{ ...own, types: () => types }])
  expect(more.kfunc('my_send')).toMatchObject(own)
  expect(more.kfunc('bpf_wq_start')).toBe(kernel.kfunc('bpf_wq_start'))
  expect(kernel.kfunc('my_send')).toBeUndefined()
})
