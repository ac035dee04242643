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

const scratch = [0, 1, 2, 3, 4, 5, 8, 9] as const
const swaps = [16, 32, 64]

/** A random step over scalars in `scratch` registers; jumps go forward over at most three steps. */
function step(random: Random): Insn[] {
  const dst = one(scratch, random)
  const src = one(scratch, random)
  const imm = one(numbers, random)
  const none = { dst: 0, src: 0, off: 0, imm: 0 }
  const kind = random(20)
  if (kind < 9) {
    const code = one([4, 7], random) | one(alu, random)
    const isShift = [0x60, 0x70, 0xc0].includes(code & 0xf0)
    const width = (code & 7) === 7 ? 64 : 32
    const isDivision = [0x30, 0x90].includes(code & 0xf0)
    const number = isShift ? random(width) : isDivision && imm === 0 ? 1 : imm
    return [random(2) ? { ...none, code: code | 8, dst, src } : { ...none, code, dst, imm: number }]
  }
  if (kind < 15) {
    const code = one([5, 6], random) | one([...jump, 0x40], random)
    const off = 1 + random(3)
    return [random(2) ? { ...none, code: code | 8, dst, src, off } : { ...none, code, dst, off, imm }]
  }
  if (kind === 15) return [{ ...none, code: one([0x84, 0x87], random), dst }]
  if (kind === 16) return [{ ...none, code: one([0xd4, 0xdc, 0xd7], random), dst, imm: one(swaps, random) }]
  if (kind === 17) {
    const code = one([0xbc, 0xbf], random)
    return [{ ...none, code, dst, src, off: one(code === 0xbf ? [8, 16, 32] : [8, 16], random) }]
  }
  const off = -8 * (1 + random(3))
  if (kind === 18) return [{ ...none, code: 0x63 | one(sizes, random), dst: 10, src, off }]
  return [{ ...none, code: one([0x61, 0x69, 0x71, 0x79, 0x81, 0x89, 0x91], random), dst, src: 10, off }]
}

/** A program of type socket_filter that does nothing but arithmetic on numbers, some known and some not. */
export function arithmetic(random: Random): ProgramSpec {
  const none = { dst: 0, src: 0, off: 0, imm: 0 }
  const insns: Insn[] = []
  for (const dst of scratch.slice(1)) {
    if (random(2)) insns.push({ ...none, code: 0xb7, dst, imm: one(numbers, random) })
    else
      insns.push(
        { ...none, code: call, imm: 7 },
        { ...none, code: 0xbf, dst: 8, src: 0 },
        { ...none, code: 0xbf, dst, src: 0 },
      )
  }
  // Calls forget R1 to R5, so what they held is given to them again.
  for (const dst of [1, 2, 3, 4, 5])
    insns.push({ ...none, code: random(2) ? 0xbf : 0xbc, dst, src: one([8, 9], random) })
  for (let steps = 4 + random(16); steps > 0; steps--) insns.push(...step(random))
  for (let i = 0; i < 3; i++) insns.push({ ...none, code: 0xb7 })
  insns.push({ ...none, code: exit })
  return {
    ...{ name: 'arithmetic', section: 'socket', type: 'socket_filter', attachType: undefined, attachTo: undefined },
    ...{ sleepable: false, flags: 0, autoload: true, insns, references: new Map(), lines: [], coreRelocations: [] },
    functions: [{ name: 'arithmetic', start: 0, typeId: 0 }],
  }
}
