/**
 * The armed timers of one CPU, as a pairing heap whose links lie in the objects: arming never allocates (so it cannot
 * fail), the next to expire is the root, and any timer leaves in logarithmic amortised time. Order: expiry, then the order
 * of arming, so that it does not depend on the heap's shape.
 *
 *     child: first child      next: right sibling      prev: left sibling, or the parent of a first child
 */
import { routine } from '../wasm/index.js'
import { cpuBlock } from './common.js'
import { ASYNC, CPU } from './layout.js'

/** 1 if timer `a` expires before timer `b`. */
export const timerBefore = routine('timer_before', ['i32', 'i32'], 'i32', (f, a, b) => {
  const [first, second] = [f.local(a.load64(ASYNC.expiry)), f.local(b.load64(ASYNC.expiry))]
  f.if(first.ne(second), () => f.return(first.ltU(second)))
  return a.load64(ASYNC.sequence).ltU(b.load64(ASYNC.sequence))
})

/** Joins two heaps (0 = empty) and gives the root, which has no siblings. */
const meld = routine('timer_meld', ['i32', 'i32'], 'i32', (f, a, b) => {
  f.if(a.eqz(), () => f.return(b))
  f.if(b.eqz(), () => f.return(a))
  f.if(timerBefore(b, a), () => {
    const later = f.local(a)
    f.set(a, b)
    f.set(b, later)
  })
  const child = f.local(a.load32(ASYNC.child))
  f.store32(b, ASYNC.next, child)
  f.store32(b, ASYNC.prev, a)
  f.if(child.ne(0), () => f.store32(child, ASYNC.prev, b))
  f.store32(a, ASYNC.child, b)
  f.store32(a, ASYNC.next, 0)
  f.store32(a, ASYNC.prev, 0)
  return a
})

/** Joins siblings into one heap: in pairs from the left, then all pairs from the right. */
const meldSiblings = routine('timer_meld_siblings', ['i32'], 'i32', (f, first) => {
  const pairs = f.var32()
  f.while(first.ne(0), () => {
    const one = f.local(first)
    const two = f.local(one.load32(ASYNC.next))
    f.set(first, 0)
    f.store32(one, ASYNC.next, 0)
    f.store32(one, ASYNC.prev, 0)
    f.if(two.ne(0), () => {
      f.set(first, two.load32(ASYNC.next))
      f.store32(two, ASYNC.next, 0)
      f.store32(two, ASYNC.prev, 0)
      f.set(one, meld(one, two))
    })
    f.store32(one, ASYNC.next, pairs)
    f.set(pairs, one)
  })
  const root = f.var32()
  f.while(pairs.ne(0), () => {
    const one = f.local(pairs)
    f.set(pairs, one.load32(ASYNC.next))
    f.store32(one, ASYNC.next, 0)
    f.set(root, meld(root, one))
  })
  return root
})

/** Adds an object to the heap of the CPU in `ASYNC.cpu`. */
export const timerInsert = routine('timer_insert', ['i32'], undefined, (f, object) => {
  const cpu = f.local(cpuBlock(object.load32(ASYNC.cpu)))
  f.store32(object, ASYNC.child, 0)
  f.store32(object, ASYNC.next, 0)
  f.store32(object, ASYNC.prev, 0)
  f.store32(cpu, CPU.timerRoot, meld(cpu.load32(CPU.timerRoot), object))
  f.add32(cpu, CPU.timerCount, 1)
})

/** Takes an object out of the heap of the CPU in `ASYNC.cpu`. */
export const timerRemove = routine('timer_remove', ['i32'], undefined, (f, object) => {
  const cpu = f.local(cpuBlock(object.load32(ASYNC.cpu)))
  const root = f.local(cpu.load32(CPU.timerRoot))
  f.if(
    root.eq(object),
    () => f.set(root, 0),
    () => {
      const [next, prev] = [f.local(object.load32(ASYNC.next)), f.local(object.load32(ASYNC.prev))]
      f.if(
        prev.load32(ASYNC.child).eq(object),
        () => f.store32(prev, ASYNC.child, next),
        () => f.store32(prev, ASYNC.next, next),
      )
      f.if(next.ne(0), () => f.store32(next, ASYNC.prev, prev))
    },
  )
  f.store32(cpu, CPU.timerRoot, meld(root, meldSiblings(object.load32(ASYNC.child))))
  f.store32(object, ASYNC.child, 0)
  f.store32(object, ASYNC.next, 0)
  f.store32(object, ASYNC.prev, 0)
  f.add32(cpu, CPU.timerCount, -1)
})
