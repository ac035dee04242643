/**
 * The section `workqueues`: what a `bpf_wq_start` and its callback take, for 1,000 elements at once and for one alone.
 *
 * On the machine the program and then all callbacks run on this thread (`runUntilIdle`), and the clock is the process's. In
 * the kernel a thread of its own runs the callbacks, so the program's and the last callback's clocks tell: from the first
 * start to the end of the last callback.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { BpfError } from '../bits/index.js'
import type { Collection, Program } from '../host/index.js'
import { createMap, descriptors, Linux, rawMap } from '../linux/index.js'
import { mapFlags, mapTypes } from '../uapi/index.js'
import { objectSpec } from './catalogue.js'
import { nowNs, type Subject, warmUp } from './measure.js'
import type { Task } from './programs.js'
import type { Row } from './results.js'
import { benchMachine, type EngineName } from './sides.js'

/** Elements with a workqueue in `wq.bpf.c`. */
const ITEMS = 1000
const onFirstCpu = { cpu: 0 }

/** The two measurements: the program that starts, and how many items it starts. */
const measurements = [
  { name: 'wq_batch', program: 'start_all', items: ITEMS, what: 'bpf_wq_start and callback, 1,000 in one run' },
  {
    name: 'wq_single',
    program: 'start_one',
    items: 1,
    what: 'from bpf_wq_start to the end of the callback, one alone',
  },
] as const

function programOf(app: Collection, name: string): Program {
  const program = app.programs[name]
  if (program) return program
  throw new BpfError('bench-missing', `wq has no program ${name}`)
}

interface OurSide {
  subject(program: string): Subject
  close(): void
}

async function ourSide(engine: EngineName): Promise<OurSide> {
  const machine = benchMachine(engine)
  const app = await machine.load(objectSpec('wq'), { verify: false })
  if (programOf(app, 'setup').run(onFirstCpu).retval !== 0) throw new BpfError('bench-result', 'wq: setup failed')
  return {
    subject(name) {
      const program = programOf(app, name)
      return {
        batch(runs) {
          const start = nowNs()
          for (let i = 0; i < runs; i++) {
            program.run(onFirstCpu)
            machine.runUntilIdle()
          }
          return nowNs() - start
        },
      }
    },
    close() {
      app.close()
      void machine.close()
    },
  }
}

/**
 * Runs `setup` until no element lacks its workqueue, or most have theirs. Linux 6.18 takes a workqueue's memory only where it need not wait for it
 * and gives up early (-ENOMEM); it finds some in half-empty slabs, which elements of hash maps of the same size leave behind.
 */
async function setUpKernel(app: Collection): Promise<void> {
  const setup = programOf(app, 'setup')
  let missing = setup.run(onFirstCpu).retval
  const fds = descriptors()
  try {
    for (let attempt = 0; missing > 0 && attempt < 6; attempt++) {
      const valueSize = attempt % 3 === 0 ? 72 : attempt % 3 === 1 ? 40 : 136
      leaveHalfEmptySlabs(valueSize, fds)
      for (let i = 0; missing > 0 && i < 40; i++) {
        await sleep(3)
        for (let again = 0; missing > 0 && again < 5; again++) missing = setup.run(onFirstCpu).retval
      }
    }
  } finally {
    fds.closeAll()
  }
  if (missing > ITEMS * 0.9) throw new BpfError('bench-no-memory', 'the kernel has no memory for workqueues')
}

function leaveHalfEmptySlabs(valueSize: number, fds: ReturnType<typeof descriptors>): void {
  const maxEntries = 4096
  const shape = { type: mapTypes.hash, keySize: 4, valueSize, maxEntries, flags: mapFlags.no_prealloc, name: 'room' }
  const map = rawMap(fds.own(createMap(shape)), 'room', 4, valueSize, fds)
  const key = new Uint8Array(4)
  const value = new Uint8Array(valueSize)
  const each = (act: (index: number) => void) => {
    for (let index = 0; index < maxEntries; index++) {
      new DataView(key.buffer).setUint32(0, index, true)
      act(index)
    }
  }
  each(() => map.update(key, value, 0))
  each((index) => {
    if (index % 8 !== 0) map.delete(key)
  })
}

/** One round in the kernel: nanoseconds an item. */
async function kernelRound(app: Collection, name: string): Promise<number> {
  const { retval: started } = programOf(app, name).run(onFirstCpu)
  if (started === 0) throw new BpfError('bench-result', `wq: ${name} started nothing`)
  for (let waited = 0; waited < 1000; waited++) {
    await sleep(1)
    const { begin_ns: begin, end_ns: end } = app.globals
    if (typeof begin === 'bigint' && typeof end === 'bigint' && end > 0n) return Number(end - begin) / started
  }
  throw new BpfError('bench-result', `wq: the callbacks of ${name} did not run within a second`)
}

/** Times both measurements on both sides, in turns. */
export async function measureWorkqueues(task: Task): Promise<Row[]> {
  const ours = await ourSide(task.engine)
  const linux = task.kernel ? await Linux.open() : undefined
  try {
    task.progress('workqueues of the kernel')
    const app = linux && (await linux.load(objectSpec('wq')))
    if (app) await setUpKernel(app)
    const rows: Row[] = []
    for (const { name, program, items, what } of measurements) {
      task.progress(name)
      const subject = ours.subject(program)
      const runs = warmUp(subject, task.plan.batchNs)
      let [best, kernel] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
      for (let round = 0; round < task.plan.rounds; round++) {
        best = Math.min(best, subject.batch(runs) / runs / items)
        if (app) kernel = Math.min(kernel, await kernelRound(app, program))
      }
      rows.push({ section: 'workqueues', name, what, unit: 'ns', ours: best, ...(app ? { kernel } : {}) })
    }
    return rows
  } finally {
    ours.close()
    await linux?.close()
  }
}
