/**
 * Flags of kfuncs (`KF_*`) that no recording shows: what is acquired, released or may be NULL, and what a kfunc demands of
 * its arguments. A kfunc that is not listed is offered by the kernel but not described here; whoever calls it gets
 * `unsupported`, by name.
 */
import type { KfuncFlags } from './types.js'

const none: KfuncFlags = {}

/** By name; whether it sleeps and who may call it is recorded. */
export const kfuncFlags: Readonly<Record<string, KfuncFlags>> = {
  bpf_wq_init: none,
  bpf_wq_set_callback_impl: none,
  bpf_wq_start: none,
  bpf_rcu_read_lock: none,
  bpf_rcu_read_unlock: none,
  bpf_preempt_disable: none,
  bpf_preempt_enable: none,
  bpf_local_irq_save: none,
  bpf_local_irq_restore: none,
  bpf_task_work_schedule_signal_impl: { trustedArgs: true },
  bpf_task_work_schedule_resume_impl: { trustedArgs: true },
  bpf_task_acquire: { acquire: true, rcu: true, retNull: true },
  bpf_task_release: { release: true },
  bpf_task_from_pid: { acquire: true, retNull: true },
  bpf_task_from_vpid: { acquire: true, retNull: true },
  bpf_cgroup_acquire: { acquire: true, rcu: true, retNull: true },
  bpf_cgroup_release: { release: true },
  bpf_cgroup_ancestor: { acquire: true, rcu: true, retNull: true },
  bpf_cgroup_from_id: { acquire: true, retNull: true },
  bpf_task_under_cgroup: { rcu: true },
  bpf_cpumask_create: { acquire: true, retNull: true },
  bpf_cpumask_acquire: { acquire: true, trustedArgs: true },
  bpf_cpumask_release: { release: true },
}
