/**
 * The loop that drives one task through an engine until it ends or must wait. There is one for everything that executes:
 * runs from TypeScript, workqueue callbacks, timer callbacks.
 */
import { BpfError } from '../bits/index.js'
import { LIMIT_CALL, type Stop } from '../engine/index.js'
import { ASYNC, CPU, clockNs, cpuAt, FRAME, readObject, TASK } from '../runtime/index.js'
import type { Core, HostEntry, ProgramEntry } from './core.js'
import { type TaskIdentity, workerIdentity } from './identity.js'
import { callKfunc } from './kfunc-call.js'
import { lineOf, TrapError } from './trap-error.js'

/** Something that executes or waits to go on. */
export interface Job {
  readonly task: number
  readonly cpu: number
  readonly program: ProgramEntry
  /** The function that it entered: the program's name or the callback's. */
  readonly name: string
  readonly identity: TaskIdentity
  /** Compiled code only: how often it runs before it comes back (default once). */
  readonly repeat?: number
  /** Compiled code only: the packets that it runs for, as `BATCH` blocks in memory. */
  readonly batch?: { readonly list: number; readonly count: number }
  /** Limits of this job alone; the machine's own are checked as well. */
  readonly limits?: JobLimits | undefined
  /** The promise of an `async` kfunc that it waits for. */
  suspended: Suspension | undefined
  /** Called once: when it has returned, or failed. */
  readonly end: (error?: unknown) => void
}

/** An `async` kfunc under way. `settled` turns true when the promise has; `finish` then writes R0, or throws. */
export interface Suspension {
  readonly promise: Promise<void>
  settled: boolean
  finish(): void
}

/** When a job is stopped. */
export interface JobLimits {
  /** Most instructions. */
  readonly instructions: number
  /** Real time on the clock of `performance.now()`; `afterMs` is how long that was from the start, for the message. */
  readonly deadline: number
  readonly afterMs: number
}

/** How far driving got: to its end, or to where it must wait for others or for a promise. */
export type Outcome = 'done' | 'blocked' | 'suspended'

/** Instructions between two looks at the limit. */
const slice = 1_000_000

/**
 * Executes a job until it is done, blocked or suspended. Throws `TrapError`, `BpfError` (`too-many-instructions`, `deadline`)
 * and whatever a kfunc throws; the caller ends the job then.
 */
export function drive(core: Core, job: Job): Outcome {
  const { rt } = core
  const current = cpuAt(rt, job.cpu) + CPU.current
  const interrupted = rt.load32(current)
  rt.store32(current, job.task)
  rt.store32(job.task + TASK.interrupted, interrupted)
  const outer = core.running
  core.running = job
  try {
    if (job.suspended) {
      const { finish } = job.suspended
      job.suspended = undefined
      guarded(core, job, finish)
    }
    for (;;) {
      const stop = go(core, job)
      if (stop === 'done' || stop === 'blocked') return stop
      if (stop === 'trap') throw trapError(job)
      if (stop === 'host' && guarded(core, job, hostCall) === 'suspended') return 'suspended'
      checkLimits(core, job)
    }
  } finally {
    core.running = outer
    rt.store32(current, interrupted)
  }
}

function go(core: Core, job: Job): Stop {
  const { compiler } = core.engines
  const { engine, handles } = job.program
  const entry = handles[0] ?? 0
  if (compiler === engine && job.batch) return compiler.batch(job.task, entry, job.batch.list, job.batch.count)
  if (compiler === engine && job.repeat) return compiler.repeat(job.task, entry, job.repeat)
  return engine.resume(job.task, Math.min(slice, leftOf(core, job)))
}

/**
 * Does a host call of compiled code, in the middle of it. Whatever it throws leaves the code and comes out of `drive`. Throws
 * `BpfError` (`would-suspend`) where the call would have to wait: such programs are interpreted.
 */
export function compiledHostCall(core: Core, task: number, id: number): void {
  const job = core.running?.task === task ? core.running : drainedJob(core, task)
  if (id === LIMIT_CALL) {
    checkLimits(core, job)
    return
  }
  core.rt.store32(task + TASK.hostCall, id)
  if (guarded(core, job, hostCall) !== 'suspended') return
  throw new BpfError('would-suspend', 'an async kfunc must be declared sleepable', {
    place: `program ${job.program.spec.name}`,
  })
}

/** The callback that a task of a drain executes now. */
function drainedJob(core: Core, task: number): Job {
  const known = core.functions.get(core.rt.load32(task + TASK.frames + FRAME.func))
  if (!known) throw new BpfError('bad-function', 'a callback that no program has')
  const cpu = core.rt.load32(task + TASK.cpu)
  return { task, cpu, ...known, identity: workerIdentity(cpu), suspended: undefined, end() {} }
}

/** Instructions that a job may still execute. */
function leftOf({ rt, options }: Core, { task, limits }: Job): number {
  const most = Math.min(options.maxInstructions, limits?.instructions ?? Number.POSITIVE_INFINITY)
  return most - Number(rt.load64(task + TASK.executed))
}

/** Throws where a job that has not ended has used up what it was allowed: `too-many-instructions`, `deadline`. */
function checkLimits(core: Core, job: Job): void {
  if (leftOf(core, job) <= 0) {
    const most = core.rt.load64(job.task + TASK.executed)
    throw new BpfError('too-many-instructions', `it executed ${most} instructions and has not ended`, {
      place: `program ${job.program.spec.name}`,
    })
  }
  checkDeadline(job)
}

