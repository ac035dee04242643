/** Running a loaded program from TypeScript: what BPF_PROG_TEST_RUN does, once or several times. */
import { BpfError } from '../bits/index.js'
import { BATCH } from '../engine/index.js'
import type { Program, RunOptions, RunResult } from '../host/index.js'
import { TASK, taskKinds } from '../runtime/index.js'
import { ErrnoError, errnos } from '../uapi/index.js'
import { type ContextProgram, contextOf, type PreparedRun } from './contexts/index.js'
import { assertOpen, type Core, guardMemory, type ProgramEntry, reapPrograms } from './core.js'
import { checkDeadline, drive, type Job, type JobLimits } from './drive.js'
import type { TaskIdentity } from './identity.js'
import { step } from './scheduler.js'

/** How one run on a machine is set up. */
export interface MachineRunOptions extends RunOptions {
  /** Who runs it; what is left out is the machine's own. */
  task?: Partial<TaskIdentity>
  /** Most instructions of each run (default: the machine's `maxInstructions`); of compiled code, rounds of its loops. */
  maxInstructions?: number
  /**
   * Most real time, in milliseconds, for all runs together. Looked at every million instructions, or in compiled code every
   * some thousand rounds of bpf_loop and may_goto. Other loops of compiled code, which only unverified programs can have for
   * long, are not ended: run those in a worker that can be.
   */
  timeoutMs?: number
}

/** A program on a machine. */
export interface MachineProgram extends Program {
  /**
   * Runs it to its end. Throws `ErrnoError` where test_run would fail, `TrapError` where it cannot go on, `BpfError`
   * (`would-suspend`) where it calls an `async` kfunc: use `runAsync`; `too-many-instructions` and `deadline` where it
   * goes on for longer than it may.
   */
  run(options?: MachineRunOptions): RunResult
  runAsync(options?: MachineRunOptions): Promise<RunResult>
  /**
   * Runs it once for each packet; the results in their order. Compiled code takes them all at once, so that the boundary
   * between JavaScript and WebAssembly is crossed once; every packet is in memory then. Throws as `run` does; a failure
   * ends the batch.
   */
  runBatch(packets: readonly Uint8Array[], options?: Omit<MachineRunOptions, 'data' | 'repeat'>): RunResult[]
}

/** One run under way. */
interface Run {
  readonly job: Job
  readonly prepared: PreparedRun
  readonly ctx: number
  readonly packet: number
  /** Where LD_ABS sees the packet. */
  readonly window: { readonly packet: number; readonly packetEnd: number }
  /** Frees everything; called once. */
  readonly release: () => void
}

function begin(
  core: Core,
  entry: ProgramEntry,
  context: ContextProgram,
  options: MachineRunOptions,
  repeat: number,
): Run {
  const { rt } = core
  const { spec, address } = entry
  const { cpu = 0 } = options
  if (!Number.isInteger(cpu) || cpu < 0 || cpu >= rt.cpus) {
    throw new BpfError('no-such-cpu', `the machine has CPUs 0 to ${rt.cpus - 1}, not ${cpu}`, { place: 'run' })
  }
  const prepared = contextOf(spec.type ?? 'unspec')(options, context)
  const held: number[] = []
  const take = (size: number): number => {
    if (size === 0) return 0
    const block = rt.calls.alloc(size)
    if (block) held.push(block)
    else throw new ErrnoError(errnos.ENOMEM, 'prog_test_run', { place: `program ${spec.name}` })
    return block
  }
  let task = 0
  const release = () =>
    guardMemory(() => {
      if (task) {
        rt.calls.taskFree(task)
        rt.calls.progLeave(address)
      }
      for (const block of held) rt.calls.free(block)
      reapPrograms(core)
    })
  try {
    const ctx = take(prepared.ctxSize)
    const packet = take(prepared.packetSize)
    task = rt.calls.taskNew(cpu, taskKinds.process)
    if (!task) throw new ErrnoError(errnos.ENOMEM, 'prog_test_run', { place: `program ${spec.name}` })
    rt.calls.progEnter(address)
    const window = prepared.place(rt.memory.buffer, ctx, packet)
    rt.store32(task + TASK.ctx, ctx)
    rt.store32(task + TASK.packet, window.packet)
    rt.store32(task + TASK.packetEnd, window.packetEnd)
    const identity = options.task ? { ...core.options.identity, ...options.task } : core.options.identity
    const limits = limitsOf(options)
    const job: Job = {
      ...{ task, cpu, program: entry, name: spec.name, identity, limits, repeat },
      suspended: undefined,
      end() {},
    }
    enter(core, job, ctx)
    return { job, prepared, ctx, packet, window, release }
  } catch (error) {
    release()
    throw error
  }
}

function limitsOf({ maxInstructions, timeoutMs }: MachineRunOptions): JobLimits | undefined {
  if (maxInstructions === undefined && timeoutMs === undefined) return undefined
  const instructions = maxInstructions ?? Number.POSITIVE_INFINITY
  const afterMs = timeoutMs ?? Number.POSITIVE_INFINITY
  if (instructions >= 0 && afterMs >= 0) return { instructions, deadline: performance.now() + afterMs, afterMs }
  const [name, value] = instructions >= 0 ? ['timeoutMs', afterMs] : ['maxInstructions', instructions]
  throw new BpfError('bad-option', `${name} must not be ${value}`, { place: 'run' })
}

