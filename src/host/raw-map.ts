/**
 * What a host supplies for one map: operations on plain bytes, with the kernel's errno where it refuses. `typed-map.ts` puts
 * values by BTF on top, so that both hosts read and write them the same way.
 */

/** Byte operations on one map. Keys and values have exactly the map's sizes; whatever is refused throws `ErrnoError`. */
export interface RawMap {
  /** A copy of the value; `undefined` where there is no such element. */
  lookup(key: Uint8Array): Uint8Array | undefined
  /** `flags` as in `updateFlags`. */
  update(key: Uint8Array, value: Uint8Array, flags: number): void
  /** `false` where there was no such element. */
  delete(key: Uint8Array): boolean
  /** The key after this one, the first where `key` is `undefined` or absent; `undefined` after the last. */
  nextKey(key: Uint8Array | undefined): Uint8Array | undefined
  /** The value of the element that is now gone; `undefined` where there was none. */
  lookupAndDelete(key: Uint8Array): Uint8Array | undefined
  /** Number of elements, where the host can tell without visiting them. */
  readonly count?: () => number
  /** Drops the user reference. */
  close(): void
}

/** The bytes of one global data section, read and written in place. Whatever is refused throws `ErrnoError`. */
export interface RawSection {
  /** A copy of `size` bytes from `offset`. */
  read(offset: number, size: number): Uint8Array
  write(offset: number, bytes: Uint8Array): void
}

/** How values of one type lie in memory. */
export interface Codec {
  /** Bytes of one value. */
  readonly size: number
  /** The value that these bytes stand for; does not keep them. */
  read(bytes: Uint8Array): unknown
  /** Fresh bytes for a value. Throws `BpfError` (`bad-value`) where it does not fit the type. */
  write(value: unknown): Uint8Array
}
