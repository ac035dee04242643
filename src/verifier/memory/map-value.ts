/**
 * Loads and stores through pointers to map values and keys: bounds, maps that programs may only read or only write,
 * special fields that only their helpers may touch (wq-semantics 2.11), and constants read from frozen maps.
 */

import { mapFlags } from '../../uapi/index.js'
import type { Env } from '../env.js'
import type { MapView } from '../program.js'
import { constantReg, type MapValueReg, type Reg } from '../registers.js'
import { checkRegion, type RegionOptions } from './bounds.js'

/** May programs read, or write, the values of this map? */
export function checkMapAccessType(env: Env, n: number, offset: number, size: number, access: 'read' | 'write'): void {
  const reg = env.reg(n)
  if (reg.type !== 'map_value') return
  const { flags, valueSize } = reg.map.spec
  const forbidden = access === 'write' ? mapFlags.rdonly_prog : mapFlags.wronly_prog
  if (!(flags & forbidden)) return
  const what = access === 'write' ? 'write into' : 'read from'
  env.reject('EACCES', `${what} map forbidden, value_size=${valueSize} off=${offset} size=${size}`)
}

/** The bytes lie inside the value and touch no special field. */
export function checkMapValue(env: Env, n: number, offset: number, size: number, options?: RegionOptions): void {
  const reg = env.reg(n)
  if (reg.type !== 'map_value') return
  checkRegion(env, n, offset, size, reg.map.spec.valueSize, options)
  const low = reg.value.smin + BigInt(offset)
  const high = reg.value.umax + BigInt(offset + size)
  for (const field of reg.map.fields) {
    const start = BigInt(field.offset)
    if (low >= start + BigInt(field.size) || start >= high) continue
    if (isKernelPointer(field.kind)) env.unsupported('kernel pointers in map values')
    env.reject('EACCES', `${field.kind} cannot be accessed directly by load/store`)
  }
}

function isKernelPointer(kind: string): boolean {
  return kind.includes('kptr') || kind === 'uptr'
}

/** What a load of `size` bytes at a known place of a map gives, where the map's bytes cannot change. */
export function constantLoad(reg: MapValueReg, offset: number, size: number, signed: boolean): Reg | undefined {
  const bytes = constantBytes(reg.map)
  if (!bytes || reg.value.tnum.mask !== 0n) return undefined
  const at = offset + Number(reg.value.smin)
  if (at < 0 || at + size > bytes.length) return undefined
  let value = 0n
  for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[at + i] ?? 0)
  return constantReg(signed ? BigInt.asIntN(size * 8, value) : value)
}

function constantBytes(map: MapView): Uint8Array | undefined {
  return map.spec.flags & mapFlags.rdonly_prog ? map.constantBytes : undefined
}