function enter({ rt }: Core, { task, program }: Job, ctx: number): void {
  for (const register of [2, 3, 4, 5]) rt.store64(task + TASK.regs + register * 8, 0n)
  rt.store64(task + TASK.regs + 8, BigInt(ctx))
  program.engine.enter(task, program.handles[0] ?? 0)
}

function result({ rt }: Core, { job, prepared, ctx, packet }: Run): RunResult {
  return { retval: rt.load32(job.task + TASK.regs), ...prepared.finish(rt.memory.buffer, ctx, packet) }
}

function deadlock(entry: ProgramEntry): BpfError {
  return new BpfError('deadlock', 'it waits for a lock or a callback, and nothing else can run', {
    place: `program ${entry.spec.name}`,
  })
}

/** The program as users hold it. `context` tells how its argument lies in memory, `close` drops the user reference. */
export function openProgram(
  core: Core,
  entry: ProgramEntry,
  context: ContextProgram,
  close: () => void,
): MachineProgram {
  const { spec } = entry
  let open = true

  /** How often to run, and how many runs the engine does at once: all of them where it is compiled and nothing limits it. */
  function repetitions({ repeat = 1, timeoutMs }: MachineRunOptions): { runs: number; atOnce: number } {
    if (!Number.isInteger(repeat) || repeat < 0) {
      throw new BpfError('bad-option', `repeat must be a whole number, not ${repeat}`, { place: 'run' })
    }
    const runs = Math.max(1, repeat)
    if (entry.engine.name === 'interpreter' || timeoutMs !== undefined) return { runs, atOnce: 1 }
    return { runs: 1, atOnce: runs }
  }

  function start(options: MachineRunOptions, times: number): Run {
    assertOpen(core)
    if (!open) throw new ErrnoError(errnos.EBADF, 'prog_test_run', { place: `program ${spec.name}` })
    return guardMemory(() => begin(core, entry, context, options, times))
  }

  return {
    name: spec.name,
    spec,
    run(options = {}) {
      const { runs, atOnce } = repetitions(options)
      const run = start(options, atOnce)
      try {
        for (let left = runs; left > 0; ) {
          const outcome = drive(core, run.job)
          if (outcome === 'suspended') {
            throw new BpfError('would-suspend', 'it calls an async kfunc: use runAsync', {
              place: `program ${spec.name}`,
            })
          }
          if (outcome === 'blocked' && !step(core)) throw deadlock(entry)
          if (outcome !== 'done') continue
          left -= 1
          if (left === 0) break
          checkDeadline(run.job)
          enter(core, run.job, run.ctx)
        }
        return result(core, run)
      } finally {
        run.release()
      }
    },
    async runAsync(options = {}) {
      const { runs, atOnce } = repetitions(options)
      const run = start(options, atOnce)
      try {
        for (let left = runs; left > 0; ) {
          const outcome = drive(core, run.job)
          if (run.job.suspended) await run.job.suspended.promise
          assertOpen(core)
          if (outcome === 'blocked' && !step(core)) await othersOf(core, entry)
          if (outcome !== 'done') continue
          left -= 1
          if (left === 0) break
          checkDeadline(run.job)
          enter(core, run.job, run.ctx)
        }
        return result(core, run)
      } finally {
        if (!core.closed) run.release()
      }
    },
    runBatch(packets, options = {}) {
      const { compiler } = core.engines
      if (entry.engine !== compiler || options.timeoutMs !== undefined || packets.length < 2) {
        return packets.map((data) => this.run({ ...options, data }))
      }
      const runs: Run[] = []
      try {
        for (const data of packets) runs.push(start({ ...options, data }, 1))
        const retvals = runAtOnce(core, runs)
        return runs.map((run, i) => ({ ...result(core, run), retval: retvals[i] ?? 0 }))
      } finally {
        for (const run of runs) run.release()
      }
    },
    close() {
      if (!open) return
      open = false
      close()
    },
  }
}

/** Executes prepared runs of one compiled program in the first one's task; what they returned. */
function runAtOnce(core: Core, runs: readonly Run[]): number[] {
  const { rt } = core
  const [first] = runs
  const list = rt.calls.alloc(runs.length * BATCH.size)
  if (!first || !list) throw new ErrnoError(errnos.ENOMEM, 'prog_test_run', { place: 'a batch' })
  try {
    for (const [i, { ctx, window }] of runs.entries()) {
      rt.store32(list + i * BATCH.size + BATCH.ctx, ctx)
      rt.store32(list + i * BATCH.size + BATCH.packet, window.packet)
      rt.store32(list + i * BATCH.size + BATCH.packetEnd, window.packetEnd)
    }
    drive(core, { ...first.job, batch: { list, count: runs.length } })
    return runs.map((_, i) => rt.load32(list + i * BATCH.size + BATCH.retval))
  } finally {
    rt.calls.free(list)
  }
}

/** Waits until somebody else can go on; throws where nobody ever will. */
async function othersOf(core: Core, entry: ProgramEntry): Promise<void> {
  const promises = core.waiting.flatMap(({ suspended }) => (suspended ? [suspended.promise] : []))
  if (promises.length === 0) throw deadlock(entry)
  await Promise.race(promises)
}
