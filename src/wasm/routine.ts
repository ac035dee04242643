/**
 * A routine is a function of the runtime: a name, a type and a recipe of its body. It is called like a function of
 * TypeScript (`alloc(size)`) and then stands for the call. A `Linker` puts routines into a module: asked for the index of
 * one, it adds it and whatever it calls. So the interpreter's runtime module and a compiled program's module embed the same
 * recipes, each only those that it needs; a family specialised by constants is a TypeScript function returning a routine.
 */
import { Code } from './code.js'
import { Effect, Fn, Local } from './function.js'
import type { FuncType, ModuleWriter } from './module.js'
import type { ValType } from './opcodes.js'
import { type Arg, type Mode, operand, type Target, Value } from './value.js'

/** Arguments at a call, parameters in a body. */
type Args<P extends readonly ValType[]> = { [K in keyof P]: Arg<P[K]> }
type Params<P extends readonly ValType[]> = { [K in keyof P]: Local<P[K]> }
type Result<R extends ValType | undefined> = R extends ValType ? Value<R> : Effect
type Returned<R extends ValType | undefined> = R extends ValType ? Arg<R> : unknown

/** Any routine, when only its place in a module matters. */
export interface AnyRoutine extends FuncType {
  /** Its name in the module. */
  readonly id: string
  /** Writes the body; `undefined` for a function that the host imports. */
  readonly build: ((fn: Fn, params: readonly Local<ValType>[], target: Target) => void) | undefined
}

/** A routine with its types; calling it gives the expression of a call. */
export interface Routine<P extends readonly ValType[], R extends ValType | undefined> extends AnyRoutine {
  (...args: Args<P>): Result<R>
  readonly params: P
  readonly result: R
}

/** Calls of the body under construction that were made but not written yet: a forgotten `f.do`. */
let unwritten = new Set<string>()

/**
 * Defines a routine. `body` returns the value to return, if there is a result. It runs each time that the routine is put
 * into a module, so it may ask for other routines that are defined later.
 */
export function routine<const P extends readonly ValType[], R extends ValType | undefined>(
  id: string,
  params: P,
  result: R,
  body: (fn: Fn, ...params: Params<P>) => Returned<R>,
): Routine<P, R> {
  return callable(id, params, result, (fn, locals, target) => {
    const returned = body(fn, ...(locals as unknown as Params<P>))
    if (result) operand<ValType>(result, returned as Arg<ValType>).emit(target)
  })
}

/** A function of the host, for a module's imports. */
export function hostRoutine<const P extends readonly ValType[], R extends ValType | undefined>(
  id: string,
  params: P,
  result: R,
): Routine<P, R> {
  return callable(id, params, result, undefined)
}

function callable<const P extends readonly ValType[], R extends ValType | undefined>(
  id: string,
  params: P,
  result: R,
  build: AnyRoutine['build'],
): Routine<P, R> {
  const call = (...args: Args<P>): Value<ValType> | Effect => {
    const label = `${id}#${callNumber++}`
    unwritten.add(label)
    let written = false
    const emit = (target: Target): void => {
      if (written) throw new Error(`the call of ${id} is used twice: bind it with f.local`)
      written = true
      unwritten.delete(label)
      params.forEach((type, i) => {
        operand(type, args[i] as Arg<ValType>).emit(target)
      })
      if (target.inlines?.(self)) writeInPlace(self, target)
      else target.code.call(target.index(self))
    }
    return result ? new Value(result, emit) : new Effect(emit)
  }
  const self = Object.assign(call, { id, params, result, build }) as unknown as Routine<P, R>
  return self
}

/**
 * Writes a routine's body in place of a call: the arguments are on the stack and go to variables of their own, `return` is a
 * jump to the end, the result is left on the stack.
 */
export function writeInPlace(self: AnyRoutine, target: Target): void {
  const { code } = target
  const locals = self.params.map((type) => new Local(type, code.local(type)))
  for (const local of [...locals].reverse()) code.set(local.index)
  code.block(self.result)
  self.build?.(new Fn(target, true), locals, target)
  code.end()
}

let callNumber = 0

/** Puts routines into a module. */
export interface Linker {
  /** The function index of a routine, adding it if needed. */
  index(routine: AnyRoutine): number
  /** Writes the bodies of all routines asked for so far, and of all that they call. */
  flush(): void
}

/**
 * A linker for one module. `imports` are the host's functions, declared at once; they come from the import module `host`.
 * Routines in `inlined` are written where they are called, in place of a call: for those few that must be fast.
 */
export function createLinker(
  module: ModuleWriter,
  mode: Mode,
  imports: readonly AnyRoutine[] = [],
  inlined: ReadonlySet<AnyRoutine> = new Set(),
): Linker {
  const indices = new Map<AnyRoutine, number>()
  const waiting: AnyRoutine[] = []
  for (const item of imports) indices.set(item, module.importFunc('host', item.id, item))
  const index = (routine: AnyRoutine): number => {
    const known = indices.get(routine)
    if (known !== undefined) return known
    if (!routine.build) throw new Error(`host function ${routine.id} is not among the module's imports`)
    const added = module.func(routine.id, routine)
    indices.set(routine, added)
    waiting.push(routine)
    return added
  }
  const flush = (): void => {
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      module.body(index(next), bodyOf(next, { mode, index, inlines: (item) => inlined.has(item) }))
    }
  }
  return { index, flush }
}

function bodyOf(routine: AnyRoutine, module: Omit<Target, 'code'>): Code {
  const code = new Code(routine.params)
  const target = { ...module, code }
  const outer = unwritten
  unwritten = new Set()
  routine.build?.(
    new Fn(target),
    routine.params.map((type, i) => new Local(type, i)),
    target,
  )
  const [forgotten] = unwritten
  unwritten = outer
  if (forgotten) throw new Error(`${routine.id} makes the call ${forgotten} but never uses it: f.do is missing`)
  return code
}
