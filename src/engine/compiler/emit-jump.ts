/** Conditions of jumps, straight or negated, as an i32 on the stack; and may_goto. */
import { MAY_GOTO_LIMIT } from '../interpreter/loop.js'
import type { Op } from './cfg.js'
import { type Context, read } from './context.js'
import { operandsAreNarrow, operandsAreZero, pushOperand } from './emit-alu.js'
import { CHARGED, chargeRounds } from './emit-limit.js'

/** WebAssembly's comparison of a jump, and its opposite. */
const comparisons: Readonly<Record<string, readonly [name: string, opposite: string]>> = {
  jeq: ['eq', 'ne'],
  jne: ['ne', 'eq'],
  jgt: ['gt_u', 'le_u'],
  jge: ['ge_u', 'lt_u'],
  jlt: ['lt_u', 'ge_u'],
  jle: ['le_u', 'gt_u'],
  jsgt: ['gt_s', 'le_s'],
  jsge: ['ge_s', 'lt_s'],
  jslt: ['lt_s', 'ge_s'],
  jsle: ['le_s', 'gt_s'],
}

/** Pushes whether a jump is taken, or (negated) is not. */
export function pushCondition(context: Context, op: Op, negated: boolean): void {
  const { row, insn, pos } = op
  const { body } = context
  if (row.op === 'may_goto') {
    pushMayGoto(context, negated)
    return
  }
  const { webs, types } = context.unit
  const dst = webs.dst[pos] as number
  // Numbers with a zero upper half compare alike in 32 bits, unsigned whatever the jump says.
  const halves = row.width === 64 && operandsAreZero(context, op) && operandsAreNarrow(context, op)
  const lowTest = row.op === 'jset' && row.source === 'imm' && insn.imm >= 0 && types.narrow[dst] === 1
  const type = row.width === 32 || halves || lowTest ? 'i32' : 'i64'
  const names = comparisons[row.op]
  const name = names?.[negated ? 1 : 0]
  read(context, insn.dst, dst, type)
  if (row.source === 'imm' && insn.imm === 0 && (name === 'eq' || name === 'ne')) {
    body.op(`${type}.eqz`)
    if (name === 'ne') body.op('i32.eqz')
    return
  }
  pushOperand(context, op, type)
  if (name) {
    body.op(`${type}.${halves ? name.replace('_s', '_u') : name}`)
    return
  }
  body.op(`${type}.and`)
  if (type === 'i64' || negated) body.op(`${type}.eqz`)
  if (type === 'i64' && !negated) body.op('i32.eqz')
}

/** may_goto jumps, out of its loop, when its function has gone round as often as is allowed. */
function pushMayGoto(context: Context, negated: boolean): void {
  const { body } = context
  if (context.loops < 0) context.loops = body.local('i32')
  body
    .get(context.loops)
    .i32(1)
    .op('i32.add')
    .tee(context.loops)
    .i32(CHARGED - 1)
    .op('i32.and')
    .op('i32.eqz')
    .if()
  body.i32(CHARGED)
  chargeRounds(context)
  body.end()
  body.get(context.loops).i32(MAY_GOTO_LIMIT)
  body.op(negated ? 'i32.le_u' : 'i32.gt_u')
}
