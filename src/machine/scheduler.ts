/**
 * What happens next on a machine, and the only place where asynchronous work begins. Deterministic: who waited for a promise
 * goes on first, then expired timers by expiry, then queued work by the time of its start; ties by CPU. Nothing happens
 * unless it is asked for, and the clock moves only when nothing else can.
 */
import { BpfError } from '../bits/index.js'
import { ASYNC, asyncKinds, CPU, clockNs, cpuAt, NEVER, queued, readObject, TASK, taskKinds } from '../runtime/index.js'
import { assertOpen, type Core, guardMemory, reapPrograms } from './core.js'
import { drive, type Job, trapOf } from './drive.js'
import { idleIdentity, workerIdentity } from './identity.js'
import { byExpiry } from './work.js'

/** What a step did. */
export interface Step {
  /** `timer` and `wq`: a callback began; `resumed`: one that waited went on. */
  readonly kind: 'timer' | 'wq' | 'resumed'
  /** The function that executed. */
  readonly callback: string
  readonly cpu: number
  /** `false` where it now waits for an `async` kfunc or a lock. */
  readonly done: boolean
}

/**
 * What may still happen when time is up: timers that expired by then, and the work that this leads to, each item once. (An
 * instruction takes a nanosecond, so that what a timer defers at the last moment is always started a little late; an item
 * that starts itself again must not go on for ever.)
 */
interface Due {
  readonly deadlineNs: bigint
  /** Ids of the items that began after the deadline. */
  readonly late: Set<number>
}

/** Does the next thing that can be done without moving the clock; `undefined` where there is none, or none is due. */
export function step(core: Core, due?: Due): Step | undefined {
  assertOpen(core)
  const made = guardMemory(
    () => resumeSettled(core) ?? fireTimer(core, due) ?? runWork(core, due) ?? retryBlocked(core),
  )
  if (made) reapPrograms(core)
  return made
}

function resumeSettled(core: Core): Step | undefined {
  const job = core.waiting.find(({ suspended }) => suspended?.settled)
  return job ? goOn(core, job) : undefined
}

/** Blocked jobs try again when nothing else can run; one that gets no further is no step. */
function retryBlocked(core: Core): Step | undefined {
  for (const job of core.waiting.filter(({ suspended }) => !suspended)) {
    const before = core.rt.load32(job.task + TASK.pc)
    const made = goOn(core, job)
    if (made.done || job.suspended || core.rt.load32(job.task + TASK.pc) !== before) return made
  }
  return undefined
}

/** Drives a waiting job again. */
export function goOn(core: Core, job: Job): Step {
  core.waiting.splice(core.waiting.indexOf(job), 1)
  return { kind: 'resumed', callback: job.name, cpu: job.cpu, done: execute(core, job) }
}

/** Drives a job to its end (true), or puts it among those that wait. */
export function execute(core: Core, job: Job): boolean {
  let outcome: ReturnType<typeof drive>
  try {
    outcome = drive(core, job)
  } catch (error) {
    job.end(error)
    throw error
  }
  if (outcome === 'done') job.end()
  else core.waiting.push(job)
  return outcome === 'done'
}

function fireTimer(core: Core, due: Due | undefined): Step | undefined {
  const { rt } = core
  const next = rt.calls.timerNext()
  const clock = clockNs(rt)
  const latest = due && due.deadlineNs < clock ? due.deadlineNs : clock
  if (!next || rt.load64(next + ASYNC.expiry) > latest) return undefined
  for (const cpu of cpusByTimer(core, latest)) {
    const object = rt.calls.timerPick(cpu)
    if (object) return begin(core, object, cpu, rt.calls.timerFinish)
  }
  return undefined
}

/** CPUs whose next timer has expired by then, the earliest first: one whose softirq is busy leaves the turn to the next. */
function cpusByTimer({ rt }: Core, latest: bigint): number[] {
  const roots = Array.from({ length: rt.cpus }, (_, cpu) => rt.load32(cpuAt(rt, cpu) + CPU.timerRoot))
  const due = roots.flatMap((root) => (root ? [readObject(rt, root)] : [])).filter(({ expiryNs }) => expiryNs <= latest)
  return due.sort(byExpiry(rt)).map(({ cpu }) => cpu)
}

