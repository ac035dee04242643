/** Maps of the running kernel: creation, and the byte operations that `host/typed-map` dresses. */
import type { RawMap, RawSection } from '../host/index.js'
import { type BpfCommand, ErrnoError, errnos } from '../uapi/index.js'
import { type Attribute, attribute, bpf, bpfRaw } from './bpf.js'
import type { Descriptors } from './descriptors.js'
import { loadNative } from './native.js'

/** What BPF_MAP_CREATE takes. Sizes in bytes; BTF ids belong to `btfFd`. */
export interface MapCreation {
  type: number
  keySize: number
  valueSize: number
  maxEntries: number
  flags?: number
  name?: string
  innerMapFd?: number
  numaNode?: number
  btfFd?: number
  keyTypeId?: number
  valueTypeId?: number
  mapExtra?: bigint
}

/** Creates a map and returns its descriptor. Throws `ErrnoError` (Linux tells no more than the errno). */
export function createMap(map: MapCreation): number {
  const block = attribute(80)
  block
    .u32(0, map.type)
    .u32(4, map.keySize)
    .u32(8, map.valueSize)
    .u32(12, map.maxEntries)
    .u32(16, map.flags ?? 0)
  block
    .u32(20, map.innerMapFd ?? 0)
    .u32(24, map.numaNode ?? 0)
    .name(28, map.name ?? '')
  if (map.btfFd)
    block
      .u32(48, map.btfFd)
      .u32(52, map.keyTypeId ?? 0)
      .u32(56, map.valueTypeId ?? 0)
  block.u64(64, map.mapExtra ?? 0n)
  return bpf('map_create', block, map.name ? `map ${map.name}` : '')
}

/** The block of the element commands: descriptor, key, value (or next key), flags. */
function element(fd: number, key: Uint8Array | undefined, value?: Uint8Array, flags = 0) {
  const block = attribute(32).u32(0, fd).u64(24, BigInt(flags))
  if (key) block.pointer(8, key)
  if (value) block.pointer(16, value)
  return block
}

/** Stops writes from user space for good (Linux 5.2). */
export function freezeMap(fd: number, name = ''): void {
  bpf('map_freeze', attribute(32).u32(0, fd), name)
}

/**
 * Byte operations on a map by its descriptor. `valueSize` is what user space sees: for a per-CPU map the rounded value size
 * times the number of possible CPUs, for a map of maps 4.
 */
export function rawMap(fd: number, name: string, keySize: number, valueSize: number, fds: Descriptors): RawMap {
  const place = `map ${name}`
  let open = true
  /** Runs a command on the map; `false` for ENOENT. A number that is closed may be another object's by now. */
  function act(command: BpfCommand, block: Attribute): boolean {
    if (!open || fds.closed) throw new ErrnoError(errnos.EBADF, command, { place })
    const result = bpfRaw(command, block)
    if (result >= 0) return true
    if (-result === errnos.ENOENT) return false
    throw new ErrnoError(-result, command, { place })
  }
  return {
    lookup(key) {
      const value = new Uint8Array(valueSize)
      return act('map_lookup_elem', element(fd, key, value)) ? value : undefined
    },
    update(key, value, flags) {
      const found = act('map_update_elem', element(fd, key, value, flags))
      if (!found) throw new ErrnoError(errnos.ENOENT, 'map_update_elem', { place })
    },
    delete: (key) => act('map_delete_elem', element(fd, key)),
    nextKey(key) {
      const next = new Uint8Array(keySize)
      return act('map_get_next_key', element(fd, key, next)) ? next : undefined
    },
    lookupAndDelete(key) {
      const value = new Uint8Array(valueSize)
      return act('map_lookup_and_delete_elem', element(fd, key, value)) ? value : undefined
    },
    close() {
      open = false
      fds.close(fd)
    },
  }
}

/** The bytes of a global data map: element 0, read and written whole. For maps that cannot be mapped into memory. */
export function rawSection(map: RawMap): RawSection {
  const zero = new Uint8Array(4)
  const whole = () => map.lookup(zero) ?? new Uint8Array(0)
  return {
    read: (offset, size) => whole().slice(offset, offset + size),
    write(offset, bytes) {
      const all = whole()
      all.set(bytes, offset)
      map.update(zero, all, 0)
    },
  }
}

const protRead = 1
const protWrite = 2
const mapShared = 1
const pageSize = 4096

/** A global data map in this process's memory. */
export interface MappedSection {
  readonly raw: RawSection
  close(): void
}

/**
 * Maps a global data map (BPF_F_MMAPABLE, Linux 5.5) into memory: reads need no system call, and writing one variable does not
 * write back old values of the others. Throws `ErrnoError` (`mmap`), ENOTSUPP for values with special fields.
 */
export function mapSection(fd: number, name: string, size: number, writable: boolean): MappedSection {
  const native = loadNative()
  const length = Math.ceil(size / pageSize) * pageSize
  const place = `map ${name}`
  const address = native.call('mmap', 0, length, writable ? protRead | protWrite : protRead, mapShared, fd, 0)
  if (address < 0) throw new ErrnoError(-address, 'mmap', { place })
  let memory: Uint8Array | undefined = native.memory(BigInt(address), size)
  const open = (operation: string): Uint8Array => {
    if (memory) return memory
    throw new ErrnoError(errnos.EBADF, operation, { place })
  }
  return {
    raw: {
      read: (offset, length) => open('read').slice(offset, offset + length),
      write(offset, bytes) {
        if (!writable) throw new ErrnoError(errnos.EPERM, 'write', { place })
        open('write').set(bytes, offset)
      },
    },
    close() {
      if (!memory) return
      memory = undefined
      native.call('munmap', address, length)
    },
  }
}

/** One more descriptor of a map, with a user reference of its own. */
export function reopenMap(fd: number): number {
  const info = new Uint8Array(8)
  bpf('obj_get_info_by_fd', attribute(16).u32(0, fd).u32(4, info.length).pointer(8, info))
  return bpf('map_get_fd_by_id', attribute(12).u32(0, new DataView(info.buffer).getUint32(4, true)))
}
