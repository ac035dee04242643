/**
 * Calls within programs: frames, and where a task stands. A frame keeps what its caller needs back (the kernel's calling
 * convention: R6 to R9 survive a call; R10 moves by one stack of 512 bytes). The task's block holds instruction indices, the
 * main loop word indices of their text.
 */
import { FRAME, FRAME_STACK, FUNC, FUNC_MAGIC, MAX_FRAMES, NULL_PAGE_END, PROG, TASK } from '../../runtime/layout.js'

const TASK_PROG = TASK.prog >> 2
const TASK_DEPTH = TASK.depth >> 2
const TASK_R6 = (TASK.regs >> 2) + 12
const TASK_R10 = (TASK.regs >> 2) + 20
const SAVED = FRAME.saved >> 2

/** Word index of the text of the program that a task executes. */
function textOfTask(words: Int32Array, task: number): number {
  const prog = words[(task >> 2) + TASK_PROG] as number
  return (words[(prog + PROG.text) >> 2] as number) >> 2
}

/** Index of the instruction whose text begins at word `p`. */
export function indexOf(words: Int32Array, task: number, p: number): number {
  return (p - textOfTask(words, task)) >> 2
}

/** Word index of the instruction at which a task goes on. */
export function startOfTask(words: Int32Array, task: number): number {
  return textOfTask(words, task) + (words[(task + TASK.pc) >> 2] as number) * 4
}

/** Word index of the first instruction of a function. */
export function startOf(words: Int32Array, func: number): number {
  const prog = words[(func + FUNC.prog) >> 2] as number
  return ((words[(prog + PROG.text) >> 2] as number) >> 2) + (words[(func + FUNC.pc) >> 2] as number) * 4
}

/** Whether a 64-bit value is the address of a function descriptor. */
export function isFunction(words: Int32Array, low: number, high: number): boolean {
  return high === 0 && low >= NULL_PAGE_END && (low & 3) === 0 && words[(low + FUNC.magic) >> 2] === FUNC_MAGIC
}

/** Word index of a frame of a task. */
export function frameAt(task: number, depth: number): number {
  return (task + TASK.frames + FRAME.size * depth) >> 2
}

/** Whether the running function was called by a helper that the engine does (`control.ts`). */
export function isControlFrame(words: Int32Array, task: number): boolean {
  return words[frameAt(task, words[(task >> 2) + TASK_DEPTH] as number) + (FRAME.control >> 2)] !== 0
}

/** Makes the frame of a call to `func` by the instruction at word `p`. False where there are 8 already. */
export function pushFrame(words: Int32Array, task: number, func: number, p: number): boolean {
  const t = task >> 2
  const depth = (words[t + TASK_DEPTH] as number) + 1
  if (depth >= MAX_FRAMES) return false
  const frame = frameAt(task, depth)
  words[frame + (FRAME.returnPc >> 2)] = indexOf(words, task, p) + 1
  words[frame + (FRAME.func >> 2)] = func
  words[frame + (FRAME.control >> 2)] = 0
  words[frame + (FRAME.returnProg >> 2)] = words[t + TASK_PROG] as number
  words[frame + (FRAME.loops >> 2)] = 0
  for (let i = 0; i < 8; i++) words[frame + SAVED + i] = words[t + TASK_R6 + i] as number
  words[t + TASK_R10] = (words[t + TASK_R10] as number) + FRAME_STACK
  words[t + TASK_DEPTH] = depth
  words[t + TASK_PROG] = words[(func + FUNC.prog) >> 2] as number
  return true
}

/** Leaves the running function: the word index at which its caller goes on, or `-p` when the entry function returned. */
export function popFrame(words: Int32Array, task: number, p: number): number {
  const t = task >> 2
  const depth = words[t + TASK_DEPTH] as number
  if (depth === 0) return -p
  const frame = frameAt(task, depth)
  for (let i = 0; i < 8; i++) words[t + TASK_R6 + i] = words[frame + SAVED + i] as number
  words[t + TASK_R10] = (words[t + TASK_R10] as number) - FRAME_STACK
  words[t + TASK_DEPTH] = depth - 1
  words[t + TASK_PROG] = words[frame + (FRAME.returnProg >> 2)] as number
  return textOfTask(words, task) + (words[frame + (FRAME.returnPc >> 2)] as number) * 4
}

/**
 * LD_ABS and LD_IND: `size` big-endian bytes of the packet at `imm` (plus the operand register) into R0. False where they lie
 * outside the packet, with R0 = 0: the function then ends, as in Linux.
 */
export function loadPacket(words: Int32Array, bytes: DataView, task: number, p: number, index: number): boolean {
  const r = (task + TASK.regs) >> 2
  const size = words[p + 3] as number
  const packet = words[(task + TASK.packet) >> 2] as number
  const length = (words[(task + TASK.packetEnd) >> 2] as number) - packet
  const offset = ((words[p + 1] as number) + (words[p + 2] === 1 ? index : 0)) | 0
  const inside = offset >= 0 && offset <= length - size
  words[r + 1] = 0
  words[r] = 0
  if (!inside) return false
  const at = packet + offset
  words[r] = size === 1 ? bytes.getUint8(at) : size === 2 ? bytes.getUint16(at) : bytes.getInt32(at)
  return true
}
