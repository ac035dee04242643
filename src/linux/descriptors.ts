/**
 * The file descriptors that a host owns. In the kernel a map lives as long as something refers to it, so a descriptor that
 * leaks keeps workqueue callbacks alive: everything that is opened is entered here and closed at the latest with its owner.
 */
import { closeSync } from 'node:fs'

/** A set of open descriptors. */
export interface Descriptors {
  /** Takes ownership; returns the descriptor. */
  own(fd: number): number
  /** Closes one; closing it twice does nothing (its number may belong to somebody else by then). */
  close(fd: number): void
  /** Closes all, for good. */
  closeAll(): void
  /** After `closeAll`: numbers that were handed out may belong to somebody else. */
  readonly closed: boolean
  /** How many are open. */
  readonly open: number
}

/** An empty set. */
export function descriptors(): Descriptors {
  const fds = new Set<number>()
  let closed = false
  const close = (fd: number) => {
    if (fds.delete(fd)) closeSync(fd)
  }
  return {
    own(fd) {
      fds.add(fd)
      return fd
    },
    close,
    closeAll() {
      closed = true
      // Last opened first: programs go before the maps that they use.
      for (const fd of [...fds].reverse()) close(fd)
    },
    get closed() {
      return closed
    },
    get open() {
      return fds.size
    },
  }
}
