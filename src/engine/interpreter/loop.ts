/**
 * The main loop: executes pre-decoded instructions (`text.ts`) over 32-bit halves. Cases are opcode bytes of the register
 * forms, literal so that the engine below makes a jump table of them; numbers from 0x100 are `text.ts`'s own. Before each
 * case `al`/`ah` hold the destination register and `bl`/`bh` the second operand; a case that breaks gives `lo`/`hi`, which go
 * to the destination; one that continues has moved `p` (the word index of the instruction) itself.
 *
 * An address is a number below 2^31, so that a pointer with anything in its upper half faults, as does the first 64 KiB.
 */
import { FRAME, NULL_PAGE_END, TASK } from '../../runtime/layout.js'
import type { Stop } from '../engine.js'
import { atomic32, atomic64 } from './atomics.js'
import { beginLoop, leave } from './control.js'
import { indexOf, isFunction, loadPacket, pushFrame, startOf, startOfTask } from './frames.js'
import { below, divide, divideSigned, less, multiply, swap16, swap32 } from './halves.js'
import { count, missingShim, refresh, type State, type TrapNumber, tick } from './state.js'

/** How often `may_goto` goes on in one frame. Defined by us: Linux ends such loops by wall clock (250 ms). */
export const MAY_GOTO_LIMIT = 0x800000

