/**
 * BPF_MAP_CREATE: which maps Linux 6.18 would make, with its errno for those that it would not (observed), and making
 * those that we have: HASH, ARRAY, LRU_HASH. Checks come in the kernel's order: type and flags, sizes, then what special
 * fields in the value ask for (wq-semantics 2.2).
 */
import { BpfError } from '../bits/index.js'
import { ErrnoError, errnos, type MapType, mapFlags, mapTypes } from '../uapi/index.js'
import { HASH_MULTIPLIER } from './key.js'
import { CPU, ELEM, LRU_LINK, MACHINE, MACHINE_AT, MAP, MAP_MAGIC, NO_FIELD, RANGE } from './layout.js'
import type { Runtime } from './runtime.js'

/** Offsets of the special fields in a value, as its BTF says; a map without value BTF has none. */
export interface SpecialFields {
  readonly lock?: number | undefined
  readonly timer?: number | undefined
  readonly wq?: number | undefined
  readonly taskWork?: number | undefined
}

/** What a new map is to be. Sizes in bytes. */
export interface NewMap {
  readonly type: MapType
  readonly keySize: number
  readonly valueSize: number
  readonly maxEntries: number
  /** `mapFlags` of uapi. */
  readonly flags?: number
  readonly extra?: bigint
  readonly numaNode?: number
  readonly special?: SpecialFields
  /** Left in `MAP.tag` for JavaScript's own table. */
  readonly tag?: number
}

/** Sizes of the special fields (2.1). */
const specialSizes = { lock: 4, timer: 16, wq: 16, taskWork: 8 } as const

const bits = (...names: (keyof typeof mapFlags)[]): number => names.reduce((all, name) => all | mapFlags[name], 0)
const access = bits('rdonly', 'wronly', 'rdonly_prog', 'wronly_prog')

/** Flags that each type of ours takes. */
const flagsOf: Partial<Record<MapType, number>> = {
  array: bits('numa_node', 'mmapable', 'inner_map') | access,
  hash: bits('no_prealloc', 'numa_node', 'zero_seed') | access,
  lru_hash: bits('no_prealloc', 'no_common_lru', 'numa_node', 'zero_seed') | access,
}

/** The largest key plus value of a hash: 4 MiB less the kernel's element header. */
const MAX_HASH_ELEMENT = 0x400000 - 48
/** More buckets than this do not fit the kernel's arithmetic. */
const MAX_HASH_ENTRIES = 0x8000000

/** Maps that may hold a timer, a workqueue or task work; and a spin lock (LRU_HASH may not, observed). */
const asyncTypes: ReadonlySet<MapType> = new Set(['hash', 'array', 'lru_hash'])
const lockTypes: ReadonlySet<MapType> = new Set(['hash', 'array'])

/** What the kernel answers to the flags and sizes of a map of ours: 0 or a positive errno. */
function checkShape({ type, keySize, valueSize, maxEntries, flags = 0, extra = 0n, numaNode = 0 }: NewMap): number {
  const { EINVAL, E2BIG, ENOTSUPP } = errnos
  const both = (a: number, b: number): boolean => (flags & a) !== 0 && (flags & b) !== 0
  if (extra !== 0n || flags & ~(flagsOf[type] ?? 0)) return EINVAL
  if (both(mapFlags.rdonly, mapFlags.wronly) || both(mapFlags.rdonly_prog, mapFlags.wronly_prog)) return EINVAL
  if (flags & mapFlags.numa_node && numaNode !== 0) return EINVAL
  if (type === 'lru_hash' && flags & mapFlags.no_prealloc) return ENOTSUPP
  if (maxEntries === 0 || keySize === 0 || valueSize === 0) return EINVAL
  if (type === 'array') return keySize !== 4 ? EINVAL : valueSize > 0x7fffffff ? E2BIG : 0
  return keySize + valueSize >= MAX_HASH_ELEMENT || maxEntries > MAX_HASH_ENTRIES ? E2BIG : 0
}

/** What the kernel answers to special fields in the value of a map of this type: 0 or a positive errno. */
function checkSpecial({ type, flags = 0, special }: NewMap): number {
  if (!special || Object.values(special).every((offset) => offset === undefined)) return 0
  if (type === 'queue' || type === 'stack') return errnos.EINVAL
  if (flags & bits('rdonly_prog', 'wronly_prog')) return errnos.EACCES
  if (special.lock !== undefined && !lockTypes.has(type)) return errnos.EOPNOTSUPP
  return asyncTypes.has(type) ? 0 : errnos.EOPNOTSUPP
}

/** What Linux 6.18 answers to BPF_MAP_CREATE: 0 or a positive errno. Sizes are checked for the types that we have only. */
export function checkMap(map: NewMap): number {
  return (flagsOf[map.type] === undefined ? 0 : checkShape(map)) || checkSpecial(map)
}

const round8 = (size: number): number => Math.ceil(size / 8) * 8

/**
 * Makes a map, with one user reference and one reference. Returns its address. Throws `ErrnoError` where Linux would
 * refuse (`map_create`; ENOMEM when the machine's memory is exhausted), `BpfError` (`unsupported-map-type`) for a type that
 * Workerbee does not have yet.
 */
