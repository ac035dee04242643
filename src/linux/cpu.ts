/**
 * Where this thread runs. A workqueue callback runs on the CPU that started it, in an ordinary kernel thread: while this
 * thread is bound to that CPU with real-time priority, and does not sleep, queued work stays queued. That makes "delete
 * the element before its callback runs" a thing that can be done on purpose.
 */
import { ErrnoError } from '../uapi/index.js'
import { loadNative } from './native.js'

const maskBytes = 128
const schedOther = 0
const schedFifo = 1

function mask(): Uint8Array {
  const bytes = new Uint8Array(maskBytes)
  const result = loadNative().call('sched_getaffinity', 0, maskBytes, bytes)
  if (result < 0) throw new ErrnoError(-result, 'sched_getaffinity')
  return bytes
}

function bind(bytes: Uint8Array): void {
  const result = loadNative().call('sched_setaffinity', 0, maskBytes, bytes)
  if (result < 0) throw new ErrnoError(-result, 'sched_setaffinity')
}

function schedule(policy: number, priority: number): void {
  const parameter = new Uint8Array(4)
  parameter[0] = priority
  const result = loadNative().call('sched_setscheduler', 0, policy, parameter)
  if (result < 0) throw new ErrnoError(-result, 'sched_setscheduler')
}

/** Does something on one CPU and goes back. Throws `ErrnoError` (EINVAL where there is no such CPU). */
export function onCpu<T>(cpu: number, act: () => T): T {
  const before = mask()
  const wanted = new Uint8Array(maskBytes)
  wanted[cpu >> 3] = 1 << (cpu & 7)
  bind(wanted)
  try {
    return act()
  } finally {
    bind(before)
  }
}

/**
 * Binds this thread to a CPU with real-time priority until the returned function is called: work queued there waits whenever
 * this thread does not. Throws `ErrnoError` (EPERM without CAP_SYS_NICE).
 */
export function holdCpu(cpu: number): () => void {
  const before = mask()
  const wanted = new Uint8Array(maskBytes)
  wanted[cpu >> 3] = 1 << (cpu & 7)
  bind(wanted)
  try {
    schedule(schedFifo, 1)
  } catch (error) {
    bind(before)
    throw error
  }
  return () => {
    schedule(schedOther, 0)
    bind(before)
  }
}