/** Executes at most `budget` instructions of a task. */
export function run(state: State, task: number, budget: number): Stop {
  let words = state.words
  let bytes = state.bytes
  let size = bytes.byteLength
  const r = (task + TASK.regs) >> 2
  let p = startOfTask(words, task)
  let left = budget
  let ticked = budget
  // What a case that leaves the loop without saying why means: an address outside the memory.
  let trap: TrapNumber = 1
  let stop: Stop = 'trap'

  loop: for (;;) {
    if (left === 0) {
      stop = 'budget'
      break
    }
    left--
    const w = words[p] as number
    const d = r + ((w >> 10) & 31)
    const s = w < 0 ? p + 1 : r + ((w >> 16) & 31)
    const al = words[d] as number
    const ah = words[d + 1] as number
    const bl = words[s] as number
    const bh = words[s + 1] as number
    let lo = 0
    let hi = 0
    switch (w & 0x3ff) {
      // 64-bit arithmetic
      case 0x0f: // +=
        lo = (al + bl) | 0
        hi = (ah + bh + (lo >>> 0 < bl >>> 0 ? 1 : 0)) | 0
        break
      case 0x1f: // -=
        lo = (al - bl) | 0
        hi = (ah - bh - (al >>> 0 < bl >>> 0 ? 1 : 0)) | 0
        break
      case 0x2f: // *=
        multiply(words, d, al, ah, bl, bh)
        p += 4
        continue
      case 0x3f: // /=
        if ((bl | bh) === 0) break
        divide(words, d, al, ah, bl, bh, false)
        p += 4
        continue
      case 0x9f: // %=
        if ((bl | bh) !== 0) divide(words, d, al, ah, bl, bh, true)
        p += 4
        continue
      case 0x100: // s/=
        if ((bl | bh) === 0) break
        divideSigned(words, d, al, ah, bl, bh, false)
        p += 4
        continue
      case 0x101: // s%=
        if ((bl | bh) !== 0) divideSigned(words, d, al, ah, bl, bh, true)
        p += 4
        continue
      case 0x4f: // |=
        lo = al | bl
        hi = ah | bh
        break
      case 0x5f: // &=
        lo = al & bl
        hi = ah & bh
        break
      case 0xaf: // ^=
        lo = al ^ bl
        hi = ah ^ bh
        break
      case 0x6f: // <<=
        if (bl & 32) hi = al << bl
        else {
          lo = al << bl
          hi = (ah << bl) | ((al >>> 1) >>> (31 - (bl & 31)))
        }
        break
      case 0x7f: // >>=
        if (bl & 32) lo = ah >>> bl
        else {
          lo = (al >>> bl) | ((ah << 1) << (31 - (bl & 31)))
          hi = ah >>> bl
        }
        break
      case 0xcf: // s>>=
        if (bl & 32) {
          lo = ah >> bl
          hi = ah >> 31
        } else {
          lo = (al >>> bl) | ((ah << 1) << (31 - (bl & 31)))
          hi = ah >> bl
        }
        break
      case 0x87: // neg
        lo = -al | 0
        hi = (~ah + (lo === 0 ? 1 : 0)) | 0
        break
      case 0xbf: // =
        lo = bl
        hi = bh
        break
      case 0x104: // = (s8)
        lo = (bl << 24) >> 24
        hi = lo >> 31
        break
      case 0x105: // = (s16)
        lo = (bl << 16) >> 16
        hi = lo >> 31
        break
      case 0x106: // = (s32)
        lo = bl
        hi = bl >> 31
        break
      case 0x18: // 64-bit immediate, two slots
        words[d] = bl
        words[d + 1] = bh
        p += 8
        continue

      // 32-bit arithmetic: the upper half becomes 0
      case 0x0c:
        lo = (al + bl) | 0
        break
      case 0x1c:
        lo = (al - bl) | 0
        break
      case 0x2c:
        lo = Math.imul(al, bl)
        break
      case 0x3c:
        lo = bl === 0 ? 0 : ((al >>> 0) / (bl >>> 0)) | 0
        break
      case 0x9c:
        lo = bl === 0 ? al : ((al >>> 0) % (bl >>> 0)) | 0
        break
      case 0x102: // s/=
        lo = bl === 0 ? 0 : (al / bl) | 0
        break
      case 0x103: // s%=
        lo = bl === 0 ? al : (al % bl) | 0
        break
      case 0x4c:
        lo = al | bl
        break
      case 0x5c:
        lo = al & bl
        break
      case 0xac:
        lo = al ^ bl
        break
      case 0x6c:
        lo = al << bl
        break
      case 0x7c:
        lo = al >>> bl
        break
      case 0xcc:
        lo = al >> bl
        break
      case 0x84:
        lo = -al | 0
        break
      case 0xbc: // also le32
      case 0x109: // addr_space_cast
        lo = bl
        break
      case 0x107: // = (s8)
        lo = (bl << 24) >> 24
        break
      case 0x108: // = (s16)
        lo = (bl << 16) >> 16
        break

      // Byte order
      case 0x10a: // le16
        lo = bl & 0xffff
        break
      case 0x10b: // le64
        p += 4
        continue
      case 0x10c: // be16, bswap16
        lo = swap16(bl)
        break
      case 0x10d: // be32, bswap32
        lo = swap32(bl)
        break
      case 0x10e: // be64, bswap64
        lo = swap32(bh)
        hi = swap32(bl)
        break

      // Memory
      case 0x79: {
        const at = (bl + (words[p + 3] as number)) | 0
        if (bh !== 0 || at < NULL_PAGE_END || at > size - 8) break loop
        lo = bytes.getInt32(at, true)
        hi = bytes.getInt32(at + 4, true)
        break
      }
      case 0x61:
      case 0x81: {
        const at = (bl + (words[p + 3] as number)) | 0
        if (bh !== 0 || at < NULL_PAGE_END || at > size - 4) break loop
        lo = bytes.getInt32(at, true)
        if ((w & 0x80) !== 0) hi = lo >> 31
        break
      }
      case 0x69:
      case 0x89: {
        const at = (bl + (words[p + 3] as number)) | 0
        if (bh !== 0 || at < NULL_PAGE_END || at > size - 2) break loop
        lo = bytes.getUint16(at, true)
        if ((w & 0x80) !== 0) {
          lo = (lo << 16) >> 16
          hi = lo >> 31
        }
        break
      }
      case 0x71:
      case 0x91: {
        const at = (bl + (words[p + 3] as number)) | 0
        if (bh !== 0 || at < NULL_PAGE_END || at > size - 1) break loop
        lo = bytes.getUint8(at)
        if ((w & 0x80) !== 0) {
          lo = (lo << 24) >> 24
          hi = lo >> 31
        }
        break
      }
      case 0x7b: {
        const at = (al + (words[p + 3] as number)) | 0
        if (ah !== 0 || at < NULL_PAGE_END || at > size - 8) break loop
        bytes.setInt32(at, bl, true)
        bytes.setInt32(at + 4, bh, true)
        p += 4
        continue
      }
      case 0x63: {
        const at = (al + (words[p + 3] as number)) | 0
        if (ah !== 0 || at < NULL_PAGE_END || at > size - 4) break loop
        bytes.setInt32(at, bl, true)
        p += 4
        continue
      }
      case 0x6b: {
        const at = (al + (words[p + 3] as number)) | 0
        if (ah !== 0 || at < NULL_PAGE_END || at > size - 2) break loop
        bytes.setInt16(at, bl, true)
        p += 4
        continue
      }
      case 0x73: {
        const at = (al + (words[p + 3] as number)) | 0
        if (ah !== 0 || at < NULL_PAGE_END || at > size - 1) break loop
        bytes.setInt8(at, bl)
        p += 4
        continue
      }
      case 0xc3:
      case 0xdb: {
        const at = (al + (words[p + 3] as number)) | 0
        const wide = (w & 0x18) !== 0
        if (ah !== 0 || at < NULL_PAGE_END || at > size - (wide ? 8 : 4)) break loop
        if ((at & (wide ? 7 : 3)) !== 0) {
          trap = 3
          break loop
        }
        if (wide) atomic64(words, at >> 2, s, r, words[p + 1] as number)
        else atomic32(words, at >> 2, s, r, words[p + 1] as number)
        p += 4
        continue
      }

      // Jumps; 0xe5 is may_goto
      case 0x05:
        p += words[p + 3] as number
        continue
      case 0x1d: // ==
        p += al === bl && ah === bh ? (words[p + 3] as number) : 4
        continue
      case 0x5d: // !=
        p += al !== bl || ah !== bh ? (words[p + 3] as number) : 4
        continue
      case 0x4d: // &
        p += (al & bl) !== 0 || (ah & bh) !== 0 ? (words[p + 3] as number) : 4
        continue
      case 0x2d: // >
        p += below(bl, bh, al, ah) ? (words[p + 3] as number) : 4
        continue
      case 0xad: // <
        p += below(al, ah, bl, bh) ? (words[p + 3] as number) : 4
        continue
      case 0x3d: // >=
        p += !below(al, ah, bl, bh) ? (words[p + 3] as number) : 4
        continue
      case 0xbd: // <=
        p += !below(bl, bh, al, ah) ? (words[p + 3] as number) : 4
        continue
      case 0x6d: // s>
        p += less(bl, bh, al, ah) ? (words[p + 3] as number) : 4
        continue
      case 0xcd: // s<
        p += less(al, ah, bl, bh) ? (words[p + 3] as number) : 4
        continue
      case 0x7d: // s>=
        p += !less(al, ah, bl, bh) ? (words[p + 3] as number) : 4
        continue
      case 0xdd: // s<=
        p += !less(bl, bh, al, ah) ? (words[p + 3] as number) : 4
        continue
      case 0x1e:
        p += al === bl ? (words[p + 3] as number) : 4
        continue
      case 0x5e:
        p += al !== bl ? (words[p + 3] as number) : 4
        continue
      case 0x4e:
        p += (al & bl) !== 0 ? (words[p + 3] as number) : 4
        continue
      case 0x2e:
        p += al >>> 0 > bl >>> 0 ? (words[p + 3] as number) : 4
        continue
      case 0xae:
        p += al >>> 0 < bl >>> 0 ? (words[p + 3] as number) : 4
        continue
      case 0x3e:
        p += al >>> 0 >= bl >>> 0 ? (words[p + 3] as number) : 4
        continue
      case 0xbe:
        p += al >>> 0 <= bl >>> 0 ? (words[p + 3] as number) : 4
        continue
      case 0x6e:
        p += al > bl ? (words[p + 3] as number) : 4
        continue
      case 0xce:
        p += al < bl ? (words[p + 3] as number) : 4
        continue
      case 0x7e:
        p += al >= bl ? (words[p + 3] as number) : 4
        continue
      case 0xde:
        p += al <= bl ? (words[p + 3] as number) : 4
        continue
      case 0xe5: {
        const frame = (task + TASK.frames + FRAME.size * (words[(task + TASK.depth) >> 2] as number)) >> 2
        const loops = words[frame + (FRAME.loops >> 2)] as number
        p += loops >= MAY_GOTO_LIMIT ? (words[p + 3] as number) : 4
        words[frame + (FRAME.loops >> 2)] = loops + 1
        continue
      }

      // Calls: 0x110 local, 0x111 a routine of the runtime, 0x112 the machine, 0x113 bpf_loop
      case 0x110:
        if (!pushFrame(words, task, bl, p)) {
          trap = 4
          break loop
        }
        p += words[p + 3] as number
        continue
      case 0x8d: // callx
        if (!isFunction(words, al, ah) || !pushFrame(words, task, al, p)) {
          trap = isFunction(words, al, ah) ? 4 : 5
          break loop
        }
        p = startOf(words, al)
        continue
      case 0x95: // exit
      case 0x114: // a packet's bytes, big-endian; outside the packet the function ends and gives 0
        if ((w & 0x3ff) === 0x114 && loadPacket(words, bytes, task, p, bl)) {
          p += 4
          continue
        }
        p = leave(words, task, p)
        if (p > 0) continue
        p = -p
        stop = 'done'
        break loop
      case 0x113: {
        const at = beginLoop(words, task, p)
        if (at <= 0) {
          trap = at === 0 ? 4 : 5
          break loop
        }
        p = at
        continue
      }
      case 0x111: {
        tick(words, ticked - left - 1)
        ticked = left + 1
        words[(task + TASK.pc) >> 2] = indexOf(words, task, p)
        const waits = (state.shims[bl] ?? missingShim)(task)
        if (words.length === 0) {
          // The memory has grown; views of a shared one stay, and are made anew where an address lies outside.
          refresh(state)
          words = state.words
          bytes = state.bytes
          size = bytes.byteLength
        }
        if (waits === 1) {
          left++
          stop = 'blocked'
          break loop
        }
        p += 4
        continue
      }
      case 0x112:
        words[(task + TASK.hostCall) >> 2] = bl
        p += 4
        stop = 'host'
        break loop
      default:
        trap = 2
        break loop
    }
    words[d] = lo
    words[d + 1] = hi
    p += 4
  }
  if (stop === 'trap') left++
  words[(task + TASK.pc) >> 2] = indexOf(words, task, p)
  count(words, task + TASK.executed, budget - left)
  tick(words, ticked - left)
  if (stop !== 'trap') return stop
  if (trap === 1 && refresh(state)) return run(state, task, left)
  words[(task + TASK.trapCode) >> 2] = trap
  words[(task + TASK.trapPc) >> 2] = words[(task + TASK.pc) >> 2] as number
  return 'trap'
}
