/**
 * The section `loading`: from the bytes of an object to the result of its first run, in a process that has done so before;
 * and a whole command in a fresh process.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { BpfError } from '../bits/index.js'
import type { Host } from '../host/index.js'
import { Linux } from '../linux/index.js'
import { parseObject } from '../object/index.js'
import { objectBytes, packageDirectory } from './catalogue.js'
import { nowNs, percentile } from './measure.js'
import type { Task } from './programs.js'
import type { Row } from './results.js'
import { benchMachine } from './sides.js'

/** Loads that come before the first one that counts. */
const WARM_UP = 30
const COLD_STARTS = 10

/** Parses, loads (verified), runs once; the nanoseconds that took. Closing is not counted. */
async function loadOnce(bytes: Uint8Array, host: Host): Promise<number> {
  const start = nowNs()
  const app = await host.load(parseObject(bytes, { name: 'load.bpf.o' }))
  const { retval } = app.programs.filter?.run({ data: new Uint8Array(64) }) ?? {}
  const took = nowNs() - start
  app.close()
  if (retval !== 1) throw new BpfError('bench-result', `load: filter returned ${retval}, not 1`)
  return took
}

async function warm(task: Task): Promise<Row[]> {
  task.progress('load')
  const bytes = objectBytes('load')
  const machine = benchMachine(task.engine)
  const hosts: Host[] = task.kernel ? [machine, await Linux.open()] : [machine]
  const times: number[][] = hosts.map(() => [])
  try {
    for (let round = -WARM_UP; round < task.plan.rounds; round++) {
      for (const [i, host] of hosts.entries()) {
        const took = await loadOnce(bytes, host)
        if (round >= 0) times[i]?.push(took / 1e6)
      }
    }
  } finally {
    for (const host of hosts) await host.close()
  }
  const [ours = [], kernel] = times
  const row = (name: string, what: string, part: number): Row => ({
    section: 'loading',
    name,
    what,
    unit: 'ms',
    ours: percentile(ours, part),
    ...(kernel ? { kernel: percentile(kernel, part) } : {}),
  })
  return [
    row('load', '97 instructions, from bytes to the first result, warm: fastest', 0),
    row('load_median', 'the same: median', 50),
  ]
}

function cold(task: Task): Row[] {
  const command = join(packageDirectory, 'bin/workerbee.js')
  const example = join(packageDirectory, 'examples/heartbeat/heartbeat.bpf.o')
  if (!existsSync(example) || !existsSync(join(packageDirectory, 'dist/cli/main.js'))) return []
  task.progress('a fresh process')
  const times = Array.from({ length: COLD_STARTS }, () => {
    const start = nowNs()
    const { status, stderr } = spawnSync(process.execPath, [command, 'run', example], { encoding: 'utf8' })
    if (status !== 0) throw new BpfError('bench-result', `workerbee run failed: ${stderr}`)
    return (nowNs() - start) / 1e6
  })
  const row = (name: string, what: string, part: number): Row => {
    return { section: 'loading', name, what, unit: 'ms', ours: percentile(times, part) }
  }
  return [
    row('cold', '`workerbee run` of the example heartbeat in a fresh process: fastest of 10', 0),
    row('cold_median', 'the same: median', 50),
  ]
}

/** Times loading on both sides, and the command. */
export async function measureLoading(task: Task): Promise<Row[]> {
  return [...(await warm(task)), ...cold(task)]
}
