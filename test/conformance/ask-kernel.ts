/**
 * What the running kernel makes of a vector. A test run gives 32 bits of R0, and its context is not the vector's memory; so
 * the vector becomes a function behind a small entry that lays the memory on its stack, calls it, and returns one half of
 * the result.
 */
import { closeSync } from 'node:fs'
import { assemble, encode } from '../../src/isa/index.js'
import { testRun, tryLoadProgram } from '../../src/linux/index.js'
import { programTypes } from '../../src/uapi/index.js'
import type { Vector } from './vectors.js'

function entry(vector: Vector, half: 'low' | 'high'): string {
  const { mem } = vector
  const size = mem ? Math.ceil(mem.length / 8) * 8 : 0
  const bytes = [...(mem ?? [])].map((byte, index) => `*(u8 *)(r10 -${size - index}) = ${byte}`)
  return [
    ...bytes,
    mem ? 'r1 = r10' : 'r1 = 0',
    mem ? `r1 += -${size}` : 'r1 = 0',
    `r2 = ${mem?.length ?? 0}`,
    'call vector',
    half === 'high' ? 'r0 >>= 32' : 'r0 = r0',
    'exit',
    'vector:',
    vector.text,
  ].join('\n')
}

function runHalf(vector: Vector, half: 'low' | 'high'): number | string {
  const insns = encode(assemble(entry(vector, half)))
  const { result, log } = tryLoadProgram({ type: programTypes.xdp, insns, license: 'GPL', logLevel: 1 })
  if (result < 0) {
    const lines = log.trimEnd().split('\n')
    return lines.filter((line) => !line.startsWith('processed ')).at(-1) ?? ''
  }
  try {
    return testRun(result, programTypes.xdp, { data: new Uint8Array(64) }, vector.name).retval
  } finally {
    closeSync(result)
  }
}

/** R0 in hexadecimal, or `refused: ` and the kernel's last line. */
export function askKernel(vector: Vector): string {
  const low = runHalf(vector, 'low')
  const high = runHalf(vector, 'high')
  if (typeof low === 'string' || typeof high === 'string') return `refused: ${low}`
  return `0x${((BigInt(high) << 32n) | BigInt(low)).toString(16)}`
}
