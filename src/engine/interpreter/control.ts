/**
 * Helpers that make frames, done by the engine: `bpf_loop` (Linux 5.17) calls a function of the program again and again. Its
 * frame is the callback's own; what the loop must remember lies in `FRAME.aux`:
 *
 *     aux[0]   iteration (low word), number of iterations (high word)
 *     aux[1]   the context that every call gets in R2
 *     aux[2]   the callback's descriptor
 */
import { FRAME, TASK } from '../../runtime/layout.js'
import { errnos } from '../../uapi/index.js'
import { frameAt, isControlFrame, isFunction, popFrame, pushFrame, startOf } from './frames.js'

/** Control calls by name, with the number that a call instruction's text and `FRAME.control` hold. */
export const controls: Readonly<Record<string, number>> = { bpf_loop: 1 }

/** Most iterations of one `bpf_loop` (BPF_MAX_LOOPS). */
const MAX_LOOPS = 0x800000

const R = TASK.regs >> 2
const AUX = FRAME.aux >> 2

function setResult(words: Int32Array, task: number, value: number): void {
  words[(task >> 2) + R] = value
  words[(task >> 2) + R + 1] = value >> 31
}

/** R1 = iteration, R2 = context. */
function setArguments(words: Int32Array, task: number, frame: number): void {
  const r = (task >> 2) + R
  words[r + 2] = words[frame + AUX] as number
  words[r + 3] = 0
  words[r + 4] = words[frame + AUX + 2] as number
  words[r + 5] = words[frame + AUX + 3] as number
}

/**
 * `bpf_loop(nr_loops, callback, ctx, flags)` by the instruction at word `p`: the word index at which the task goes on. Gives 0
 * where the stack is full, -1 where R2 holds no function.
 */
export function beginLoop(words: Int32Array, task: number, p: number): number {
  const r = (task >> 2) + R
  const count = words[r + 2] as number
  const func = words[r + 4] as number
  const refusal = words[r + 8] || words[r + 9] ? -errnos.EINVAL : count >>> 0 > MAX_LOOPS ? -errnos.E2BIG : 0
  if (refusal !== 0 || count === 0) {
    setResult(words, task, refusal)
    return p + 4
  }
  if (!isFunction(words, func, words[r + 5] as number)) return -1
  if (!pushFrame(words, task, func, p)) return 0
  const frame = frameAt(task, words[(task + TASK.depth) >> 2] as number)
  words[frame + (FRAME.control >> 2)] = 1
  words[frame + AUX] = 0
  words[frame + AUX + 1] = count
  words[frame + AUX + 2] = words[r + 6] as number
  words[frame + AUX + 3] = words[r + 7] as number
  words[frame + AUX + 4] = func
  setArguments(words, task, frame)
  return startOf(words, func)
}

/**
 * The callback of the topmost frame returned: the word index of its start where it is called once more, else 0 with R0 =
 * iterations done. A callback that returns anything but 0 ends the loop.
 */
function continueLoop(words: Int32Array, task: number): number {
  const r = (task >> 2) + R
  const frame = frameAt(task, words[(task + TASK.depth) >> 2] as number)
  const done = (words[frame + AUX] as number) + 1
  if (words[r] || words[r + 1] || done === words[frame + AUX + 1]) {
    setResult(words, task, done)
    return 0
  }
  words[frame + AUX] = done
  words[frame + (FRAME.loops >> 2)] = 0
  setArguments(words, task, frame)
  return startOf(words, words[frame + AUX + 4] as number)
}

/** Leaves the running function: where the task goes on, or `-p` when it is done. A callback may be called once more. */
export function leave(words: Int32Array, task: number, p: number): number {
  const again = isControlFrame(words, task) ? continueLoop(words, task) : 0
  return again || popFrame(words, task, p)
}
