/**
 * `bpf_get_prandom_u32`: one xorshift64* generator per CPU, seeded from the machine's seed, so that a run can be repeated.
 * Linux seeds its own from the system's entropy; programs can rely on neither's values.
 */
import { type Fn, i64, type Local, routine } from '../wasm/index.js'
import { cpuBlock, machine } from './common.js'
import { CPU, MACHINE } from './layout.js'

/** One step of splitmix64: turns related seeds into unrelated numbers. */
export const mix64 = routine('mix64', ['i64'], 'i64', (f, x) => {
  f.set(x, x.add(i64(0x9e3779b97f4a7c15n)))
  f.set(x, x.xor(x.shrU(30)).mul(i64(0xbf58476d1ce4e5b9n)))
  f.set(x, x.xor(x.shrU(27)).mul(i64(0x94d049bb133111ebn)))
  return x.xor(x.shrU(31))
})

/** The next random u32 of a CPU. */
export const randomU32 = routine('random_u32', ['i32'], 'i32', (f: Fn, cpu: Local<'i32'>) => {
  const block = f.local(cpuBlock(cpu))
  const x = f.local(block.load64(CPU.random))
  f.set(x, x.xor(x.shrU(12)))
  f.set(x, x.xor(x.shl(25)))
  f.set(x, x.xor(x.shrU(27)))
  f.store64(block, CPU.random, x)
  return x.mul(i64(0x2545f4914f6cdd1dn)).high()
})

/** Seeds the generator of a CPU from the machine's seed. */
export const randomSeed = routine('random_seed', ['i32'], undefined, (f, cpu) => {
  const seed = mix64(mix64(machine.load64(MACHINE.seed)).add(cpu.wide()))
  f.store64(cpuBlock(cpu), CPU.random, seed.or(1))
})
