/**
 * The heap. A block is a 16-byte header and what the caller asked for, rounded up to one of four sizes per power of two
 * (at most a quarter is lost). Freed blocks go to their size's list and are given out again last in, first out; memory
 * never given out before is taken from the end. Nothing is split or joined: a machine allocates the same few sizes over
 * and over. Blocks are 16-byte aligned and hold whatever they held before.
 *
 *     header: size class | USED or FREE, next free block, bytes asked for, 0
 */
import { hostRoutine, i32, routine } from '../wasm/index.js'
import { bump, machine } from './common.js'
import { MACHINE } from './layout.js'

/** Bytes before each block. */
export const HEADER = 16

/** The least that memory grows by, in pages. */
const GROWTH = 16

const USED = 0x5ed00000
const FREE = 0x0f4ee000
const CLASS = 0xff

/** Called after memory grew: views of the old buffer are dead. */
export const grown = hostRoutine('grown', [], undefined)

/** log2 of the largest power of two below `size`. */
const exponent = (size: ReturnType<typeof i32>) => i32(31).sub(size.sub(1).clz())

/** Size class of `total` bytes, header included: 0 for up to 64, then four to each power of two. */
const sizeClass = routine('size_class', ['i32'], 'i32', (f, total) => {
  f.if(total.leU(64), () => f.return(0))
  const n = f.local(exponent(total))
  const step = f.local(n.sub(2))
  const part = total.sub(i32(1).shl(n)).add(i32(1).shl(step).sub(1)).shrU(step)
  return n.sub(6).shl(2).add(part)
})

/** Bytes of a block of that class. */
const classSize = routine('class_size', ['i32'], 'i32', (f, index) => {
  f.if(index.eqz(), () => f.return(64))
  const n = f.local(index.sub(1).shrU(2).add(6))
  return i32(1)
    .shl(n)
    .add(index.sub(1).and(3).add(1).shl(n.sub(2)))
})

/** Takes bytes from the end, growing memory if needed; 0 if the limit is reached. */
const extend = routine('extend', ['i32'], 'i32', (f, size) => {
  const at = f.local(machine.load32(MACHINE.heapBreak))
  const end = f.local(at.add(size))
  f.if(end.ltU(at).orElse(end.gtU(machine.load32(MACHINE.heapLimit))), () => f.return(0))
  f.if(end.gtU(machine.load32(MACHINE.heapEnd)), () => {
    const needed = f.local(end.sub(machine.load32(MACHINE.heapEnd)).add(0xffff).shrU(16))
    const more = f.local(needed.gtU(GROWTH).select(needed, GROWTH))
    f.if(f.memory.grow(more).eq(-1), () => {
      f.if(f.memory.grow(needed).eq(-1), () => f.return(0))
    })
    f.store32(machine, MACHINE.heapEnd, f.memory.size.shl(16))
    f.do(grown())
  })
  f.store32(machine, MACHINE.heapBreak, end)
  return at
})

/** A block of at least `size` bytes, not cleared; 0 when memory is exhausted. Sizes from 2^30 on are refused. */
export const alloc = routine('alloc', ['i32'], 'i32', (f, size) => {
  f.if(size.gtU(0x3fffff00), () => f.return(0))
  const index = f.local(sizeClass(size.add(HEADER)))
  const list = f.local(machine.add(index.shl(2)))
  const block = f.local(list.load32(MACHINE.freeLists))
  f.if(
    block.ne(0),
    () => f.store32(list, MACHINE.freeLists, block.load32(4)),
    () => {
      f.set(block, extend(classSize(index)))
      f.if(block.eqz(), () => f.return(0))
    },
  )
  f.store32(block, 0, index.or(USED))
  f.store32(block, 4, 0)
  f.store32(block, 8, size)
  bump(f, MACHINE.heapUsed, size.add(HEADER))
  return block.add(HEADER)
})

/** A block of zeros. */
export const allocZeroed = routine('alloc_zeroed', ['i32'], 'i32', (f, size) => {
  const block = f.local(alloc(size))
  f.if(block.ne(0), () => f.fill(block, 0, size))
  return block
})

/** Gives a block back; 0 is ignored. Traps on an address that `alloc` did not give, or that was freed already. */
export const free = routine('free', ['i32'], undefined, (f, address) => {
  f.if(address.eqz(), () => f.return())
  const block = f.local(address.sub(HEADER))
  const index = f.local(block.load32().and(CLASS))
  f.if(block.load32().xor(USED).ne(index), () => f.unreachable())
  const list = f.local(machine.add(index.shl(2)))
  f.store32(block, 0, index.or(FREE))
  f.store32(block, 4, list.load32(MACHINE.freeLists))
  f.store32(list, MACHINE.freeLists, block)
  bump(f, MACHINE.heapUsed, i32(0).sub(block.load32(8).add(HEADER)))
})
