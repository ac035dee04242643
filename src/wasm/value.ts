/**
 * Expressions of routines: a `Value` is a recipe that writes instructions which leave one i32 or i64 on the stack.
 * `task.load32(TASK.pc).add(1)` reads as what it computes. A recipe is written wherever it is used, so a value that costs
 * something or changes with time is bound first (`f.local(...)`); a call may be used only once, which is checked.
 *
 * Words that CPUs share are read and written by the `shared` forms: plain accesses in a module emitted with mode `plain`
 * (one thread), real atomics with `atomic`. Single-threaded, atomics would cost 20 times as much.
 */
import type { Code } from './code.js'
import type { ValType } from './opcodes.js'
import type { AnyRoutine } from './routine.js'

/** Whether words that CPUs share are accessed with plain instructions (one thread) or with atomics. */
export type Mode = 'plain' | 'atomic'

/** Where a value is written: the body under construction, the module's mode and its function indices. */
export interface Target {
  readonly code: Code
  readonly mode: Mode
  /** The index of a routine's function in this module; it is added if it was not there. */
  index(routine: AnyRoutine): number
  /** Whether a routine's body is written in place of its calls; absent: none is. */
  inlines?(routine: AnyRoutine): boolean
}

/** A value, or a constant in its place. */
export type Arg<T extends ValType> = Value<T> | number | bigint

type I32 = Value<'i32'>
type I64 = Value<'i64'>
type RmwName = 'add' | 'sub' | 'and' | 'or' | 'xor' | 'xchg'

/** An expression of type T. */
export class Value<T extends ValType> {
  readonly type: T
  /** Writes the instructions. */
  readonly emit: (target: Target) => void

  constructor(type: T, emit: (target: Target) => void) {
    this.type = type
    this.emit = emit
  }

  add(other: Arg<T>): Value<T> {
    return other === 0 ? this : this.binary('add', other)
  }
  sub(other: Arg<T>): Value<T> {
    return this.binary('sub', other)
  }
  mul(other: Arg<T>): Value<T> {
    return this.binary('mul', other)
  }
  divU(other: Arg<T>): Value<T> {
    return this.binary('div_u', other)
  }
  remU(other: Arg<T>): Value<T> {
    return this.binary('rem_u', other)
  }
  and(other: Arg<T>): Value<T> {
    return this.binary('and', other)
  }
  or(other: Arg<T>): Value<T> {
    return this.binary('or', other)
  }
  xor(other: Arg<T>): Value<T> {
    return this.binary('xor', other)
  }
  shl(other: Arg<T>): Value<T> {
    return this.binary('shl', other)
  }
  shrU(other: Arg<T>): Value<T> {
    return this.binary('shr_u', other)
  }
  shrS(other: Arg<T>): Value<T> {
    return this.binary('shr_s', other)
  }
  rotl(other: Arg<T>): Value<T> {
    return this.binary('rotl', other)
  }
  clz(): Value<T> {
    return this.unary(`${this.type}.clz`, this.type)
  }
  eqz(): I32 {
    return this.unary(`${this.type}.eqz`, 'i32')
  }
  eq(other: Arg<T>): I32 {
    return this.compare('eq', other)
  }
  ne(other: Arg<T>): I32 {
    return this.compare('ne', other)
  }
  ltU(other: Arg<T>): I32 {
    return this.compare('lt_u', other)
  }
  leU(other: Arg<T>): I32 {
    return this.compare('le_u', other)
  }
  gtU(other: Arg<T>): I32 {
    return this.compare('gt_u', other)
  }
  geU(other: Arg<T>): I32 {
    return this.compare('ge_u', other)
  }
  ltS(other: Arg<T>): I32 {
    return this.compare('lt_s', other)
  }
  gtS(other: Arg<T>): I32 {
    return this.compare('gt_s', other)
  }
  geS(other: Arg<T>): I32 {
    return this.compare('ge_s', other)
  }

  /** Any instruction of one operand, by name: `x.unary('i64.extend8_s', 'i64')`. */
  unary<R extends ValType>(name: string, result: R): Value<R> {
    return new Value(result, (target) => {
      this.emit(target)
      target.code.op(name)
    })
  }

  /** Low 32 bits of an i64. */
  low(this: I64): I32 {
    return this.unary('i32.wrap_i64', 'i32')
  }
  /** High 32 bits of an i64. */
  high(this: I64): I32 {
    return this.shrU(32).low()
  }
  /** Zero-extended. */
  wide(this: I32): I64 {
    return this.unary('i64.extend_i32_u', 'i64')
  }
  /** Sign-extended. */
  wideSigned(this: I32): I64 {
    return this.unary('i64.extend_i32_s', 'i64')
  }
  /** `this ? a : b`; both are computed. */
  select<R extends ValType>(this: I32, a: Value<R>, b: Arg<R>): Value<R> {
    return new Value(a.type, (target) => {
      a.emit(target)
      operand(a.type, b).emit(target)
      this.emit(target)
      target.code.select()
    })
  }
  /** This condition and that one; the second is computed only when the first holds. */
  andThen(this: I32, second: I32): I32 {
    return new Value('i32', (target) => {
      this.emit(target)
      target.code.if('i32')
      second.ne(0).emit(target)
      target.code.else().i32(0).end()
    })
  }
  /** This condition or that one; the second is computed only when the first does not hold. */
  orElse(this: I32, second: I32): I32 {
    return new Value('i32', (target) => {
      this.emit(target)
      target.code.if('i32').i32(1).else()
      second.ne(0).emit(target)
      target.code.end()
    })
  }

