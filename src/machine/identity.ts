/**
 * Who executes: what `bpf_get_current_*` answers. Defined by us: a run is the fixture's process, a workqueue callback the
 * kernel worker of its CPU (1.16), a timer callback whatever it interrupted, which is the idle task (4.4).
 */

/** The executing task. */
export interface TaskIdentity {
  readonly pid: number
  /** What user space calls the process id. */
  readonly tgid: number
  readonly uid: number
  readonly gid: number
  /** At most 15 characters. */
  readonly comm: string
}

/** The process that runs programs unless the machine or the run says otherwise. */
export const defaultIdentity: TaskIdentity = { pid: 1000, tgid: 1000, uid: 0, gid: 0, comm: 'workerbee' }

/** The per-CPU worker of the system workqueue: `kworker/0:1`. */
export function workerIdentity(cpu: number): TaskIdentity {
  const pid = 10 + cpu
  return { pid, tgid: pid, uid: 0, gid: 0, comm: `kworker/${cpu}:1` }
}

/** The idle task of a CPU, which a timer's interrupt meets. */
export function idleIdentity(cpu: number): TaskIdentity {
  return { pid: 0, tgid: 0, uid: 0, gid: 0, comm: `swapper/${cpu}` }
}