/** Throws `BpfError` (`deadline`) where a job's time is over. */
export function checkDeadline({ limits, program }: Job): void {
  if (!limits || performance.now() <= limits.deadline) return
  throw new BpfError('deadline', `it did not end within ${limits.afterMs} ms`, {
    place: `program ${program.spec.name}`,
  })
}

/** What a task trapped at whose function is known by its frame: one of a `drain`. */
export function trapOf(core: Core, task: number): TrapError {
  return trapError(drainedJob(core, task))
}

function trapError({ task, program }: Job): TrapError {
  const info = program.engine.trap(task)
  return new TrapError(info, lineOf(program.spec.lines, info.insn))
}

/** Does a call of the machine; an address that is not mapped is the program's fault and a trap like any other. */
function guarded<T>(core: Core, job: Job, call: (core: Core, job: Job) => T): T {
  try {
    return call(core, job)
  } catch (error) {
    const sentence = badAddress(error)
    if (sentence === undefined) throw error
    const { spec, engine } = job.program
    // The interpreter stands behind the call already.
    const insn = core.rt.load32(job.task + TASK.pc) - (engine.name === 'interpreter' ? 1 : 0)
    throw new TrapError({ code: 'bad-address', sentence, program: spec.name, insn }, lineOf(spec.lines, insn))
  }
}

function badAddress(error: unknown): string | undefined {
  if (error instanceof WebAssembly.RuntimeError) return 'a call is given an address that is not mapped'
  return error instanceof BpfError && error.code === 'bad-address' ? error.message : undefined
}

const registers = [1, 2, 3, 4, 5] as const

function hostCall(core: Core, job: Job): 'ok' | 'suspended' {
  const { rt } = core
  const entry = core.hostCalls.get(rt.load32(job.task + TASK.hostCall))
  if (!entry || entry.kind === 'unresolved') {
    throw new BpfError('unresolved-kfunc', `it called ${entry?.name ?? 'a function'}, which was not resolved at load`, {
      place: `program ${job.program.spec.name}`,
    })
  }
  if (entry.kind === 'start') {
    recordedStart(core, job, entry)
    return 'ok'
  }
  const [a, b, c, d, e] = registers.map((n) => rt.load64(job.task + TASK.regs + n * 8))
  const args = [a ?? 0n, b ?? 0n, c ?? 0n, d ?? 0n, e ?? 0n] as const
  const result = (r0: bigint | number) => rt.store64(job.task + TASK.regs, BigInt.asUintN(64, BigInt(r0)))
  if (entry.kind === 'helper') {
    result(
      entry.run({ args, memory: core.memory, identity: job.identity, print: (text) => core.printk.push(line(text)) }),
    )
    return 'ok'
  }
  return kfuncCall(core, job, entry, args, result)
}

/** bpf_printk texts often end in a newline of their own; the trace has one line for each. */
function line(text: string): string {
  return text.endsWith('\n') ? text.slice(0, -1) : text
}

function kfuncCall(
  core: Core,
  job: Job,
  { plan, kfunc }: Extract<HostEntry, { kind: 'kfunc' }>,
  args: readonly bigint[],
  result: (r0: bigint) => void,
): 'ok' | 'suspended' {
  const started = callKfunc(plan, kfunc, args, {
    read: core.memory.read,
    write: core.memory.write,
    map: (address) => core.maps.get(address)?.face,
  })
  if (!isThenable(started.result)) {
    result(started.finish(started.result))
    return 'ok'
  }
  if (!kfunc.flags.sleepable) {
    Promise.resolve(started.result).catch(() => {})
    throw new BpfError('kfunc-suspends', 'only a kfunc that is declared sleepable may be async', {
      place: `kfunc ${plan.name}`,
    })
  }
  let settle: () => bigint
  const suspension: Suspension = {
    settled: false,
    finish: () => result(settle()),
    promise: Promise.resolve(started.result).then(
      (value) => {
        settle = () => started.finish(value)
        suspension.settled = true
      },
      (error: unknown) => {
        settle = () => {
          throw error
        }
        suspension.settled = true
      },
    ),
  }
  job.suspended = suspension
  return 'suspended'
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

/** Does `bpf_wq_start` or `bpf_timer_start` by its shim and enters what happened in the timeline. */
function recordedStart(core: Core, job: Job, { name }: Extract<HostEntry, { kind: 'start' }>): void {
  const { rt, names } = core
  const cell = Number(BigInt.asUintN(32, rt.load64(job.task + TASK.regs + 8)))
  const before = new DataView(core.memory.read(cell, 4).buffer).getUint32(0, true)
  if (before !== 0 && !core.memory.has(before, ASYNC.size))
    throw new BpfError('bad-address', 'it starts what is no work')
  const again = before !== 0 && readObject(rt, before).state.endsWith('pending')
  rt.shims[name](job.task)
  if (rt.load64(job.task + TASK.regs) !== 0n) return
  const object = readObject(rt, before)
  core.timeline.add({
    event: 'start',
    kind: object.kind,
    atNs: clockNs(rt),
    cpu: job.cpu,
    id: object.id,
    map: names.map(object.map),
    key: names.key(object.map, object.value),
    callback: names.callback(object.func),
    from: job.name,
    ...(again ? { again: true } : {}),
    ...(object.kind === 'timer' ? { expiryNs: object.expiryNs } : {}),
  })
}
