/**
 * Damages programs instead of files: an operand, an offset, an opcode, a whole instruction here and there, so that what comes
 * out is still worth a verifier's while. References to maps and functions stay, and calls only move between helpers that
 * cannot hurt a kernel, for these programs are also shown to a real one.
 */
import type { Insn } from '../../src/isa/index.js'
import type { ProgramSpec } from '../../src/object/index.js'
import type { Random } from './mutate.js'

const alu = [0x00, 0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0x90, 0xa0, 0xb0, 0xc0]
const jump = [0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0xa0, 0xb0, 0xc0, 0xd0]
const sizes = [0x00, 0x08, 0x10, 0x18]
const small = [0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 47, 48, 63, 64, 100, 127, 128, 255, 256]
const numbers = [...small, -1, -2, -8, -16, -64, 0xffff, 0x10000, 0x7fffffff, -0x80000000]
/** Lookup, update and delete; time; random. What bpf_get_smp_processor_id may return depends on the machine. */
const helpers = [1, 2, 3, 5, 7]
const wideLoad = 0x18
const call = 0x85
const exit = 0x95

function one<T>(list: readonly T[], random: Random): T {
  return list[random(list.length)] as T
}

function register(random: Random): number {
  return random(12) === 0 ? 10 : random(10)
}

/** Sign-extends to the 16 bits that an offset has. */
function offset(value: number): number {
  return (value << 16) >> 16
}

const isAlu = ({ code }: Insn): boolean => (code & 7) === 4 || (code & 7) === 7
const isJump = ({ code }: Insn): boolean => ((code & 7) === 5 || (code & 7) === 6) && code !== call && code !== exit
const isMemory = ({ code }: Insn): boolean => (code & 7) >= 1 && (code & 7) <= 3
const readsSource = ({ code }: Insn): boolean =>
  (code & 7) === 1 || (code & 7) === 3 || ((code & 7) > 3 && (code & 8) !== 0)

/** Changes the instruction; `false` where this change makes no sense for it. */
type Change = (insn: Insn, random: Random, all: readonly Insn[]) => boolean

const changes: readonly Change[] = [
  (insn, random) => {
    insn.dst = register(random)
    return true
  },
  (insn, random) => {
    if (!readsSource(insn)) return false
    insn.src = register(random)
    return true
  },
  (insn, random) => {
    if (readsSource(insn)) return false
    insn.imm = one(numbers, random)
    return true
  },
  (insn, random) => {
    if (!isMemory(insn) && !isJump(insn)) return false
    insn.off = offset(insn.off + (isMemory(insn) ? random(33) - 16 : random(7) - 3))
    return true
  },
  (insn, random) => {
    if (isAlu(insn)) {
      insn.code = one([4, 7], random) | (insn.code & 8) | one(alu, random)
      insn.off = 0
    } else if (isJump(insn) && insn.code !== 0x05) insn.code = one([5, 6], random) | (insn.code & 8) | one(jump, random)
    else if (isMemory(insn) && (insn.code & 0xe0) === 0x60) insn.code = (insn.code & 0xe7) | one(sizes, random)
    else return false
    return true
  },
  // The other form of an operation: register instead of number, number instead of register.
  (insn, random) => {
    if (!isAlu(insn) || (insn.code & 0xf0) >= 0xd0 || (insn.code & 0xf0) === 0x80) return false
    Object.assign(insn, { code: insn.code ^ 8, src: 0, off: 0, imm: 0 })
    if (readsSource(insn)) insn.src = register(random)
    else insn.imm = one(numbers, random)
    return true
  },
  (insn, random, all) => {
    const other = one(all, random)
    if (other.code === 0 || other.code === wideLoad || other.code === call) return false
    Object.assign(insn, other)
    return true
  },
]

/** A damaged copy, one to three instructions changed. It claims no debug information, which might no longer fit. */
export function damage(program: ProgramSpec, random: Random): ProgramSpec {
  const insns = program.insns.map((insn) => ({ ...insn }))
  for (let wanted = 1 + random(3), tries = 0; wanted > 0 && tries < 60; tries++) {
    const at = random(insns.length)
    const insn = insns[at] as Insn
    const isFixed = program.references.has(at) || insn.code === wideLoad || insns[at - 1]?.code === wideLoad
    if (isFixed) continue
    if (insn.code === call) {
      if (insn.src !== 0 || !helpers.includes(insn.imm) || random(4) > 0) continue
      insn.imm = one(helpers, random)
    } else if ((insn.code === exit && random(3) > 0) || !one(changes, random)(insn, random, insns)) continue
    wanted--
  }
  const functions = program.functions.map((each) => ({ ...each, typeId: 0 }))
  return { ...program, insns, functions, lines: [], coreRelocations: [] }
}
