/**
 * Arbitrary programs with arbitrary control flow, for comparing engines: blocks that jump anywhere (so that loops overlap and
 * have several ways in), subprograms, callbacks of bpf_loop, calls by pointer, stack, atomics, may_goto, map helpers. Every
 * block of a function pays from R9, so that each run ends; every register that is read has been written, as the verifier
 * demands.
 */
import { type Insn, type OpcodeRow, opcodes, pseudoCall, pseudoLoad } from '../../src/isa/index.js'
import type { Random } from './mutate.js'

/** A program for an engine; helpers by instruction index. */
export interface FlowProgram {
  readonly insns: Insn[]
  readonly functions: { name: string; start: number }[]
  /** Names of helpers. */
  readonly calls: Map<number, string>
}

/** Addresses of maps that programs may use, all with keys of 4 and values of 16 bytes, and how many entries they have. */
export interface FlowMaps {
  readonly addresses: readonly number[]
  readonly entries: number
}

/** Bytes of a frame that are initialised and used. */
const STACK = 64
const FUEL = 9

const find = (op: string, width: number, source: string): OpcodeRow => {
  const row = opcodes.find((each) => each.op === op && each.width === width && each.source === source)
  if (!row) throw new Error(`there is no ${op} ${width} ${source}`)
  return row
}
const rowsOf = (...kinds: string[]): OpcodeRow[] =>
  opcodes.filter(({ kind, op }) => kinds.includes(kind) && op !== 'addr_space_cast')
const arithmetic = rowsOf('alu', 'end')
const jumps = rowsOf('if')
const atomics = rowsOf('atomic')
const memory = rowsOf('load', 'store')
const movImm = find('mov', 64, 'imm')
const movReg = find('mov', 64, 'reg')
const addImm = find('add', 64, 'imm')

interface Piece {
  readonly insn: Insn
  /** Label that `off` or `imm` is to reach. */
  readonly target?: { readonly label: string; readonly field: 'off' | 'imm' }
  readonly helper?: string
}

function insnOf(row: OpcodeRow, fields: Partial<Insn>): Insn {
  const insn = { code: row.code, dst: 0, src: 0, off: 0, imm: 0, ...fields }
  if (row.selector) insn[row.selector.field] = row.selector.value
  return insn
}

/** Functions that bpf_loop may call: they get R1 and R2 only. */
const isCallback = (name: string): boolean => name === 'f1' || name === 'f2'