function runWork(core: Core, due: Due | undefined): Step | undefined {
  const { rt } = core
  for (let cpu = firstQueue(core, due); cpu >= 0; cpu = firstQueue(core, due)) {
    // What still runs elsewhere is put off by the routine: then there may be nothing left to pick there.
    const object = rt.calls.wqPick(cpu)
    if (!object) continue
    if (due && clockNs(rt) > due.deadlineNs) due.late.add(rt.load32(object + ASYNC.id))
    return begin(core, object, cpu, rt.calls.wqFinish)
  }
  return undefined
}

/** The CPU whose next item was started first, of those that have due work; -1 where there is none. */
function firstQueue({ rt }: Core, due: Due | undefined): number {
  let first = -1
  let earliest = 0n
  for (let cpu = 0; cpu < rt.cpus; cpu++) {
    const head = rt.load32(cpuAt(rt, cpu) + CPU.queueHead)
    if (!head) continue
    const at = rt.load64(head + ASYNC.startedAt)
    if (first >= 0 && at >= earliest) continue
    // An item that was late already runs again only to let others behind it have their turn.
    if (due?.late.has(rt.load32(head + ASYNC.id)) && queued(rt, cpu).every(({ id }) => due.late.has(id))) continue
    first = cpu
    earliest = at
  }
  return first
}

/** Begins the callback of an object that was just marked running. */
function begin(core: Core, object: number, cpu: number, finish: (object: number) => void): Step {
  const { rt, timeline, functions, options } = core
  const kind = rt.load32(object + ASYNC.kind) === asyncKinds.wq ? 'wq' : 'timer'
  const func = rt.load32(object + ASYNC.runningFunc)
  const known = functions.get(func)
  const task = known ? rt.calls.taskNew(cpu, kind === 'wq' ? taskKinds.worker : taskKinds.softirq) : 0
  if (!known || !task) {
    finish(object)
    if (!known) throw new BpfError('bad-function', 'a callback that no program has')
    throw new BpfError('out-of-memory', 'no room for the task of a callback', { place: `callback ${known.name}` })
  }
  rt.calls.taskCallback(task, object)
  known.program.engine.enter(task, func)
  const event = options.timelineLimit > 0 ? describe(core, object, cpu, known.name) : undefined
  if (event) {
    timeline.add({ ...event, event: 'begin', atNs: clockNs(rt), startNs: rt.load64(object + ASYNC.startedAt) })
  }
  const job: Job = {
    task,
    cpu,
    program: known.program,
    name: known.name,
    identity: kind === 'wq' ? workerIdentity(cpu) : idleIdentity(cpu),
    suspended: undefined,
    end() {
      rt.calls.taskFree(task)
      finish(object)
      if (event) timeline.add({ ...event, event: 'end', atNs: clockNs(rt) })
    },
  }
  return { kind, callback: known.name, cpu, done: execute(core, job) }
}

function describe({ rt, names }: Core, address: number, cpu: number, callback: string) {
  const object = readObject(rt, address)
  const key = names.key(object.map, object.value)
  return { kind: object.kind, cpu, id: object.id, map: names.map(object.map), key, callback }
}

/** When the next timer expires; `undefined` where none is armed, or never fires. */
export function nextExpiry(core: Core): bigint | undefined {
  const next = core.rt.calls.timerNext()
  if (!next) return undefined
  const { expiryNs } = readObject(core.rt, next)
  return expiryNs >= NEVER ? undefined : expiryNs
}

/** How long to go on. */
export interface IdleOptions {
  /** Stop as soon as this holds. */
  until?: (() => boolean) | undefined
  /** Stop when what is due by this time, and what it led to, has happened. */
  deadlineNs?: bigint | undefined
  /** Most steps (default 1,000,000): work that always starts itself again has no end. */
  maxSteps?: number | undefined
}

/** Why `runUntilIdle` stopped. */
export type Idle = 'until' | 'idle' | 'deadline'

