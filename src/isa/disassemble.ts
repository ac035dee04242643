/**
 * Instructions as text, in the syntax of the kernel's verifier log and of `bpftool prog dump xlated` (checked against
 * Linux 6.18). Malformed instructions print as the kernel prints them (`le8`, `BUG_db`), since the log shows an
 * instruction before it says what is wrong with it.
 *
 * Three forms are ours, for what the kernel never shows because it replaces or refuses it: `map[fd:3]` and its kin for
 * unresolved immediate loads, `kernel-function@2#99` for a kfunc of a module, and `callx r1`.
 */
import { helperIds } from '../uapi/index.js'
import type { Insn } from './insn.js'
import { callxRegister, isWide, type Kind, type OpcodeRow, opcode, opcodes, pseudoCall, pseudoLoad } from './opcodes.js'

/** How a printer names what an instruction refers to. A callback that gives `undefined` leaves the default. */
export interface Names {
  /** The text after `call `: `bpf_wq_init#66103`, `pc+3`. */
  call?: (insn: Insn, index: number) => string | undefined
  /** The text after `rN = ` of a 64-bit immediate load: `0xffff888101234000`, `map[id:3]`. */
  imm64?: (insn: Insn, upper: Insn, index: number) => string | undefined
}

const helperNames = new Map<number, string>(Object.entries(helperIds).map(([name, id]) => [id, name]))

/** The opcode byte as two hexadecimal digits. */
function hex(code: number): string {
  return code.toString(16).padStart(2, '0')
}

/** A number with its sign, as `%+d`. */
export function signed(value: number): string {
  return value < 0 ? `${value}` : `+${value}`
}

function register(row: OpcodeRow, index: number): string {
  return `${row.width === 32 ? 'w' : 'r'}${index}`
}

/** `0x...` of a 64-bit value in two halves. */
function hex64(low: number, high: number): string {
  const text = (low >>> 0).toString(16)
  return high ? `0x${(high >>> 0).toString(16)}${text.padStart(8, '0')}` : `0x${text}`
}

/** How unresolved 64-bit immediates print, by pseudo source. */
const imm64Forms: Record<number, (imm: number, next: number) => string> = {
  [pseudoLoad.mapFd]: (imm) => `map[fd:${imm}]`,
  [pseudoLoad.mapValue]: (imm, next) => `map[fd:${imm}][0]+${next >>> 0}`,
  [pseudoLoad.btfId]: (imm, next) => (next ? `btf_id[${imm >>> 0}]@${next}` : `btf_id[${imm >>> 0}]`),
  [pseudoLoad.func]: (imm) => `subprog[${signed(imm)}]`,
  [pseudoLoad.mapIdx]: (imm) => `map[idx:${imm >>> 0}]`,
  [pseudoLoad.mapIdxValue]: (imm, next) => `map[idx:${imm >>> 0}]+${next >>> 0}`,
}

function callTarget(insn: Insn): string {
  if (insn.src === pseudoCall.local) return `pc${signed(insn.imm)}`
  if (insn.src !== pseudoCall.kfunc) return `${helperNames.get(insn.imm) ?? 'unknown'}#${insn.imm}`
  return insn.off ? `kernel-function@${insn.off}#${insn.imm}` : `kernel-function#${insn.imm}`
}

function aluText(row: OpcodeRow, insn: Insn): string {
  const dst = register(row, insn.dst)
  const src = register(row, insn.src)
  if (row.op === 'neg') return `${dst} = -${dst}`
  if (row.op === 'movsx') return `${dst} = ${row.symbol}${src}`
  if (row.op === 'addr_space_cast') return `${dst} = addr_space_cast(${src}, ${insn.imm >>> 16}, ${insn.imm & 0xffff})`
  if (insn.code === 0xbf && insn.off === -1) return `${dst} = &(void __percpu *)(${src})`
  return `${dst} ${row.symbol} ${row.source === 'reg' ? src : insn.imm}`
}

