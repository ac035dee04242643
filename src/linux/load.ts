/**
 * An object's way into the kernel, one step after the other: BTF, maps, programs. A session holds what was made; nothing
 * refers to types of values here, so that the recorder can ask for verdicts without dressing anything.
 */
import { closeSync } from 'node:fs'
import type { MapSpec, ObjectSpec, ProgramSpec } from '../object/index.js'
import { ErrnoError, mapTypes } from '../uapi/index.js'
import type { Descriptors } from './descriptors.js'
import { summarise } from './log.js'
import { createMap } from './map.js'
import { fillSlots, makeMap } from './maps.js'
import { type BtfBlob, btfBlob, sanitizeBtf } from './object-btf.js'
import { collectStrings, prepareProgram, type Surroundings } from './prepare.js'
import { loadBtf, tryLoadProgram } from './program.js'

/** An object of which parts are in the kernel. */
export interface KernelObject {
  readonly spec: ObjectSpec
  /** The descriptor of a map, which is made when it is first asked for. Throws `ErrnoError`. */
  mapFd(name: string): number
  /** Loads one program. Errors before the kernel was asked are thrown. */
  load(program: ProgramSpec, logLevel: number): Answer
  /** Fills `__array(values, ...)` slots, once the programs that they name are loaded. */
  fillSlots(programFd: (name: string) => number | undefined): void
}

/** The kernel's verdict on a program. */
export interface Answer {
  /** The descriptor (owned by the session) where the program was accepted. */
  readonly fd: number | undefined
  /** Positive; 0 where it was accepted. */
  readonly errno: number
  readonly log: string
}

/** Loads the object's BTF and gets ready for the rest. `maps` are descriptors of maps that are shared. */
export function openObject(
  spec: ObjectSpec,
  fds: Descriptors,
  maps: ReadonlyMap<string, number> = new Map(),
): KernelObject {
  const made = new Map(maps)
  const { fd: btfFd, blob } = loadObjectBtf(spec, fds)
  const mapFd = (name: string): number => {
    const known = made.get(name)
    if (known !== undefined) return known
    const map = spec.maps[name] as MapSpec
    const fd = makeMap(map, btfFd, fds)
    made.set(name, fd)
    // Inner maps that are slots' initial values must exist before a program uses the outer one.
    fillSlots(map, fd, (target) => (spec.maps[target] ? mapFd(target) : undefined))
    return fd
  }
  const around: Surroundings = { object: spec, mapFd, btfFd, btf: blob }
  return {
    spec,
    mapFd,
    load(program, logLevel) {
      const { result, log } = tryLoadProgram({ ...prepareProgram(program, around), logLevel })
      return result < 0 ? { fd: undefined, errno: -result, log } : { fd: fds.own(result), errno: 0, log }
    },
    fillSlots(programFd) {
      for (const map of Object.values(spec.maps)) {
        const fd = made.get(map.name)
        if (fd !== undefined && !maps.has(map.name)) fillSlots(map, fd, programFd)
      }
    },
  }
}

function loadObjectBtf(spec: ObjectSpec, fds: Descriptors): { fd: number; blob: BtfBlob | undefined } {
  if (!spec.btf) return { fd: 0, blob: undefined }
  const keep = new Set(Object.values(spec.maps).map(({ valueTypeId }) => valueTypeId))
  const blob = btfBlob(sanitizeBtf(spec.btf, keep))
  for (const program of Object.values(spec.programs)) collectStrings(program, blob)
  return { fd: fds.own(loadBtf(blob.finish())), blob }
}

/** A verdict as suites record it. */
export interface Verdict {
  readonly verdict: 'accept' | 'reject'
  /** Positive; 0 where it was accepted. */
  readonly errno: number
  /** The log's last line before its statistics, BTF ids stripped. */
  readonly message: string
  /** Instructions simulated; absent where the kernel gave up before. */
  readonly processed?: number
  /** Present where the program was never asked because one of its maps was refused. */
  readonly stage?: 'map_create'
}

/** Asks the kernel about one program alone: everything is made for it and closed again. */
export function askKernel(
  object: KernelObject,
  program: ProgramSpec,
  fds: Descriptors,
  logLevel = 1,
): Verdict & { log: string } {
  try {
    const { fd, errno, log } = object.load(program, logLevel)
    if (fd !== undefined) fds.close(fd)
    const { message, processed } = summarise(log, errno === 0)
    const verdict = errno === 0 ? ('accept' as const) : ('reject' as const)
    return { verdict, errno, message, ...(processed === undefined ? {} : { processed }), log }
  } catch (error) {
    if (!(error instanceof ErrnoError) || error.operation !== 'map_create') throw error
    return { verdict: 'reject', errno: error.errno, message: '', stage: 'map_create', log: '' }
  }
}

/** Why the kernel cannot be asked here (another system, no koffi, no privilege), or `undefined` where it can. */
export function kernelUnavailable(): Error | undefined {
  try {
    closeSync(createMap({ type: mapTypes.array, keySize: 4, valueSize: 4, maxEntries: 1, name: 'probe' }))
    return undefined
  } catch (error) {
    return error as Error
  }
}