/** Writes programs; everything that it decides comes from `random`. */
export function flowProgram(random: Random, maps: FlowMaps): FlowProgram {
  const pieces: Piece[] = []
  const labels = new Map<string, number>()
  const put = (row: OpcodeRow, fields: Partial<Insn>, more: Omit<Piece, 'insn'> = {}): void => {
    pieces.push({ insn: insnOf(row, fields), ...more })
  }
  const code = (byte: number, fields: Partial<Insn>, more: Omit<Piece, 'insn'> = {}): void => {
    pieces.push({ insn: { code: byte, dst: 0, src: 0, off: 0, imm: 0, ...fields }, ...more })
  }
  const pick = <T>(list: readonly T[]): T => list[random(list.length)] as T
  const immediate = (): number =>
    pick([() => random(0xffffffff) | 0, () => random(70) - 4, () => 1 << random(32), () => -1 - random(300)])()
  const set = (dst: number, imm: number): void => put(movImm, { dst, imm })
  const wide = (dst: number, low: number, high: number): void => {
    code(0x18, { dst, imm: low })
    code(0, { imm: high })
  }
  const register = (): number => random(FUEL)
  /** A place in the frame, aligned to its size. */
  const place = (size: number): number => -STACK + random(STACK / size) * size

  function arithmeticStep(): void {
    const row = pick(arithmetic)
    put(row, {
      dst: register(),
      src: row.source === 'reg' ? register() : 0,
      imm: row.source === 'imm' ? immediate() : 0,
    })
  }

  /** What compilers write for a rotate, with something in between now and then. */
  function rotateStep(): void {
    const width = pick([32, 64])
    const by = 1 + random(width - 1)
    const [x, y] = [random(4), 4 + random(4)]
    put(find('mov', pick([width, 64]), 'reg'), { dst: y, src: x })
    put(find('lsh', width, 'imm'), { dst: y, imm: by })
    if (random(3) === 0) arithmeticStep()
    put(find('rsh', width, 'imm'), { dst: x, imm: width - by })
    put(find(pick(['or', 'xor', 'add']), width, 'reg'), { dst: y, src: x })
  }

  function memoryStep(): void {
    const row = pick(random(3) === 0 ? atomics : memory)
    const aligned = row.kind === 'atomic' ? row.size : pick([1, row.size])
    let off = place(row.kind === 'atomic' ? row.size : 8) + (aligned === 1 ? random(8 - row.size + 1) : 0)
    let base = 10
    if (random(2)) {
      base = random(4)
      put(movReg, { dst: base, src: 10 })
      const away = random(STACK)
      put(addImm, { dst: base, imm: -away })
      off += away
    }
    const isLoad = row.kind === 'load' || row.op === 'load_acquire'
    // A value that is a pointer into the frame would differ between engines' tasks; registers from 4 on never are.
    const other = 4 + random(5)
    put(
      row,
      isLoad
        ? { dst: other, src: base, off }
        : { dst: base, src: row.source === 'reg' ? other : 0, off, imm: immediate() },
    )
    if (base !== 10) set(base, immediate())
  }

  /** After a call R1 to R5 hold nothing. */
  function afterCall(): void {
    for (let dst = 1; dst <= 5; dst++) set(dst, immediate())
  }

  function callStep(callees: readonly string[]): void {
    const label = pick(callees)
    const how = random(isCallback(label) ? 3 : 2)
    if (how === 0) code(0x85, { src: pseudoCall.local }, { target: { label, field: 'imm' } })
    else if (how === 1) {
      const pointer = 6 + random(3)
      code(0x18, { dst: pointer, src: pseudoLoad.func }, { target: { label, field: 'imm' } })
      code(0, {})
      code(0x8d, { dst: pointer })
      set(pointer, immediate())
    } else {
      set(1, random(5))
      code(0x18, { dst: 2, src: pseudoLoad.func }, { target: { label, field: 'imm' } })
      code(0, {})
      put(movReg, { dst: 3, src: 6 })
      set(4, random(12) === 0 ? 1 : 0)
      code(0x85, {}, { helper: 'bpf_loop' })
    }
    afterCall()
  }

  function mapStep(label: string): void {
    const map = pick(maps.addresses)
    const [key, value] = [-8, -24]
    put(find('st', 64, 'imm'), { dst: 10, off: key, imm: random(maps.entries + 2) })
    wide(1, map, 0)
    put(movReg, { dst: 2, src: 10 })
    put(addImm, { dst: 2, imm: key })
    const what = random(4)
    if (what === 0) {
      code(0x85, {}, { helper: 'bpf_map_delete_elem' })
    } else if (what === 1) {
      put(movReg, { dst: 3, src: 10 })
      put(addImm, { dst: 3, imm: value })
      set(4, pick([0, 0, 1, 2, 3]))
      code(0x85, {}, { helper: 'bpf_map_update_elem' })
    } else {
      code(0x85, {}, { helper: 'bpf_map_lookup_elem' })
      put(find('jeq', 64, 'imm'), { dst: 0, imm: 0 }, { target: { label, field: 'off' } })
      const row = pick(atomics.filter(({ op }) => op !== 'atomic_cmpxchg'))
      put(row, row.op === 'load_acquire' ? { dst: 7, src: 0 } : { dst: 0, src: 7, off: row.size })
      set(0, immediate())
      labels.set(label, pieces.length)
      // Where the element was not found R0 is 0 already.
    }
    afterCall()
  }

  /** What compilers write for a switch: comparisons of one register, some of them to halve the cases. */
  function switchOn(dst: number, to: () => string): void {
    if (random(3)) put(find('and', 32, 'imm'), { dst, imm: 15 })
    for (let left = 4 + random(6); left > 0; left--) {
      const row = find(pick(['jeq', 'jeq', 'jeq', 'jsgt', 'jlt', 'jne']), 32, 'imm')
      put(row, { dst, imm: random(16) - 1 }, { target: { label: to(), field: 'off' } })
    }
  }

  function functionOf(name: string, callees: readonly string[]): void {
    labels.set(name, pieces.length)
    const isMain = name === 'main'
    const blocks = 1 + random(isMain ? 12 : 5)
    for (const dst of [0, 6, 7, 8]) wide(dst, immediate(), random(3) === 0 ? immediate() : 0)
    const unset = isMain ? [1, 2, 3, 4, 5] : isCallback(name) ? [3, 4, 5] : []
    for (const dst of unset) wide(dst, immediate(), random(3) === 0 ? immediate() : 0)
    for (let at = 8; at <= STACK; at += 8)
      put(find('st', 64, 'imm'), { code: 0x7a, dst: 10, off: -at, imm: immediate() })
    set(FUEL, isMain ? 4 + random(40) : 1 + random(6))
    for (let block = 0; block < blocks; block++) {
      labels.set(`${name} ${block}`, pieces.length)
      put(addImm, { dst: FUEL, imm: -1 })
      put(find('jslt', 64, 'imm'), { dst: FUEL, imm: 0 }, { target: { label: `${name} end`, field: 'off' } })
      for (let left = random(8); left > 0; left--) {
        const kind = random(16)
        if (kind < 8) arithmeticStep()
        else if (kind < 9) rotateStep()
        else if (kind < 14) memoryStep()
        else if (kind < 15 && callees.length > 0) callStep(callees)
        else if (maps.addresses.length > 0) mapStep(`${name} ${block} ${left} missing`)
      }
      const to = (): string => `${name} ${random(blocks)}`
      for (let left = random(3); left > 0; left--) {
        if (random(20) === 0) {
          code(0xe5, {}, { target: { label: to(), field: 'off' } })
          continue
        }
        const row = pick(jumps)
        const operand = row.source === 'reg' ? { src: register() } : { imm: immediate() }
        put(row, { dst: register(), ...operand }, { target: { label: to(), field: 'off' } })
      }
      if (random(6) === 0) switchOn(register(), to)
      if (random(3) === 0) code(0x05, {}, { target: { label: to(), field: 'off' } })
    }
    labels.set(`${name} end`, pieces.length)
    for (const src of isMain ? [1, 2, 3, 4, 5, 6, 7, 8] : [6, 7, 8]) {
      put(find('mul', 64, 'imm'), { dst: 0, imm: 31 })
      put(find('xor', 64, 'reg'), { dst: 0, src })
    }
    if (random(4) === 0) put(find('mov', 32, 'reg'), { dst: 0, src: 0 })
    if (!isMain && random(2)) put(find('and', 64, 'imm'), { dst: 0, imm: 1 })
    code(0x95, {})
  }

  const count = random(4)
  // Later functions are called by earlier ones: no circles.
  const names = ['main', ...Array.from({ length: count }, (_, index) => `f${index}`)]
  names.forEach((name, index) => {
    functionOf(name, names.slice(index + 1))
  })

  const insns = pieces.map(({ insn, target }, at): Insn => {
    if (!target) return insn
    return { ...insn, [target.field]: (labels.get(target.label) ?? 0) - at - 1 }
  })
  return {
    insns,
    functions: names.map((name) => ({ name, start: labels.get(name) ?? 0 })),
    calls: new Map(pieces.flatMap(({ helper }, at) => (helper ? [[at, helper] as const] : []))),
  }
}
