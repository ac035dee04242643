/** The 16 KiB that the ten programs of `programs/` read: those of the benchmarks. */
export { programInput } from '../../src/bench/input.js'
