/** One function: its parameters into locals, then its blocks in the order of the layout. Also functions written into others. */

import type { Kind } from '../../isa/index.js'
import { FRAME_STACK } from '../../runtime/layout.js'
import { Code, type ValType } from '../../wasm/index.js'
import type { Block, Op } from './cfg.js'
import { type Context, close, type ModuleParts, mark, open, read, temporary, trap, typeOf, write } from './context.js'
import { emitAlu, emitEnd, swap32 } from './emit-alu.js'
import { emitCall } from './emit-call.js'
import { pushCondition } from './emit-jump.js'
import { emitAtomic, emitLoad, emitPacketLoad, emitStore } from './emit-memory.js'
import { R0 } from './operands.js'
import { findIdioms, type Idioms } from './peephole.js'
import { type Sink, writeStructured } from './structure.js'
import type { Unit } from './unit.js'

/** Loads a 64-bit immediate. */
function emitWide(context: Context, { insn, pos, value }: Op): void {
  const { body, unit } = context
  const def = unit.webs.def[pos] as number
  const type = typeOf(context, def)
  if (type === 'i64') body.i64(value)
  else body.i32(Number(BigInt.asIntN(32, value)))
  write(context, insn.dst, def, type)
}

function emitPacket(context: Context, op: Op): void {
  const leave = (): void => {
    if (context.result === 'i32') context.body.op('i32.wrap_i64')
    leaveFunction(context)
  }
  emitPacketLoad(context, op, () => swap32(context), leave)
}

/** What emits an instruction; jumps and exits end a block and are not among them. */
const emitters: Partial<Record<Kind, (context: Context, op: Op) => void>> = {
  alu: emitAlu,
  end: emitEnd,
  load: emitLoad,
  store: emitStore,
  atomic: emitAtomic,
  call: emitCall,
  packet: emitPacket,
  imm64: emitWide,
}

/** Leaves with the result on the stack. */
function leaveFunction({ body, exit, depth }: Context): void {
  if (exit > 0) body.br(depth - exit)
  else body.return()
}

/** Emits the instructions of a block, with idioms in one. */
function emitBlock(context: Context, block: Block): void {
  const { body, unit } = context
  if (block.select) body.i32(block.select.value).set(selector(context, block.select.selector))
  const { rotates, saves }: Idioms = findIdioms(block)
  const release = mark(context)
  const saved = new Map<number, number>()
  for (const op of block.ops) {
    const { pos, insn } = op
    const width = saves.get(pos)
    if (width !== undefined) {
      const type: ValType = width === 32 ? 'i32' : 'i64'
      const local = temporary(context, type)
      saved.set(pos, local)
      read(context, insn.dst, unit.webs.dst[pos] as number, type)
      body.set(local)
    }
    const rotate = rotates.get(pos)
    if (!rotate) {
      emitters[op.row.kind]?.(context, op)
      continue
    }
    const type: ValType = rotate.width === 32 ? 'i32' : 'i64'
    body.get(saved.get(rotate.saved) as number)
    if (type === 'i32') body.i32(rotate.by).op('i32.rotl')
    else body.i64(rotate.by).op('i64.rotl')
    write(context, insn.dst, unit.webs.def[pos] as number, type)
  }
  release()
}

function selector(context: Context, number: number): number {
  const known = context.selectors.get(number)
  if (known !== undefined) return known
  const local = context.body.local('i32')
  context.selectors.set(number, local)
  return local
}

/** Writes a function's blocks. */
function emitBlocks(context: Context): void {
  const { body, unit } = context
  const { blocks } = unit.layout
  const base = context.depth
  const endOf = (block: number) => (blocks[block] as Block).end
  const sink: Sink = {
    block: () => void open(context, 'block'),
    loop: () => void open(context, 'loop'),
    if: () => void open(context, 'if'),
    else: () => void body.else(),
    end: () => close(context),
    br: (depth) => void body.br(depth),
    brIf: (depth) => void body.brIf(depth),
    brTable(block, depths) {
      const end = endOf(block)
      if (end.kind === 'switch') body.get(selector(context, end.selector))
      if (end.kind === 'table') read(context, end.op.insn.dst, unit.webs.dst[end.op.pos] as number, 'i32')
      body.brTable(depths.slice(0, -1), depths.at(-1) ?? 0)
    },
    body: (block) => emitBlock(context, blocks[block] as Block),
    condition(block, negated) {
      const end = endOf(block)
      if (end.kind === 'if') pushCondition(context, end.op, negated)
    },
    leave(block) {
      const end = endOf(block)
      if (end.kind === 'trap') trap(context, end.reason, end.at)
      if (end.kind !== 'exit') return
      read(context, R0, unit.webs.r0[end.op.pos] as number, context.result)
      leaveFunction(context)
    },
  }
  writeStructured(unit.layout, sink)
  // Every way through a function ends in an exit or a trap; the validator of WebAssembly does not see that.
  body.unreachable()
  context.depth = base
}

/** The body of a function of its own. */
export function emitFunction(module: ModuleParts, unit: Unit): Code {
  const { params } = unit
  const body = new Code([...params.map((): ValType => 'i64'), 'i32'])
  const context: Context = {
    module,
    body,
    unit,
    frame: params.length,
    locals: new Int32Array(20).fill(-1),
    selectors: new Map(),
    loops: -1,
    depth: 0,
    exit: 0,
    result: 'i64',
    nesting: 0,
    temporaries: { i32: { all: [], used: 0 }, i64: { all: [], used: 0 } },
    inlined: new Map(),
  }
  params.forEach((register, index) => {
    const web = unit.webs.params[register] as number
    if (typeOf(context, web) === 'i64') context.locals[register] = index
    else {
      body.get(index)
      write(context, register, web, 'i64')
    }
  })
  emitBlocks(context)
  return body
}

/**
 * Writes a function in place of a call: its result is left on the stack. `push` pushes an argument as a type. A second copy
 * in the same body uses the locals of the first: the two are never active at once.
 */
export function inlineFunction(
  outer: Context,
  unit: Unit,
  push: (register: number, type: ValType) => void,
  result: ValType,
): void {
  const { body } = outer
  const known = outer.inlined.get(unit.start)
  const inner: Context = {
    ...outer,
    unit,
    frame: known?.frame ?? body.local('i32'),
    locals: known?.locals ?? new Int32Array(20).fill(-1),
    selectors: known?.selectors ?? new Map(),
    loops: known?.loops ?? -1,
    result,
    exit: outer.depth + 1,
    depth: outer.depth,
    nesting: outer.nesting + 1,
  }
  outer.inlined.set(unit.start, inner)
  for (const register of unit.params) {
    const web = unit.webs.params[register] as number
    const type = typeOf(inner, web)
    push(register, type)
    write(inner, register, web, type)
  }
  body.get(outer.frame).i32(FRAME_STACK).op('i32.add').set(inner.frame)
  if (unit.graph.blocks.some(({ end }) => end.kind === 'if' && end.op.row.op === 'may_goto')) {
    if (inner.loops < 0) inner.loops = body.local('i32')
    body.i32(0).set(inner.loops)
  }
  open(inner, 'block', result)
  emitBlocks(inner)
  close(inner)
}
