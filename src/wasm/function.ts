/**
 * Statements of routines. A `Fn` writes one function's body in the order in which its methods are called; expressions
 * are `Value`s. Control flow is given as closures, so the TypeScript reads with the shape of the code that it emits.
 */
import type { ValType } from './opcodes.js'
import { type Arg, i32, i64, operand, type Target, Value } from './value.js'

/** A variable of the function: a value that can be assigned. */
export class Local<T extends ValType> extends Value<T> {
  readonly index: number

  constructor(type: T, index: number) {
    super(type, ({ code }) => code.get(index))
    this.index = index
  }
}

/** Something done for its effect: a call of a routine without result. */
export class Effect {
  readonly emit: (target: Target) => void

  constructor(emit: (target: Target) => void) {
    this.emit = emit
  }
}

/** A place to jump to: the end of a block or loop, or the start of a loop. */
export interface Label {
  /** How many constructs are open around and including it. */
  readonly depth: number
}

/** One function's body. */
export class Fn {
  private readonly target: Target
  private readonly inPlace: boolean
  private depth = 0

  /** `inPlace`: the body stands in a block of another function, and `return` leaves that block. */
  constructor(target: Target, inPlace = false) {
    this.target = target
    this.inPlace = inPlace
  }

  /** A new variable with the value's type, set to it now. */
  local<T extends ValType>(value: Value<T>): Local<T> {
    const local = new Local(value.type, this.target.code.local(value.type))
    this.set(local, value)
    return local
  }

  /** A new variable, set to a constant now. */
  var32(initial = 0): Local<'i32'> {
    return this.local(i32(initial))
  }
  var64(initial: bigint | number = 0): Local<'i64'> {
    return this.local(i64(initial))
  }

  set<T extends ValType>(local: Local<T>, value: Arg<T>): void {
    operand(local.type, value).emit(this.target)
    this.target.code.set(local.index)
  }

  /** Does it; a result is dropped. */
  do(what: Effect | Value<ValType>): void {
    what.emit(this.target)
    if (what instanceof Value) this.target.code.drop()
  }

  store8(address: Value<'i32'>, offset: number, value: Arg<'i32'>): void {
    this.store('i32.store8', address, offset, operand('i32', value))
  }
  store16(address: Value<'i32'>, offset: number, value: Arg<'i32'>): void {
    this.store('i32.store16', address, offset, operand('i32', value))
  }
  store32(address: Value<'i32'>, offset: number, value: Arg<'i32'>): void {
    this.store('i32.store', address, offset, operand('i32', value))
  }
  store64(address: Value<'i32'>, offset: number, value: Arg<'i64'>): void {
    this.store('i64.store', address, offset, operand('i64', value))
  }
  /** A word that CPUs share. */
  sharedStore32(address: Value<'i32'>, offset: number, value: Arg<'i32'>): void {
    const name = this.target.mode === 'atomic' ? 'i32.atomic.store' : 'i32.store'
    this.store(name, address, offset, operand('i32', value))
  }
  sharedStore64(address: Value<'i32'>, offset: number, value: Arg<'i64'>): void {
    const name = this.target.mode === 'atomic' ? 'i64.atomic.store' : 'i64.store'
    this.store(name, address, offset, operand('i64', value))
  }
  /** Adds to a word that no other CPU touches. */
  add32(address: Value<'i32'>, offset: number, by: Arg<'i32'>): void {
    this.store32(address, offset, address.load32(offset).add(by))
  }

  /** memmove. */
  copy(to: Value<'i32'>, from: Value<'i32'>, length: Arg<'i32'>): void {
    to.emit(this.target)
    from.emit(this.target)
    operand('i32', length).emit(this.target)
    this.target.code.memoryCopy()
  }
  /** memset. */
  fill(to: Value<'i32'>, byte: Arg<'i32'>, length: Arg<'i32'>): void {
    to.emit(this.target)
    operand('i32', byte).emit(this.target)
    operand('i32', length).emit(this.target)
    this.target.code.memoryFill()
  }

  if(condition: Value<'i32'>, then: () => void, otherwise?: () => void): void {
    condition.emit(this.target)
    this.target.code.if()
    this.inside(then)
    if (otherwise) {
      this.target.code.else()
      this.inside(otherwise)
    }
    this.target.code.end()
  }

  /** Repeats while the condition, computed anew each time, holds. `break` leaves. */
  while(condition: Value<'i32'>, body: (end: Label) => void): void {
    this.forever((end) => {
      this.breakIf(end, condition.eqz())
      body(end)
    })
  }

  /** Repeats until it is left with `breakIf(end, ...)`, `break(end)` or `return`. */
  forever(body: (end: Label, start: Label) => void): void {
    this.target.code.block()
    const end = { depth: ++this.depth }
    this.target.code.loop()
    const start = { depth: ++this.depth }
    body(end, start)
    this.target.code.br(0).end()
    this.depth--
    this.target.code.end()
    this.depth--
  }

  /** A construct that can be left with `break(end)`. */
  block(body: (end: Label) => void): void {
    this.target.code.block()
    body({ depth: ++this.depth })
    this.target.code.end()
    this.depth--
  }

  break(label: Label): void {
    this.target.code.br(this.depth - label.depth)
  }

  breakIf(label: Label, condition: Value<'i32'>): void {
    condition.emit(this.target)
    this.target.code.brIf(this.depth - label.depth)
  }

  /** Runs `cases[value]`; any other value runs `otherwise`. One jump (br_table). */
  switch(value: Value<'i32'>, cases: Readonly<Record<number, () => void>>, otherwise: () => void): void {
    const bodies = [...new Set(Object.values(cases))]
    const largest = Math.max(...Object.keys(cases).map(Number))
    const { code } = this.target
    code.block()
    const end = { depth: ++this.depth }
    for (let i = 0; i <= bodies.length; i++) code.block()
    this.depth += bodies.length + 1
    value.emit(this.target)
    const depths = Array.from({ length: largest + 1 }, (_, key) => {
      const body = cases[key]
      return body ? bodies.indexOf(body) : bodies.length
    })
    code.brTable(depths, bodies.length)
    for (const body of [...bodies, otherwise]) {
      code.end()
      this.depth--
      body()
      this.break(end)
    }
    code.end()
    this.depth--
  }

  /** Leaves the function. */
  return(value?: Arg<'i32'> | Value<'i64'>): void {
    if (value instanceof Value) value.emit(this.target)
    else if (value !== undefined) this.target.code.i32(Number(value))
    if (this.inPlace) this.target.code.br(this.depth)
    else this.target.code.return()
  }

  /** `memory.size` and `memory.grow`, in pages. */
  readonly memory = {
    size: new Value('i32', ({ code }) => code.memorySize()),
    grow: (pages: Value<'i32'>): Value<'i32'> =>
      new Value('i32', (target) => {
        pages.emit(target)
        target.code.memoryGrow()
      }),
  }

  /** Traps: something that cannot be. */
  unreachable(): void {
    this.target.code.unreachable()
  }

  private store(name: string, address: Value<'i32'>, offset: number, value: Value<ValType>): void {
    address.emit(this.target)
    value.emit(this.target)
    this.target.code.memory(name, offset)
  }

  private inside(body: () => void): void {
    this.depth++
    body()
    this.depth--
  }
}