  /** The byte at this address + offset, zero-extended. Offsets are unsigned. */
  load8(this: I32, offset = 0): I32 {
    return this.load('i32.load8_u', offset, 'i32')
  }
  load16(this: I32, offset = 0): I32 {
    return this.load('i32.load16_u', offset, 'i32')
  }
  load32(this: I32, offset = 0): I32 {
    return this.load('i32.load', offset, 'i32')
  }
  load64(this: I32, offset = 0): I64 {
    return this.load('i64.load', offset, 'i64')
  }
  /** Any load by name. */
  load<R extends ValType>(this: I32, name: string, offset: number, result: R): Value<R> {
    return new Value(result, (target) => {
      this.emit(target)
      target.code.memory(name, offset)
    })
  }
  /** A word that CPUs share. */
  shared32(this: I32, offset = 0): I32 {
    return new Value('i32', (target) => {
      this.emit(target)
      target.code.memory(target.mode === 'atomic' ? 'i32.atomic.load' : 'i32.load', offset)
    })
  }
  shared64(this: I32, offset = 0): I64 {
    return new Value('i64', (target) => {
      this.emit(target)
      target.code.memory(target.mode === 'atomic' ? 'i64.atomic.load' : 'i64.load', offset)
    })
  }
  /** Changes a shared i32 and gives the value that it had. */
  rmw32(this: I32, name: RmwName, offset: number, by: Arg<'i32'>): I32 {
    return rmw('i32', name, this, offset, by)
  }
  /** Changes a shared i64 and gives the value that it had. */
  rmw64(this: I32, name: RmwName, offset: number, by: Arg<'i64'>): I64 {
    return rmw('i64', name, this, offset, by)
  }
  /** Stores `next` if the shared word is `expected`; gives the value that it had. */
  cmpxchg32(this: I32, offset: number, expected: Arg<'i32'>, next: Arg<'i32'>): I32 {
    return new Value('i32', (target) => {
      const { code } = target
      const [from, to] = [operand('i32', expected), operand('i32', next)]
      this.emit(target)
      if (target.mode === 'atomic') {
        from.emit(target)
        to.emit(target)
        code.memory('i32.atomic.rmw.cmpxchg', offset)
        return
      }
      const [address, old] = [code.local('i32'), code.local('i32')]
      code.tee(address).memory('i32.load', offset).tee(old)
      from.emit(target)
      code.op('i32.eq').if().get(address)
      to.emit(target)
      code.memory('i32.store', offset).end().get(old)
    })
  }

  private binary(name: string, other: Arg<T>): Value<T> {
    return new Value(this.type, (target) => {
      this.emit(target)
      operand(this.type, other).emit(target)
      target.code.op(`${this.type}.${name}`)
    })
  }

  private compare(name: string, other: Arg<T>): I32 {
    return new Value('i32', (target) => {
      this.emit(target)
      operand(this.type, other).emit(target)
      target.code.op(`${this.type}.${name}`)
    })
  }
}

function rmw<T extends ValType>(type: T, name: RmwName, base: I32, offset: number, by: Arg<T>): Value<T> {
  return new Value(type, (target) => {
    const { code } = target
    const amount = operand(type, by)
    base.emit(target)
    if (target.mode === 'atomic') {
      amount.emit(target)
      code.memory(`${type}.atomic.rmw.${name}`, offset)
      return
    }
    const [address, old] = [code.local('i32'), code.local(type)]
    code.tee(address).get(address).memory(`${type}.load`, offset).tee(old)
    if (name === 'xchg') code.drop()
    amount.emit(target)
    if (name !== 'xchg') code.op(`${type}.${name}`)
    code.memory(`${type}.store`, offset).get(old)
  })
}

/** A constant i32. */
export function i32(value: number): I32 {
  return new Value('i32', ({ code }) => code.i32(value))
}

/** A constant i64. */
export function i64(value: bigint | number): I64 {
  return new Value('i64', ({ code }) => code.i64(value))
}

/** A value as it is, a number as a constant. */
export function operand<T extends ValType>(type: T, arg: Arg<T>): Value<T> {
  if (arg instanceof Value) return arg
  return new Value(type, ({ code }) => (type === 'i32' ? code.i32(Number(arg)) : code.i64(arg)))
}
