/**
 * Calls of map helpers where the map is known when the program is compiled: the runtime's routines for that one map, with
 * sizes, addresses and flags as constants. A lookup is written in place of its call: for an array a bound check, a
 * multiplication and an addition, for a hash a multiplication and a comparison where the first element is the one.
 */
import { MAP, MAP_MAGIC } from '../../runtime/layout.js'
import type { Leaf } from '../../runtime/leaf.js'
import type { MapHelpers } from '../../runtime/specialise.js'
import { Fn } from '../../wasm/index.js'
import type { Op } from './cfg.js'
import { type Context, mark, temporary } from './context.js'
import { argsOf, constantArg, writeLeafResult } from './emit-call.js'
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

/** Writes a lookup in a known map in place of its call; false where that is not what the call is. */
export function emitLookup(context: Context, op: Op, name: string): boolean {
  const { body, module } = context
  if (name !== 'bpf_map_lookup_elem') return false
  const helpers = knownHelpers(context, op, name)
  if (!helpers || (module.mode === 'atomic' && !helpers.array)) return false
  if (helpers.array) {
    emitArrayLookup(context, op, helpers.array)
    return true
  }
  if (body.locals.length > MOST_LOCALS) return false
  const target = { code: body, mode: module.mode, index: module.routineFunc }
  const fn = new Fn(target)
  const key = fn.var32()
  const offset = pushAddress(context, 2, argsOf(context, op)[2] as number, 0)
  body.set(key.index)
  helpers.lookupInPlace(fn, key, offset).emit(target)
  writeLeafResult(context, op, false, 'i32')
  return true
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
