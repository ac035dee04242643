/**
 * RCU, preemption-off and interrupts-off sections: depths in the task's block. In a machine whose CPUs take turns they
 * exclude nothing by themselves; the machine and the explorer read them to know what may interrupt a task.
 */
import { type Routine, routine } from '../wasm/index.js'
import { TASK } from './layout.js'

/** Changes one of the depths of a task: `bpf_rcu_read_lock` and its kin. */
export function depthChange(offset: number, by: 1 | -1): Routine<readonly ['i32'], 'i32'> {
  return routine(`task_depth_${offset}_${by}`, ['i32'], 'i32', (f, task) => {
    f.add32(task, offset, by)
    return 0
  })
}

/** `bpf_local_irq_save(flags)`: what it stores says whether interrupts were on. `(task, flags)` */
export const irqSave = routine('irq_save', ['i32', 'i32'], 'i32', (f, task, flags) => {
  f.store64(flags, 0, task.load32(TASK.irqDepth).eqz().wide())
  f.add32(task, TASK.irqDepth, 1)
  return 0
})

/** `bpf_local_irq_restore(flags)`. `(task, flags)` */
export const irqRestore = routine('irq_restore', ['i32', 'i32'], 'i32', (f, task, _flags) => {
  f.add32(task, TASK.irqDepth, -1)
  return 0
})
