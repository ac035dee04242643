/**
 * `bpf_spin_lock`: one word, 0 free and 1 held. A routine never spins: it says whether it got the lock, and whoever drives
 * the CPU decides who runs next. A thread spins by trying again.
 */
import { i32, routine } from '../wasm/index.js'
import { BLOCKED, TASK } from './layout.js'

/** Takes the lock at this address if it is free. 1: taken. */
export const spinTryLock = routine('spin_try_lock', ['i32'], 'i32', (_f, word) => word.cmpxchg32(0, 0, 1).eqz())

/** Frees the lock at this address. */
export const spinRelease = routine('spin_release', ['i32'], undefined, (f, word) => {
  f.sharedStore32(word, 0, 0)
})

/** `bpf_spin_lock(lock)`: 0, or BLOCKED while another holds it. */
export const spinLock = routine('spin_lock', ['i32', 'i32'], 'i32', (f, task, word) => {
  f.if(spinTryLock(word).eqz(), () => f.return(i32(BLOCKED)))
  f.store32(task, TASK.lockHeld, word)
  f.add32(task, TASK.lockDepth, 1)
  return 0
})

/** `bpf_spin_unlock(lock)`. */
export const spinUnlock = routine('spin_unlock', ['i32', 'i32'], 'i32', (f, task, word) => {
  f.do(spinRelease(word))
  f.store32(task, TASK.lockHeld, 0)
  f.add32(task, TASK.lockDepth, -1)
  return 0
})
