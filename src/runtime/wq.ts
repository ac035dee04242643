/**
 * `bpf_wq`: work that a worker of the same CPU does later (wq-semantics 0.3 and 1, imitated from Linux 6.18).
 *
 *     IDLE --start--> PENDING --pick--> RUNNING --start--> RUNNING|PENDING --finish--> PENDING
 *
 * The pending mark goes before the callback is entered, so a start during the run asks for one more run. That run happens
 * on the CPU where the object runs, whichever CPU started it (1.3, 5.1): a start queues it there at once, behind what is
 * queued already. A second worker of that CPU which meets it while it still runs hands it to the first (DEFERRED), which
 * runs it next.
 */
import { routine } from '../wasm/index.js'
import {
  asyncBegin,
  asyncInit,
  asyncSetCallback,
  changeState,
  countStart,
  finishRun,
  hasState,
  leaveIfCallable,
  objectPut,
} from './async.js'
import { cpuBlock, error, machine } from './common.js'
import { ASYNC, asyncKinds, asyncStates, CPU, MACHINE } from './layout.js'
import { queuePush, queuePushFront, queueRemove } from './queue.js'

const { PENDING, RUNNING, DEFERRED } = asyncStates

/** `bpf_wq_init(wq, map, flags)`: the flags are looked at first (1.1). */
export const wqInit = routine('wq_init', ['i32', 'i32', 'i32'], 'i32', (f, cell, map, flags) => {
  f.if(flags.ne(0), () => f.return(error.EINVAL))
  return asyncInit(asyncKinds.wq, cell, map, 0)
})

/** `bpf_wq_set_callback(wq, func, flags)` by a program. */
export const wqSetCallback = routine(
  'wq_set_callback',
  ['i32', 'i32', 'i32', 'i32'],
  'i32',
  (f, cell, func, flags, prog) => {
    f.if(flags.ne(0), () => f.return(error.EINVAL))
    return asyncSetCallback(cell, prog, func)
  },
)

/** `bpf_wq_start(wq, flags)` on a CPU: 0 in every state that has a callback (1.2). */
export const wqStart = routine('wq_start', ['i32', 'i32', 'i32'], 'i32', (f, cell, flags, cpu) => {
  f.if(flags.ne(0), () => f.return(error.EINVAL))
  const object = f.local(cell.load32())
  f.if(object.eqz(), () => f.return(error.EINVAL))
  f.if(object.load32(ASYNC.func).eqz(), () => f.return(error.EINVAL))
  countStart(f, object)
  f.if(hasState(object, PENDING), () => f.return(0))
  f.if(hasState(object, RUNNING).eqz(), () => f.store32(object, ASYNC.cpu, cpu))
  changeState(f, object, PENDING, 0)
  f.store64(object, ASYNC.startedAt, machine.shared64(MACHINE.clock))
  f.do(queuePush(object))
  return 0
})

/** What a worker of this CPU runs next, taken off the queue and marked running; 0 if there is nothing. */
export const wqPick = routine('wq_pick', ['i32'], 'i32', (f, cpu) => {
  const object = f.var32()
  const block = f.local(cpuBlock(cpu))
  f.forever((found, again) => {
    f.set(object, block.load32(CPU.queueHead))
    f.if(object.eqz(), () => f.return(0))
    f.do(queueRemove(object))
    f.if(hasState(object, RUNNING), () => {
      changeState(f, object, DEFERRED, 0)
      f.break(again)
    })
    changeState(f, object, 0, PENDING)
    leaveIfCallable(f, found, object)
  })
  f.do(asyncBegin(object))
  return object
})

/** The callback has returned. If it was handed over meanwhile, it is next in line on its CPU. */
export const wqFinish = routine('wq_finish', ['i32'], undefined, (f, object) => {
  finishRun(f, object)
  f.if(hasState(object, DEFERRED), () => {
    changeState(f, object, 0, DEFERRED)
    f.do(queuePushFront(object))
  })
  f.do(objectPut(object))
})
