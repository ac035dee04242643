/**
 * The two hosts as `run` sees them: load, let work happen, tell what happened. A machine knows everything about its work; the
 * kernel tells only what it returned and what lies in maps and globals afterwards.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { BpfError } from '../bits/index.js'
import type { Collection } from '../host/index.js'
import { type Kfunc, Machine } from '../machine/index.js'
import type { ObjectSpec } from '../object/index.js'
import { parseCount, parseTime } from './arguments.js'
import { usageError } from './exit.js'
import { type Work, workOf } from './timeline.js'

/** Options that choose and set up a host. */
export interface HostOptions {
  readonly on?: string
  readonly kernel?: string
  readonly engine?: 'interpreter' | 'compiler'
  readonly cpus?: string
  readonly seed?: string
}

/** What a host knows about the time since it was last asked. */
export interface Observed {
  /** The host's clock when that time began. */
  readonly startNs: bigint
  readonly work: readonly Work[]
  readonly printk: readonly string[]
}

/** A host for one command. */
export interface Session {
  load(spec: ObjectSpec, programs: readonly string[], kfuncs: Readonly<Record<string, Kfunc>>): Promise<Collection>
  /** Lets work happen: `idle`, all of it, or what happens within a time. */
  drain(until: string): Promise<void>
  /** What happened since the last call. */
  observe(): Observed
  /** The state of an element's workqueue and timer, by member. */
  inspect(map: string, key: unknown): Record<string, FieldSummary>
  close(): Promise<void>
}

/** What one workqueue or timer is doing. */
export interface FieldSummary {
  readonly state: string
  readonly callback?: string
  readonly runs?: number
}

/** Opens the host that the options name. Throws what opening throws: `unknown-kernel`, `no-bpf`, `koffi-missing`. */
export async function openSession(options: HostOptions): Promise<Session> {
  return options.on === 'linux' ? linuxSession() : machineSession(options)
}

/** Work may go on for this much virtual time; steps are bounded by the machine, real time by --timeout. */
const FOREVER_MS = 1_000_000_000

function machineSession(options: HostOptions): Session {
  const cpus = parseCount('--cpus', options.cpus ?? '1', 1, 64)
  const seed = BigInt(parseCount('--seed', options.seed ?? '0', 0, Number.MAX_SAFE_INTEGER))
  const machine = new Machine({ kernel: options.kernel ?? '6.18', engine: options.engine ?? 'interpreter', cpus, seed })
  let [startNs, events, printed] = [machine.nowNs, 0, 0]
  return {
    load: (spec, programs, kfuncs) => machine.load(spec, { programs, kfuncs }),
    drain: (until) => drainMachine(machine, until),
    observe() {
      const work = workOf(machine.timeline.slice(events), machine.pending)
      const seen = { startNs, work, printk: machine.printk.slice(printed) }
      ;[startNs, events, printed] = [machine.nowNs, machine.timeline.length, machine.printk.length]
      return seen
    },
    inspect: (map, key) => machine.inspect(map, key),
    close: () => machine.close(),
  }
}

async function drainMachine(machine: Machine, until: string): Promise<void> {
  if (until === 'idle') return machine.settle({ timeoutMs: FOREVER_MS })
  const end = machine.nowNs + parseTime('--until', until)
  try {
    await machine.settle({ timeoutMs: Number(end - machine.nowNs) / 1e6 })
  } catch (error) {
    if (!(error instanceof BpfError) || error.code !== 'settle-timeout') throw error
  }
  if (machine.nowNs < end) machine.advance(end - machine.nowNs)
  return undefined
}

async function linuxSession(): Promise<Session> {
  const { Linux } = await import('../linux/index.js')
  const linux = await Linux.open()
  return {
    load(spec, programs, kfuncs) {
      if (Object.keys(kfuncs).length > 0) throw usageError('--kfuncs', 'the kernel takes no kfuncs in JavaScript')
      return linux.load(spec, { programs })
    },
    async drain(until) {
      if (until === 'idle') await linux.settle({ timeoutMs: 2 ** 31 - 1 })
      else await sleep(Number(parseTime('--until', until)) / 1e6)
    },
    observe: () => ({ startNs: 0n, work: [], printk: [] }),
    inspect: () => ({}),
    close: () => linux.close(),
  }
}
