/** What the kernel made of an object, dressed for users: programs, maps and globals by name. */
import { BpfError } from '../bits/index.js'
import type { Btf } from '../btf/index.js'
import {
  type BpfMap,
  bytesToFields,
  type Codec,
  type Collection,
  codecFor,
  contextStruct,
  type GlobalSection,
  globalsOf,
  keyCodec,
  type LoadOptions,
  mapValueCodec,
  type Program,
  type RawMap,
  type RunOptions,
  recordContext,
  sectionVariables,
  typedMap,
} from '../host/index.js'
import type { MapSpec, ObjectSpec, ProgramSpec } from '../object/index.js'
import { ErrnoError, errnos, mapFlags, programTypes } from '../uapi/index.js'
import { onCpu } from './cpu.js'
import { type Descriptors, descriptors } from './descriptors.js'
import { possibleCpus } from './kernel.js'
import { type KernelObject, openObject } from './load.js'
import { type MappedSection, mapSection, rawMap, rawSection, reopenMap } from './map.js'
import { testRun } from './program.js'
import { refusal } from './refusal.js'

/** A collection and what its host needs of it. */
export interface KernelCollection {
  readonly face: Pick<Collection, 'programs' | 'maps' | 'globals'>
  /** The descriptor of one of its maps. */
  fdOf(map: BpfMap): number | undefined
  /** All that can be read of maps and globals: two that are equal mean that nothing happened in between. */
  snapshot(): string
  close(): void
}

/** Bytes of a value as user space sees it. */
function userValueSize(spec: MapSpec): number {
  if (spec.type.includes('of_maps') || spec.type === 'prog_array') return 4
  const perCpu = spec.type.includes('percpu')
  return perCpu ? Math.ceil(spec.valueSize / 8) * 8 * possibleCpus() : spec.valueSize
}

/** Per-CPU values as an array, one entry a possible CPU. */
function perCpuCodec(each: Codec, spec: MapSpec): Codec {
  if (!spec.type.includes('percpu')) return each
  const stride = Math.ceil(spec.valueSize / 8) * 8
  const cpus = possibleCpus()
  return {
    size: stride * cpus,
    read: (bytes) => Array.from({ length: cpus }, (_, cpu) => each.read(bytes.subarray(cpu * stride))),
    write(value) {
      if (!Array.isArray(value) || value.length !== cpus) {
        throw new BpfError('bad-value', `an array of ${cpus} values is wanted, one for each CPU`)
      }
      const bytes = new Uint8Array(stride * cpus)
      for (const [cpu, one] of value.entries()) bytes.set(each.write(one), cpu * stride)
      return bytes
    },
  }
}

/** The struct to which a program's first parameter points, where its BTF says. */
function contextCodec({ functions }: ProgramSpec, btf: Btf | undefined): Codec | undefined {
  const func = btf?.types[functions[0]?.typeId ?? 0]
  const proto = func?.kind === 'func' ? btf?.types[func.type] : undefined
  const parameter = proto?.kind === 'func_proto' ? proto.params[0] : undefined
  const pointer = parameter && btf?.resolve(parameter.type)
  if (!btf || pointer?.kind !== 'ptr') return undefined
  const target = btf.resolve(pointer.type)
  return target.kind === 'struct' ? codecFor(btf, target.id, target.size) : undefined
}

function contextBytes(
  { ctx, data }: RunOptions,
  codec: Codec | undefined,
  { name, type }: ProgramSpec,
): Uint8Array | undefined {
  if (ctx === undefined || ctx instanceof Uint8Array) return ctx
  const struct = contextStruct(type)
  if (struct) return recordContext(struct, ctx, data)
  if (Object.keys(ctx).length === 0) return codec ? new Uint8Array(codec.size) : undefined
  if (codec) return codec.write(ctx)
  const sentence = 'its parameter is no pointer to a struct: give the context as bytes'
  throw new BpfError('bad-context', sentence, { place: `program ${name}` })
}

/** A context that came back, member by member, where its type is known. */
function contextFieldsOf(
  { type }: ProgramSpec,
  codec: Codec | undefined,
  ctx: Uint8Array,
): Record<string, unknown> | undefined {
  const struct = contextStruct(type)
  if (struct) return ctx.length >= struct.size ? bytesToFields(struct.fields, ctx) : undefined
  return codec && ctx.length >= codec.size ? (codec.read(ctx) as Record<string, unknown>) : undefined
}