export function createMap(runtime: Runtime, spec: NewMap): number {
  const errno = checkMap(spec)
  if (errno) throw new ErrnoError(errno, 'map_create')
  if (flagsOf[spec.type] === undefined) {
    throw new BpfError('unsupported-map-type', `maps of type ${spec.type} are not supported yet`, { place: 'map' })
  }
  const { calls, store32, store64, load32 } = runtime
  const map = allocate(runtime, MAP.size)
  const set = (field: number, value: number): void => store32(map + field, value)
  const id = load32(MACHINE_AT + MACHINE.nextMapId)
  set(MAP.magic, MAP_MAGIC)
  set(MAP.id, id)
  set(MAP.type, mapTypes[spec.type])
  set(MAP.flags, spec.flags ?? 0)
  set(MAP.keySize, spec.keySize)
  set(MAP.valueSize, spec.valueSize)
  set(MAP.maxEntries, spec.maxEntries)
  set(MAP.tag, spec.tag ?? 0)
  set(MAP.refs, 1)
  set(MAP.urefs, 1)
  writeSpecial(runtime, map, spec)
  set(MAP.next, load32(MACHINE_AT + MACHINE.maps))
  store32(MACHINE_AT + MACHINE.maps, map)
  store32(MACHINE_AT + MACHINE.nextMapId, id + 1)
  store64(map + MAP.hashSeed, hashSeed(runtime, spec, id))
  try {
    if (spec.type === 'array') arrayStorage(runtime, map, spec)
    else hashStorage(runtime, map, spec)
  } catch (error) {
    calls.mapUserPut(map)
    throw error
  }
  return map
}

/** Seed of the hash function: of the machine and the map, or the same for all with BPF_F_ZERO_SEED (8b.3). */
function hashSeed({ calls, load64 }: Runtime, { flags = 0 }: NewMap, id: number): bigint {
  if (flags & mapFlags.zero_seed) return HASH_MULTIPLIER
  return calls.mix64(load64(MACHINE_AT + MACHINE.seed) + BigInt(id) * HASH_MULTIPLIER)
}

function allocate({ calls }: Runtime, size: number): number {
  const address = size > 0x3fff_0000 ? 0 : calls.allocZeroed(size)
  if (address === 0) throw new ErrnoError(errnos.ENOMEM, 'map_create')
  return address
}

function arrayStorage(runtime: Runtime, map: number, spec: NewMap): void {
  const stride = round8(spec.valueSize)
  const size = stride * spec.maxEntries
  runtime.store32(map + MAP.storage, allocate(runtime, size))
  runtime.store32(map + MAP.storageBytes, size)
  runtime.store32(map + MAP.stride, stride)
  runtime.store32(map + MAP.count, spec.maxEntries)
}

function hashStorage(runtime: Runtime, map: number, spec: NewMap): void {
  const { store32, calls } = runtime
  const valueOffset = ELEM.size + round8(spec.keySize)
  const lruOffset = valueOffset + round8(spec.valueSize)
  const stride = lruOffset + (spec.type === 'lru_hash' ? LRU_LINK.size : 0)
  const bits = Math.max(1, Math.ceil(Math.log2(spec.maxEntries)))
  const buckets = 2 ** bits
  store32(map + MAP.valueOffset, valueOffset)
  store32(map + MAP.stride, stride)
  store32(map + MAP.buckets, allocate(runtime, buckets * 4))
  store32(map + MAP.bucketMask, buckets - 1)
  store32(map + MAP.bucketShift, 32 - bits)
  store32(map + MAP.lruOffset, lruOffset)
  if ((spec.flags ?? 0) & mapFlags.no_prealloc) return
  const size = stride * (spec.maxEntries + runtime.cpus)
  store32(map + MAP.spares, allocate(runtime, runtime.cpus * 4))
  store32(map + MAP.storage, allocate(runtime, size))
  store32(map + MAP.storageBytes, size)
  calls.hashPrepare(map, runtime.cpus)
}

/** Writes the offsets of special fields, and the ranges of bytes that they take and leave. */
function writeSpecial({ store32 }: Runtime, map: number, { special = {}, valueSize }: NewMap): void {
  const offset = (at: number | undefined): number => at ?? NO_FIELD
  store32(map + MAP.lockOffset, offset(special.lock))
  store32(map + MAP.timerOffset, offset(special.timer))
  store32(map + MAP.wqOffset, offset(special.wq))
  store32(map + MAP.taskWorkOffset, offset(special.taskWork))
  const taken = (Object.keys(specialSizes) as (keyof typeof specialSizes)[])
    .flatMap((name) => {
      const at = special[name]
      return at === undefined ? [] : [{ offset: at, length: specialSizes[name] }]
    })
    .sort((a, b) => a.offset - b.offset)
  const left: { offset: number; length: number }[] = []
  let end = 0
  for (const range of [...taken, { offset: valueSize, length: 0 }]) {
    if (range.offset < end || range.offset + range.length > valueSize) {
      throw new BpfError('bad-special-field', `special fields overlap or leave the value (offset ${range.offset})`)
    }
    if (range.offset > end) left.push({ offset: end, length: range.offset - end })
    end = range.offset + range.length
  }
  const write = (field: number, count: number, ranges: typeof left): void => {
    store32(map + count, ranges.length)
    ranges.forEach((range, i) => {
      store32(map + field + i * RANGE.size + RANGE.offset, range.offset)
      store32(map + field + i * RANGE.size + RANGE.length, range.length)
    })
  }
  write(MAP.special, MAP.specialCount, taken)
  write(MAP.copies, MAP.copyCount, left)
}

/** Address of the block of a CPU. */
export function cpuAt({ load32 }: Runtime, cpu: number): number {
  return load32(MACHINE_AT + MACHINE.cpus) + cpu * CPU.size
}
