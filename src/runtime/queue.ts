/**
 * The queue of work of one CPU: first in, first out (5.4), doubly linked through the objects so that a cancelled one
 * leaves at once and queueing never allocates.
 */
import { type Arg, routine } from '../wasm/index.js'
import { cpuBlock, type I32 } from './common.js'
import { ASYNC, CPU } from './layout.js'

/** Appends an object to the queue of the CPU in `ASYNC.cpu`. */
export const queuePush = routine('queue_push', ['i32'], undefined, (f, object) => {
  const cpu = f.local(cpuBlock(object.load32(ASYNC.cpu)))
  const tail = f.local(cpu.load32(CPU.queueTail))
  f.store32(object, ASYNC.next, 0)
  f.store32(object, ASYNC.prev, tail)
  f.if(
    tail.ne(0),
    () => f.store32(tail, ASYNC.next, object),
    () => f.store32(cpu, CPU.queueHead, object),
  )
  f.store32(cpu, CPU.queueTail, object)
  f.add32(cpu, CPU.queueLength, 1)
})

/** Puts an object at the head of the queue of the CPU in `ASYNC.cpu`. */
export const queuePushFront = routine('queue_push_front', ['i32'], undefined, (f, object) => {
  const cpu = f.local(cpuBlock(object.load32(ASYNC.cpu)))
  const head = f.local(cpu.load32(CPU.queueHead))
  f.store32(object, ASYNC.next, head)
  f.store32(object, ASYNC.prev, 0)
  f.if(
    head.ne(0),
    () => f.store32(head, ASYNC.prev, object),
    () => f.store32(cpu, CPU.queueTail, object),
  )
  f.store32(cpu, CPU.queueHead, object)
  f.add32(cpu, CPU.queueLength, 1)
})

/** Takes an object out of the queue that it is in, wherever it stands. */
export const queueRemove = routine('queue_remove', ['i32'], undefined, (f, object) => {
  const cpu = f.local(cpuBlock(object.load32(ASYNC.cpu)))
  const next = f.local(object.load32(ASYNC.next))
  const prev = f.local(object.load32(ASYNC.prev))
  const link = (at: I32, offset: number, end: number, value: Arg<'i32'>): void =>
    f.if(
      at.ne(0),
      () => f.store32(at, offset, value),
      () => f.store32(cpu, end, value),
    )
  link(prev, ASYNC.next, CPU.queueHead, next)
  link(next, ASYNC.prev, CPU.queueTail, prev)
  f.store32(object, ASYNC.next, 0)
  f.store32(object, ASYNC.prev, 0)
  f.add32(cpu, CPU.queueLength, -1)
})
