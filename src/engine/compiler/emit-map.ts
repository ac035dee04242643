/**
 * Calls of map helpers where the map is known when the program is compiled: the runtime's routines for that one map, with
 * sizes, addresses and flags as constants. They are written in place of the call, which V8 in Node 20
 * never does itself: a call costs the loop around it its registers, even on a path that is not taken. A lookup in an array is a bound check, a
 * multiplication and an addition, in a hash a multiplication and a comparison where the first element is the one.
 */
import { MAP, MAP_MAGIC, TASK } from '../../runtime/layout.js'
import type { Leaf } from '../../runtime/leaf.js'
import type { MapHelpers } from '../../runtime/specialise.js'
import { Fn, type Target, writeInPlace } from '../../wasm/index.js'
import type { Op } from './cfg.js'
import { type Context, mark, pushTask, temporary } from './context.js'
import { argsOf, constantArg, pushArg, writeLeafResult } from './emit-call.js'
import { pushAddress } from './emit-memory.js'

/** Most locals of a function up to which routines are written in place of their calls: each takes a few of its own. */
export const MOST_LOCALS = 200

/** Address of the map that a call's first argument always is; 0 where it is not certain. */
function knownMap(context: Context, op: Op): number {
  if ((argsOf(context, op)[1] as number) < 0) return 0
  const value = constantArg(context, op, 1)
  if (value === undefined || value > 0x7fffffffn || (value & 3n) !== 0n) return 0
  const map = Number(value)
  return context.module.load32(map + MAP.magic) === MAP_MAGIC ? map : 0
}

function knownHelpers(context: Context, op: Op, name: string): MapHelpers | undefined {
  const map = name.startsWith('bpf_map_') ? knownMap(context, op) : 0
  return map === 0 ? undefined : context.module.mapHelpers(map)
}

/** The leaf for the one map of this call, which has no parameter for it; `undefined` where the map is not certain. */
export function leafOfMap(context: Context, op: Op, name: string): Leaf | undefined {
  const helpers = knownHelpers(context, op, name)
  if (name === 'bpf_map_lookup_elem' || name === 'bpf_map_update_elem' || name === 'bpf_map_delete_elem') {
    return helpers?.[name]
  }
  return undefined
}

/** Writes a helper of a known map in place of its call; false where that is not what the call is, or not worth it. */
export function emitLookup(context: Context, op: Op, name: string): boolean {
  const { body, module } = context
  const helpers = knownHelpers(context, op, name)
  if (!helpers) return false
  if (name === 'bpf_map_lookup_elem' && helpers.array) {
    emitArrayLookup(context, op, helpers.array)
    return true
  }
  if (module.mode === 'atomic' || body.locals.length > MOST_LOCALS) return false
  if (name === 'bpf_map_lookup_elem') emitHashLookup(context, op, helpers)
  else return emitChange(context, op, leafOfMap(context, op, name))
  return true
}

function emitHashLookup(context: Context, op: Op, helpers: MapHelpers): void {
  const { body } = context
  const target = targetOf(context)
  const fn = new Fn(target)
  const key = fn.var32()
  const offset = pushAddress(context, 2, argsOf(context, op)[2] as number, 0)
  body.set(key.index)
  helpers.lookupInPlace(fn, key, offset).emit(target)
  writeLeafResult(context, op, false, 'i32')
}

/** An update or delete that cannot wait, its flags a number: the engine then leaves out what is only for other flags. */
function emitChange(context: Context, op: Op, leaf: Leaf | undefined): boolean {
  const { body } = context
  const flags = constantArg(context, op, 4)
  const hasFlags = leaf?.params.includes('flags')
  if (leaf?.waits !== 'never' || (hasFlags && flags === undefined)) return false
  pushArg(context, op, 2, 'i32')
  if (hasFlags) {
    pushArg(context, op, 3, 'i32')
    body.i32((flags ?? 0n) >> 32n ? -1 : Number(flags) | 0)
    pushTask(context)
    body.memory('i32.load', TASK.cpu)
  }
  writeInPlace(leaf.routine, targetOf(context))
  writeLeafResult(context, op, true, 'i32')
  return true
}

/** What routines of the runtime need to be written into this body. */
function targetOf({ body, module }: Context): Target {
  return { code: body, mode: module.mode, index: module.routineFunc }
}

/** The address of an array's element, or 0. */
function emitArrayLookup(context: Context, op: Op, array: NonNullable<MapHelpers['array']>): void {
  const { body } = context
  const release = mark(context)
  const index = temporary(context, 'i32')
  const offset = pushAddress(context, 2, argsOf(context, op)[2] as number, 0)
  body.memory('i32.load', offset).tee(index)
  body.i32(array.maxEntries).op('i32.lt_u').if('i32')
  body.get(index).i32(array.stride).op('i32.mul').i32(array.storage).op('i32.add')
  body.else().i32(0).end()
  release()
  writeLeafResult(context, op, false, 'i32')
}