function openProgram(fd: number, spec: ProgramSpec, btf: Btf | undefined, fds: Descriptors): Program {
  const type = programTypes[spec.type ?? 'unspec']
  const codec = contextCodec(spec, btf)
  let open = true
  const program: Program = {
    name: spec.name,
    spec,
    run(options = {}) {
      if (!open || fds.closed) throw new ErrnoError(errnos.EBADF, 'prog_test_run', { place: `program ${spec.name}` })
      const ctx = contextBytes(options, codec, spec)
      const { data, repeat, cpu } = options
      const input = { ...(ctx ? { ctx } : {}), ...(data ? { data } : {}), ...(repeat === undefined ? {} : { repeat }) }
      const run = () => testRun(fd, type, input, spec.name)
      const answer = cpu === undefined ? run() : onCpu(cpu, run)
      const fields = ctx && contextFieldsOf(spec, codec, answer.ctx)
      return {
        retval: answer.retval,
        ...(data ? { data: answer.data } : {}),
        ...(ctx ? { ctx: answer.ctx } : {}),
        ...(fields ? { fields } : {}),
      }
    },
    runAsync: async (options) => program.run(options),
    close() {
      open = false
      fds.close(fd)
    },
  }
  return program
}

function chosen(spec: ObjectSpec, names: readonly string[] | undefined): ProgramSpec[] {
  if (!names) return Object.values(spec.programs).filter(({ autoload }) => autoload)
  return names.map((name) => {
    const program = Object.hasOwn(spec.programs, name) ? spec.programs[name] : undefined
    if (program) return program
    throw new BpfError('unknown-program', `the object has no program ${name}`, { place: `object ${spec.name}` })
  })
}

/** Loads one program; throws the kernel's refusal. */
function loadOne(object: KernelObject, program: ProgramSpec): number {
  const { fd } = object.load(program, 0)
  if (fd !== undefined) return fd
  // Only a refusal is worth a log: asking for one slows every load down.
  const { errno, log } = object.load(program, 1)
  throw refusal(object.spec, program, errno || errnos.EINVAL, log)
}

/** Makes everything, or nothing. `fdOfShared` finds the descriptor of a map of another collection. */
export function loadCollection(
  spec: ObjectSpec,
  options: LoadOptions,
  fdOfShared: (map: BpfMap) => number,
): KernelCollection {
  const fds = descriptors()
  const mapped: MappedSection[] = []
  const close = () => {
    for (const section of mapped.splice(0)) section.close()
    fds.closeAll()
  }
  try {
    const programs = chosen(spec, options.programs)
    const shared = new Map<string, number>()
    for (const [name, map] of Object.entries(options.maps ?? {})) {
      if (!Object.hasOwn(spec.maps, name)) {
        throw new BpfError('unknown-map', `the object has no map ${name}`, { place: 'option maps' })
      }
      shared.set(name, fds.own(reopenMap(fdOfShared(map))))
    }
    const object = openObject(spec, fds, shared)
    const maps: Record<string, BpfMap> = {}
    const raws = new Map<string, RawMap>()
    const owners = new Map<BpfMap, number>()
    const sections: GlobalSection[] = []
    for (const [name, map] of Object.entries(spec.maps)) {
      const fd = object.mapFd(name)
      const raw = rawMap(fd, name, map.keySize, userValueSize(map), fds)
      raws.set(name, raw)
      const face = typedMap(map, raw, keyCodec(map, spec.btf), perCpuCodec(mapValueCodec(map, spec.btf), map))
      maps[name] = face
      owners.set(face, fd)
      if (map.contents === undefined) continue
      const place = globalSection(fd, map, raw)
      if (place.close) mapped.push({ raw: place.raw, close: place.close })
      const variables = sectionVariables(map, spec.btf)
      if (variables.length > 0) sections.push({ name: map.section ?? name, raw: place.raw, variables })
    }
    const loaded: Record<string, Program> = {}
    const programFds = new Map<string, number>()
    for (const program of programs) {
      const fd = loadOne(object, program)
      programFds.set(program.name, fd)
      loaded[program.name] = openProgram(fd, program, spec.btf, fds)
    }
    object.fillSlots((name) => programFds.get(name))
    return {
      face: { programs: loaded, maps, globals: globalsOf(sections) },
      fdOf: (map) => owners.get(map),
      snapshot: () => snapshot(spec, raws),
      close,
    }
  } catch (error) {
    close()
    throw error
  }
}

/** Global data in memory where the map allows it, as libbpf does it; else element 0. */
function globalSection(fd: number, map: MapSpec, raw: RawMap): Partial<MappedSection> & Pick<MappedSection, 'raw'> {
  if (!(map.flags & mapFlags.mmapable)) return { raw: rawSection(raw) }
  return mapSection(fd, map.name, map.valueSize, !map.frozen)
}

function snapshot(spec: ObjectSpec, raws: ReadonlyMap<string, RawMap>): string {
  const parts: string[] = []
  for (const [name, raw] of raws) {
    const map = spec.maps[name]
    if (!map || !/^(percpu_|lru_)*(hash|array)$|^lru_percpu_hash$/.test(map.type)) continue
    let key = raw.nextKey(undefined)
    for (let i = 0; key && i <= map.maxEntries; i += 1) {
      const value = raw.lookup(key)
      parts.push(`${Buffer.from(key).toString('hex')}=${value ? Buffer.from(value).toString('hex') : ''}`)
      key = raw.nextKey(key)
    }
  }
  return parts.join()
}
