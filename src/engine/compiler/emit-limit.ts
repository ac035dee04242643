/**
 * The only limits of compiled code: rounds of `bpf_loop` and `may_goto`. A verified program has no other way to run for long,
 * and whatever else it does costs nothing. Rounds are charged some thousands at a time against `TASK.budget`; when that is
 * used up, the machine is asked (host call 0) whether to go on. It answers by giving more, or by throwing.
 */
import { TASK } from '../../runtime/layout.js'
import { type Context, mark, pushTask, temporary } from './context.js'

/** Rounds between two questions: at least some 10 us, in which a question is lost. */
export const ROUNDS = 0x8000
/** Rounds that are charged at once, a power of two. */
export const CHARGED = 0x1000
/** The id of the host call that asks; the machine's own begin with 1. */
export const LIMIT_CALL = 0

/** Pops a number of rounds (i32) and charges them. */
export function chargeRounds(context: Context): void {
  const { body, module } = context
  const release = mark(context)
  const left = temporary(context, 'i32')
  body.set(left)
  pushTask(context)
  pushTask(context)
  body.memory('i32.load', TASK.budget).get(left).op('i32.sub').tee(left).memory('i32.store', TASK.budget)
  body.get(left).i32(0).op('i32.lt_s').if()
  pushTask(context)
  body.i32(LIMIT_CALL).call(module.hostCall).end()
  release()
}
