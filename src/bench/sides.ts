/**
 * The two sides of a benchmark: the same object on a machine and in the kernel. A batch is one call in both cases, of a
 * program that is run many times: `run({ repeat })` here, BPF_PROG_TEST_RUN with a repeat count there.
 *
 * Ours is timed from outside, by the process's clock, with all that a call takes. The kernel times its own loop and gives
 * whole nanoseconds a run, which leaves out the system call: what rounds down there is at most 1 ns a run.
 */
import { BpfError } from '../bits/index.js'
import type { BpfMap } from '../host/index.js'
import { descriptors, openObject, rawMap, testRun } from '../linux/index.js'
import { Machine, type MachineOptions } from '../machine/index.js'
import { programTypes } from '../uapi/index.js'
import { type Benchmark, objectSpec } from './catalogue.js'
import { programInput } from './input.js'
import { nowNs, type Subject } from './measure.js'

/** A program on one side, ready to run. */
export interface Side extends Subject {
  /** What the program left in its map `result`. */
  result(): bigint
  /** What loading took, in nanoseconds. */
  readonly loadNs: number
  close(): void
}

/** The engines that a machine can have. */
export type EngineName = NonNullable<MachineOptions['engine']>

/** Makes modules of compiled programs in another way than V8's default. */
export type Compile = NonNullable<MachineOptions['compile']>

/** The packet that the programs are given; they do not look at it. */
const packet = new Uint8Array(64)
const firstKey = new Uint8Array(4)

function littleEndian(value: unknown): bigint {
  if (typeof value === 'bigint') return value
  if (value instanceof Uint8Array) return new DataView(value.buffer, value.byteOffset).getBigUint64(0, true)
  throw new BpfError('bench-result', `the map result holds a ${typeof value}`)
}

/** A machine for benchmarks: nothing is recorded, nothing verified (see {@link machineSide}). */
export function benchMachine(engine: EngineName, compile?: Compile): Machine {
  return new Machine({ engine, timelineLimit: 0, ...(compile ? { compile } : {}) })
}

/**
 * A benchmark on a machine. It is not verified: loading is measured elsewhere, and verifying ten programs of 70,000 steps
 * would take longer than running them.
 */
export async function machineSide(name: string, engine: EngineName, compile?: Compile): Promise<Side> {
  const machine = benchMachine(engine, compile)
  const spec = objectSpec(name)
  const beforeLoad = nowNs()
  const app = await machine.load(spec, { verify: false })
  const loadNs = nowNs() - beforeLoad
  const program = app.programs.entry
  if (!program) throw new BpfError('bench-missing', `${name} has no program entry`)
  const { input, result } = app.maps as Record<string, BpfMap | undefined>
  input?.set(firstKey, programInput())
  return {
    loadNs,
    batch(runs) {
      const start = nowNs()
      program.run({ data: packet, repeat: runs })
      return nowNs() - start
    },
    result: () => littleEndian(result?.get(result.spec.keyTypeId ? 0 : firstKey)),
    close() {
      app.close()
      void machine.close()
    },
  }
}

/** The same in the running kernel. Throws `ErrnoError` where it refuses. */
export function kernelSide(name: string): Side {
  const spec = objectSpec(name)
  const fds = descriptors()
  const object = openObject(spec, fds)
  const entry = spec.programs.entry
  if (!entry) throw new BpfError('bench-missing', `${name} has no program entry`)
  const map = (key: string) => {
    const { keySize, valueSize } = spec.maps[key] ?? { keySize: 0, valueSize: 0 }
    return rawMap(object.mapFd(key), key, keySize, valueSize, fds)
  }
  if (spec.maps.input) map('input').update(firstKey, programInput(), 0)
  const beforeLoad = nowNs()
  const { fd, log } = object.load(entry, 0)
  const loadNs = nowNs() - beforeLoad
  if (fd === undefined) {
    fds.closeAll()
    throw new BpfError('bench-refused', `the kernel refuses ${name}: ${log}`)
  }
  return {
    loadNs,
    // Linux compiles when it loads. Every test run of an XDP program waits for two grace periods of RCU, so that each counts.
    steady: true,
    batch: (runs) => testRun(fd, programTypes.xdp, { data: packet, repeat: runs }, name).durationNs * runs,
    result: () => littleEndian(map('result').lookup(firstKey)),
    close: () => fds.closeAll(),
  }
}

/** Runs it twice; throws `BpfError` (`bench-result`) where the result is not the expected one. */
export function checkResult(side: Side, { name, result }: Benchmark, where: string): void {
  side.batch(1)
  side.batch(1)
  const found = side.result()
  if (found === result) return
  throw new BpfError('bench-result', `it left 0x${found.toString(16)}, not 0x${result.toString(16)}`, {
    place: `${name} on ${where}`,
  })
}
