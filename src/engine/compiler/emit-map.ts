/**
 * Calls of map helpers where the map is known when the program is compiled: what its descriptor says about key size, stride
 * and storage are constants then. An array's element is a bound check, a multiplication and an addition.
 */
import { MAP, MAP_MAGIC } from '../../runtime/layout.js'
import type { Op } from './cfg.js'
import { type Context, mark, temporary } from './context.js'
import { argsOf, constantArg, pushArg, writeLeafResult } from './emit-call.js'

/** BPF_MAP_TYPE_ARRAY. */
const ARRAY = 2

/** Address of the map that a call's first argument always is; 0 where it is not certain. */
function knownMap(context: Context, op: Op): number {
  const value = constantArg(context, op, 1)
  if (value === undefined || value > 0x7fffffffn || (value & 3n) !== 0n) return 0
  const map = Number(value)
  return context.module.load32(map + MAP.magic) === MAP_MAGIC ? map : 0
}

/** Emits a map helper specialised for its map; false where there is nothing special. */
export function emitMapCall(context: Context, op: Op, name: string): boolean {
  if (!name.startsWith('bpf_map_') || (argsOf(context, op)[1] as number) < 0) return false
  const map = knownMap(context, op)
  if (map === 0) return false
  const type = context.module.load32(map + MAP.type)
  if (name === 'bpf_map_lookup_elem' && type === ARRAY) {
    emitArrayLookup(context, op, map)
    return true
  }
  return false
}

/** The address of an array's element, or 0. */
function emitArrayLookup(context: Context, op: Op, map: number): void {
  const { body, module } = context
  const release = mark(context)
  const index = temporary(context, 'i32')
  const stride = module.load32(map + MAP.stride)
  pushArg(context, op, 2, 'i32')
  body.memory('i32.load').tee(index)
  body
    .i32(module.load32(map + MAP.maxEntries))
    .op('i32.lt_u')
    .if('i32')
  body
    .get(index)
    .i32(stride)
    .op('i32.mul')
    .i32(module.load32(map + MAP.storage))
    .op('i32.add')
  body.else().i32(0).end()
  release()
  writeLeafResult(context, op, false, 'i32')
}
