/**
 * bpf(2) itself: one command, one attribute block. Layouts are those of `union bpf_attr` in Linux 6.18; older kernels accept
 * a longer block as long as what they do not know is zero.
 */
import { BpfError } from '../bits/index.js'
import { type BpfCommand, bpfCommands, ErrnoError } from '../uapi/index.js'
import { loadNative } from './native.js'

/** A block under construction: numbers and addresses at byte offsets. */
export interface Attribute {
  u32(offset: number, value: number): Attribute
  u64(offset: number, value: bigint): Attribute
  /** Stores the address and keeps the bytes alive until the call is over. */
  pointer(offset: number, bytes: Uint8Array): Attribute
  /** At most 15 characters of a name; what the kernel does not allow in names becomes `_`. */
  name(offset: number, text: string): Attribute
  read32(offset: number): number
  /** The block, and what it points to. */
  readonly bytes: Uint8Array
  readonly kept: readonly Uint8Array[]
}

/** An empty block of `size` bytes. */
export function attribute(size: number): Attribute {
  const bytes = new Uint8Array(size)
  const view = new DataView(bytes.buffer)
  const kept: Uint8Array[] = []
  const block: Attribute = {
    bytes,
    kept,
    u32(offset, value) {
      view.setUint32(offset, value, true)
      return block
    },
    u64(offset, value) {
      view.setBigUint64(offset, value, true)
      return block
    },
    pointer(offset, target) {
      kept.push(target)
      // A pointer to nothing must still point to something: koffi has no address for zero bytes.
      return block.u64(offset, target.length === 0 ? 0n : loadNative().address(target))
    },
    name(offset, text) {
      const clean = text.replace(/[^A-Za-z0-9_.]/g, '_').slice(0, 15)
      bytes.set(new TextEncoder().encode(clean), offset)
      return block
    },
    read32: (offset) => view.getUint32(offset, true),
  }
  return block
}

/** Runs a command. The result (often a file descriptor), or the negative errno. */
export function bpfRaw(command: BpfCommand, block: Attribute): number {
  const result = loadNative().call('bpf', bpfCommands[command], block.bytes, block.bytes.length)
  // Mentioned after the call, so that nothing that the block points to can have been collected.
  if (block.kept.length > 64) throw new BpfError('bad-attribute', 'a bpf(2) block points to more than 64 buffers')
  return result
}

/** Runs a command; throws `ErrnoError` where the kernel refuses. `what` names the object in the message. */
export function bpf(command: BpfCommand, block: Attribute, what = ''): number {
  const result = bpfRaw(command, block)
  if (result < 0) throw new ErrnoError(-result, command, what ? { place: what } : {})
  return result
}