function atomicText(row: OpcodeRow, insn: Insn): string {
  const size = `u${row.size * 8}`
  const inner = row.op === 'load_acquire' ? insn.src : insn.dst
  const place = `(${size} *)(r${inner} ${signed(insn.off)})`
  if (row.op === 'load_acquire') return `r${insn.dst} = load_acquire(${place})`
  if (row.op === 'store_release') return `store_release(${place}, r${insn.src})`
  if (row.symbol.endsWith('=')) return `lock *${place} ${row.symbol} r${insn.src}`
  const name = `${row.size === 8 ? 'atomic64' : 'atomic'}_${row.symbol}`
  if (row.op === 'atomic_cmpxchg') return `r0 = ${name}(${place}, r0, r${insn.src})`
  return `r${insn.src} = ${name}(${place}, r${insn.src})`
}

/** Text of one instruction, by kind, without the opcode byte. */
const forms: Record<
  Kind,
  (row: OpcodeRow, insn: Insn, upper: Insn | undefined, index: number, names: Names) => string
> = {
  alu: aluText,
  end: (row, insn) => `r${insn.dst} = ${row.op}${insn.imm} r${insn.dst}`,
  if: (row, insn) => {
    const right = row.source === 'reg' ? register(row, insn.src) : `0x${(insn.imm >>> 0).toString(16)}`
    return `if ${register(row, insn.dst)} ${row.symbol} ${right} goto pc${signed(insn.off)}`
  },
  goto: (row, insn) => `${row.symbol} pc${signed(row.op === 'gotol' ? insn.imm : insn.off)}`,
  call: (row, insn, _, index, names) =>
    row.op === 'callx' ? `callx r${callxRegister(insn)}` : `call ${names.call?.(insn, index) ?? callTarget(insn)}`,
  exit: () => 'exit',
  load: (row, insn) => `r${insn.dst} = *(${row.symbol} *)(r${insn.src} ${signed(insn.off)})`,
  store: (row, insn) =>
    `*(${row.symbol} *)(r${insn.dst} ${signed(insn.off)}) = ${row.source === 'reg' ? `r${insn.src}` : insn.imm}`,
  atomic: atomicText,
  imm64: (_, insn, upper, index, names) => {
    const next = upper ?? { code: 0, dst: 0, src: 0, off: 0, imm: 0 }
    const named = names.imm64?.(insn, next, index)
    return `r${insn.dst} = ${named ?? imm64Forms[insn.src]?.(insn.imm, next.imm) ?? hex64(insn.imm, next.imm)}`
  },
  packet: (row, insn) =>
    `r0 = *(${row.symbol} *)skb[${row.source === 'reg' ? `r${insn.src} + ${insn.imm}` : insn.imm}]`,
}

/** Rows by opcode byte for printing what `opcode` does not know: a selector that fits no row prints as the plain one. */
function lenientRow(insn: Insn): OpcodeRow | undefined {
  const exact = opcode(insn)
  if (exact) return exact
  if ((insn.code & 0xe7) === 0xc3) {
    const wide = opcode({ ...insn, code: 0xdb })
    return wide && { ...wide, size: (insn.code & 0x18) === 0x10 ? 1 : 2 }
  }
  return opcodes.find((row) => row.code === insn.code && row.kind !== 'atomic' && row.op !== 'movsx')
}

/** Text of the instruction at `index`, with its opcode byte: `(b7) r0 = 0`. Never throws on malformed instructions. */
export function disassembleInsn(insns: readonly Insn[], index: number, names: Names = {}): string {
  const insn = insns[index]
  if (!insn) return ''
  const row = lenientRow(insn)
  const upper = insns[index + 1]
  if (!row || (row.kind === 'imm64' && upper?.code !== 0)) {
    const kind = (['ld_', 'ldx_', 'st_', '', 'alu_', 'jmp_', 'jmp_', 'alu_'] as const)[insn.code & 7] ?? ''
    return `BUG_${kind}${hex(insn.code)}`
  }
  return `(${hex(insn.code)}) ${forms[row.kind](row, insn, upper, index, names)}`
}

/** A whole program, a line an instruction, each with the index of its slot: `0: (b7) r0 = 0`. */
export function disassemble(insns: readonly Insn[], names: Names = {}): string {
  const lines: string[] = []
  for (let index = 0; index < insns.length; index++) {
    lines.push(`${index}: ${disassembleInsn(insns, index, names)}`)
    const insn = insns[index]
    if (insn && isWide(insn) && insns[index + 1]?.code === 0) index++
  }
  return lines.map((line) => `${line}\n`).join('')
}
