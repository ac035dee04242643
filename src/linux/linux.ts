/**
 * The running kernel as a host: the same calls as `Machine`, answered by Linux. It needs Linux 5.19 or later on x86-64 or
 * arm64, root (or CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN) and the optional package koffi. Nothing is ever attached: programs run
 * when they are told to.
 *
 * Linux does not say whether asynchronous work is left, so `settle` without `until` waits until maps and globals have not
 * changed for a while.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { BpfError } from '../bits/index.js'
import type { BpfMap, Collection, Host, LoadOptions, SettleOptions } from '../host/index.js'
import type { ObjectSpec } from '../object/index.js'
import { ErrnoError } from '../uapi/index.js'
import { type KernelCollection, loadCollection } from './collection.js'
import { kernelVersion } from './kernel.js'
import { kernelUnavailable } from './load.js'

/** How long nothing may change before work counts as done, in milliseconds. */
const quietMs = 25

/** The running kernel. Make one with {@link Linux.open}. */
export class Linux implements Host {
  /** `6.18.44`. */
  readonly version = kernelVersion()
  private readonly collections = new Set<KernelCollection>()
  private closed = false

  private constructor() {}

  /** Throws `BpfError`: `not-linux`, `koffi-missing`, or `no-bpf` where the kernel refuses to make a map. */
  static async open(): Promise<Linux> {
    const reason = kernelUnavailable()
    if (reason === undefined) return new Linux()
    if (!(reason instanceof ErrnoError)) throw reason
    throw new BpfError('no-bpf', `the kernel refuses bpf(2): ${reason.message}; it wants root`, { cause: reason })
  }

  /** Loads an object. Throws `VerifierError` where a program is refused, `ErrnoError` where something else is. */
  async load(spec: ObjectSpec, options: LoadOptions = {}): Promise<Collection> {
    if (this.closed) throw new BpfError('closed', 'this host is closed')
    const collection = loadCollection(spec, options, (map) => this.owner(map))
    this.collections.add(collection)
    return {
      ...collection.face,
      close: () => {
        this.collections.delete(collection)
        collection.close()
      },
      [Symbol.asyncDispose]: async () => {
        this.collections.delete(collection)
        collection.close()
      },
    }
  }

  /** Waits for asynchronous work, `timeoutMs` (default 1000) at most. Throws `BpfError` (`settle-timeout`). */
  async settle({ until, timeoutMs = 1000 }: SettleOptions = {}): Promise<void> {
    const end = performance.now() + timeoutMs
    let seen = ''
    let since = performance.now()
    for (;;) {
      await sleep(1)
      const now = performance.now()
      if (until?.()) return
      if (!until) {
        const state = [...this.collections].map((collection) => collection.snapshot()).join()
        if (state !== seen) since = now
        seen = state
        if (now - since >= quietMs) return
      }
      if (now < end) continue
      throw new BpfError(
        'settle-timeout',
        `${until ? 'the condition did not hold' : 'something still changed'} after ${timeoutMs} ms`,
      )
    }
  }

  /** Closes whatever is still open. */
  async close(): Promise<void> {
    this.closed = true
    for (const collection of this.collections) collection.close()
    this.collections.clear()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  private owner(map: BpfMap): number {
    for (const collection of this.collections) {
      const fd = collection.fdOf(map)
      if (fd !== undefined) return fd
    }
    throw new BpfError('foreign-map', 'the map to share is closed, or of another host', { place: `map ${map.name}` })
  }
}