/**
 * Steps until nothing is left to do, moving the clock to the next expiry whenever nothing else can run. What waits for a
 * promise is left waiting. Throws `BpfError` (`still-busy`) after `maxSteps`.
 */
export function runUntilIdle(core: Core, { until, deadlineNs, maxSteps = 1_000_000 }: IdleOptions = {}): Idle {
  const due = deadlineNs === undefined ? undefined : { deadlineNs, late: new Set<number>() }
  for (let steps = 0; ; steps++) {
    if (until?.()) return 'until'
    if (steps >= maxSteps) throw new BpfError('still-busy', `there is still work after ${maxSteps} steps`)
    steps += drain(core, until || due ? 0 : maxSteps - steps)
    if (steps >= maxSteps) continue
    if (step(core, due)) continue
    const expiry = nextExpiry(core)
    if (due && (firstQueue(core, undefined) >= 0 || (expiry ?? 0n) > due.deadlineNs)) return 'deadline'
    if (expiry === undefined) return 'idle'
    core.rt.calls.clockAdvanceTo(expiry)
  }
}

/**
 * Queued work of compiled programs, as many as `most` callbacks without leaving WebAssembly; how many there were. The order is
 * that of `step`. Only where nothing is recorded and nobody looks in between.
 */
function drain(core: Core, most: number): number {
  const { options, rt, waiting } = core
  const { compiler } = core.engines
  if (!compiler || most <= 0 || options.timelineLimit > 0 || waiting.length > 0) return 0
  if (firstQueue(core, undefined) < 0) return 0
  const task = rt.calls.taskNew(0, taskKinds.worker)
  if (!task) throw new BpfError('out-of-memory', 'no room for the task of a callback')
  try {
    const { done, trapped } = guardMemory(() => compiler.drain(task, 0, rt.cpus, most))
    if (trapped) throw trapOf(core, task)
    return done
  } finally {
    rt.calls.taskFree(task)
    reapPrograms(core)
  }
}

/** Lets time pass: everything that is due until then happens at its time. */
export function advance(core: Core, ns: bigint, maxSteps?: number): void {
  assertOpen(core)
  const deadlineNs = clockNs(core.rt) + ns
  runUntilIdle(core, { deadlineNs, maxSteps })
  core.rt.calls.clockAdvanceTo(deadlineNs)
}

/**
 * Drains like `runUntilIdle`, waiting for `async` kfuncs too. `timeoutMs` counts on the machine's clock, and in real time for
 * what a promise takes. Throws `BpfError` (`settle-timeout`).
 */
export async function settle(
  core: Core,
  { until, timeoutMs = 1000 }: { until?: (() => boolean) | undefined; timeoutMs?: number | undefined },
): Promise<void> {
  assertOpen(core)
  const deadlineNs = clockNs(core.rt) + BigInt(Math.round(timeoutMs * 1e6))
  const timeout = (why: string) => new BpfError('settle-timeout', why, { place: 'settle' })
  let leftMs = timeoutMs
  for (;;) {
    const reached = runUntilIdle(core, { until, deadlineNs })
    if (reached === 'until') return
    if (reached === 'deadline') throw timeout(`there is still work after ${timeoutMs} ms of the machine's time`)
    const promises = core.waiting.flatMap(({ suspended }) => (suspended ? [suspended.promise] : []))
    if (promises.length === 0) {
      if (core.waiting.length > 0) throw timeout('what is left waits for a lock that nobody will release')
      if (until) throw timeout('nothing is left to do, and `until` does not hold')
      return
    }
    const before = performance.now()
    if (!(await raced(promises, leftMs))) throw timeout(`async kfuncs took longer than ${timeoutMs} ms`)
    leftMs -= performance.now() - before
  }
}

/** The longest delay that timers of JavaScript know. */
const longestDelayMs = 2 ** 31 - 1

/** Waits for one of these, or for some real time: `false`. */
async function raced(promises: readonly Promise<void>[], timeoutMs: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), Math.min(Math.max(timeoutMs, 0), longestDelayMs))
  })
  const first = await Promise.race([...promises.map((promise) => promise.then(() => true)), late])
  clearTimeout(timer)
  return first
}
