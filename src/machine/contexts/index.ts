/** Contexts by program type. A type that is missing here can be loaded but not run. */
import { BpfError } from '../../bits/index.js'
import type { ProgramType } from '../../uapi/index.js'
import { type ContextType, testRunError } from './context.js'
import { socketFilter, trafficControl } from './skb.js'
import { syscall } from './syscall.js'
import { xdp } from './xdp.js'

export type { ContextProgram, ContextType, PreparedRun } from './context.js'
export { xdpPrivate } from './xdp.js'

const contexts: Partial<Record<ProgramType, ContextType>> = {
  syscall,
  sched_cls: trafficControl,
  sched_act: trafficControl,
  socket_filter: socketFilter,
  xdp,
}

/** Types for which Linux itself has no test_run (-ENOTSUPP). */
const withoutTestRun: readonly ProgramType[] = [
  'kprobe',
  'tracepoint',
  'perf_event',
  'sock_ops',
  'cgroup_sockopt',
  'cgroup_sysctl',
]

/**
 * How programs of this type are run. Throws `ErrnoError` (ENOTSUPP) where Linux has no BPF_PROG_TEST_RUN either, `BpfError`
 * (`unsupported-program-type`) where only the machine lacks it.
 */
export function contextOf(type: ProgramType): ContextType {
  const context = contexts[type]
  if (context) return context
  if (withoutTestRun.includes(type)) throw testRunError('ENOTSUPP', `${type} programs have no BPF_PROG_TEST_RUN`)
  throw new BpfError('unsupported-program-type', `running ${type} programs is not supported yet`)
}

/** Program types that a machine can run. */
export function runnableTypes(): ProgramType[] {
  return Object.keys(contexts) as ProgramType[]
}
