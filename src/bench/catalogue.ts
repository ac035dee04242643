/**
 * What is measured, by name: programs that compute, and operations on maps. Their sources and objects lie in
 * `bench/programs`; what each leaves in its map `result` is compared on both sides before anything is timed.
 */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BpfError } from '../bits/index.js'
import { type ObjectSpec, parseObject } from '../object/index.js'

/** One program of one object, run on a packet that it does not look at. */
export interface Benchmark {
  readonly name: string
  /** What one operation is. */
  readonly what: string
  /** Operations of one run; figures are for one of them. */
  readonly operations: number
  /** What `result` holds after the second run (the first fills the maps). */
  readonly result: bigint
}

/** Computing: a run is one operation. Bytecode and results are those of `test/conformance/programs`. */
export const programs: readonly Benchmark[] = (
  [
    ['alu32', '32-bit xorshift, multiply and shifts, 2,000 rounds', 0x3e87a11adacfe311n],
    ['calls', 'bpf-to-bpf calls, 1,500 of them', 0x275e759b9ed29183n],
    ['divmod', '64- and 32-bit division and modulo, 256 rounds', 0xa25c3609564c7b28n],
    ['fnv1a', 'FNV-1a over 1,500 bytes', 0x4524b7acc1af238fn],
    ['memcopy', 'copies and comparisons of 3 KiB', 0x3ffn],
    ['murmur3', 'murmur3 over 1,500 bytes', 0x2c08f4cdn],
    ['pktparse', '32 packets: Ethernet, VLAN, IPv4, checksum, TCP or UDP', 0x000d130004a000a8n],
    ['sieve', 'primes below 4,096', 0x234n],
    ['siphash', 'SipHash-2-4 over 1 KiB', 0x2bade0aca72b9773n],
    ['vmswitch', 'a machine of 12 opcodes over 1 KiB', 0x5c5e5f6d65cf1f86n],
  ] as const
).map(([name, what, result]) => ({ name, what, operations: 1, result }))

/** Operations on maps. */
export const mapOperations: readonly Benchmark[] = [
  { name: 'map_array', what: 'ARRAY: lookup, read, write', operations: 1000, result: 499500n },
  { name: 'map_hash', what: 'HASH: lookup that hits', operations: 1000, result: 499500n },
  { name: 'map_replace', what: 'HASH: update of a key that exists', operations: 1000, result: 1000n },
  { name: 'map_insert_delete', what: 'HASH: insert, delete', operations: 500, result: 1000n },
  { name: 'map_update', what: 'HASH: insert, lookup, delete', operations: 500, result: 124750n },
  { name: 'map_lru', what: 'LRU_HASH: lookup that misses, update that evicts', operations: 1000, result: 0n },
]

/** The package's own directory, both from `src/` and from `dist/`. */
export const packageDirectory = resolve(fileURLToPath(new URL('../..', import.meta.url)))

/** The bytes of an object of `bench/programs`. Throws `BpfError` (`bench-missing`) where the package came without them. */
export function objectBytes(name: string): Uint8Array {
  const path = join(packageDirectory, 'bench/programs', `${name}.bpf.o`)
  try {
    return new Uint8Array(readFileSync(path))
  } catch (cause) {
    throw new BpfError('bench-missing', `cannot read ${path}`, { cause })
  }
}

/** A fresh spec of an object of `bench/programs`. */
export function objectSpec(name: string): ObjectSpec {
  return parseObject(objectBytes(name), { name: `${name}.bpf.o` })
}
