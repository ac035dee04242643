/**
 * The few calls into libc that Node does not offer, through koffi (an optional dependency: 2 MB of prebuilt binary that most
 * users never need). Nothing is loaded until the first call, so that importing this room costs nothing and works anywhere;
 * what is missing is then said by name.
 */
import { createRequire } from 'node:module'
import { BpfError } from '../bits/index.js'

/** Numbers of the system calls that are used here; they differ between architectures. */
const numbers = {
  x64: { bpf: 321, mmap: 9, munmap: 11, sched_setscheduler: 144, sched_setaffinity: 203, sched_getaffinity: 204 },
  arm64: { bpf: 280, mmap: 222, munmap: 215, sched_setscheduler: 119, sched_setaffinity: 122, sched_getaffinity: 123 },
} as const

/** A system call by name. */
export type SystemCall = keyof (typeof numbers)['x64']

/** Raw system calls of the running kernel. */
export interface Native {
  /** The result, or the negative errno. Bytes are handed over by address and may be written to. */
  call(name: SystemCall, ...args: readonly (number | bigint | Uint8Array)[]): number
  /** Where these bytes lie; valid as long as the array is reachable. */
  address(bytes: Uint8Array): bigint
  /** Memory at an address, not copied: to be dropped before it is unmapped. */
  memory(address: bigint, size: number): Uint8Array
}

/** What is used of koffi. */
interface Koffi {
  load(library: null): { func(declaration: string): (...args: unknown[]) => unknown }
  address(value: unknown): bigint
  view(address: bigint, size: number): ArrayBuffer
  errno(): number
}

let native: Native | undefined

/**
 * Loads koffi and libc. Throws `BpfError`: `not-linux` on another system or processor, `koffi-missing` where the optional
 * dependency was not installed.
 */
export function loadNative(): Native {
  if (native) return native
  const ids = process.arch === 'x64' || process.arch === 'arm64' ? numbers[process.arch] : undefined
  if (process.platform !== 'linux' || !ids) {
    throw new BpfError(
      'not-linux',
      `bpf(2) needs Linux on x86-64 or arm64, this is ${process.platform} ${process.arch}`,
    )
  }
  let koffi: Koffi
  try {
    koffi = createRequire(import.meta.url)('koffi') as Koffi
  } catch (cause) {
    throw new BpfError('koffi-missing', 'bpf(2) needs the optional package koffi: npm install koffi', { cause })
  }
  const syscall = koffi
    .load(null)
    .func('long syscall(long number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)')
  const address = (bytes: Uint8Array) => koffi.address(bytes)
  native = {
    call(name, ...args) {
      const [a, b, c, d, e, f] = [0, 1, 2, 3, 4, 5].map((i) => {
        const arg = args[i] ?? 0
        return arg instanceof Uint8Array ? address(arg) : arg
      })
      const result = Number(syscall(ids[name], a, b, c, d, e, f))
      return result === -1 ? -koffi.errno() : result
    },
    address,
    memory: (at, size) => new Uint8Array(koffi.view(at, size)),
  }
  return native
}
