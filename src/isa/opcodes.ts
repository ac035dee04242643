/**
 * The one opcode table. Each row is one operation: an opcode byte plus, where the byte alone does not decide, the value of
 * the field that does (`off` for sdiv, smod, movsx and addr_space_cast; `imm` for byte swaps and atomics). Decoding,
 * printing, assembling, running, compiling and verifying all read these rows, so that a new instruction is one new row.
 *
 * Numbers and meanings: RFC 9669 and include/uapi/linux/bpf.h of Linux 6.18.
 */
import type { Insn } from './insn.js'

/** The lowest three bits of an opcode byte, in order. */
export const insnClasses = ['ld', 'ldx', 'st', 'stx', 'alu', 'jmp', 'jmp32', 'alu64'] as const
/** Instruction class. */
export type InsnClass = (typeof insnClasses)[number]

/** Groups of operations that have the same shape (operands, syntax). */
export type Kind = 'alu' | 'end' | 'if' | 'goto' | 'call' | 'exit' | 'load' | 'store' | 'atomic' | 'imm64' | 'packet'

/** ALU operations in the order of their opcode bits, with the operator that the kernel prints. */
const alu = [
  ['add', '+='],
  ['sub', '-='],
  ['mul', '*='],
  ['div', '/='],
  ['or', '|='],
  ['and', '&='],
  ['lsh', '<<='],
  ['rsh', '>>='],
  ['neg', '-'],
  ['mod', '%='],
  ['xor', '^='],
  ['mov', '='],
  ['arsh', 's>>='],
] as const

/** Conditional jumps: operation, opcode bits, operator, and the version of the instruction set that brought them. */
const jumps = [
  ['jeq', 0x10, '==', 1],
  ['jgt', 0x20, '>', 1],
  ['jge', 0x30, '>=', 1],
  ['jset', 0x40, '&', 1],
  ['jne', 0x50, '!=', 1],
  ['jsgt', 0x60, 's>', 1],
  ['jsge', 0x70, 's>=', 1],
  ['jlt', 0xa0, '<', 2],
  ['jle', 0xb0, '<=', 2],
  ['jslt', 0xc0, 's<', 2],
  ['jsle', 0xd0, 's<=', 2],
] as const

/** Atomic read-modify-write operations: operation, `imm`, operator or name as the kernel prints it, version. */
const atomics = [
  ['atomic_add', 0x00, '+=', 1],
  ['atomic_or', 0x40, '|=', 3],
  ['atomic_and', 0x50, '&=', 3],
  ['atomic_xor', 0xa0, '^=', 3],
  ['atomic_fetch_add', 0x01, 'fetch_add', 3],
  ['atomic_fetch_or', 0x41, 'fetch_or', 3],
  ['atomic_fetch_and', 0x51, 'fetch_and', 3],
  ['atomic_fetch_xor', 0xa1, 'fetch_xor', 3],
  ['atomic_xchg', 0xe1, 'xchg', 3],
  ['atomic_cmpxchg', 0xf1, 'cmpxchg', 3],
] as const

/** What an instruction does, whatever its width, operand source and size. */
export type Operation =
  | (typeof alu)[number][0]
  | (typeof jumps)[number][0]
  | (typeof atomics)[number][0]
  | 'sdiv'
  | 'smod'
  | 'movsx'
  | 'addr_space_cast'
  | 'le'
  | 'be'
  | 'bswap'
  | 'ja'
  | 'gotol'
  | 'may_goto'
  | 'call'
  | 'callx'
  | 'exit'
  | 'ldx'
  | 'ldsx'
  | 'st'
  | 'stx'
  | 'load_acquire'
  | 'store_release'
  | 'ld_imm64'
  | 'ld_abs'
  | 'ld_ind'

/** A field of an instruction. */
export type Field = 'dst' | 'src' | 'off' | 'imm'

/** One row of the opcode table. */
export interface OpcodeRow {
  /** Position in {@link opcodes}: small and dense, for jump tables. Not stable between versions of Workerbee. */
  readonly id: number
  /** The opcode byte. */
  readonly code: number
  /** The field that this row needs beyond the byte, and its value; absent where the byte decides alone. */
  readonly selector?: { readonly field: 'off' | 'imm'; readonly value: number }
  readonly class: InsnClass
  readonly kind: Kind
  readonly op: Operation
  /** Width of the operation in bits: 32 where only the lower half of registers takes part. */
  readonly width: 32 | 64
  /** Where the second operand comes from; `none` where there is none. */
  readonly source: 'imm' | 'reg' | 'none'
  /** Bytes accessed in memory, or for `end` rows and movsx the bytes of the operand that count; 0 elsewhere. */
  readonly size: 0 | 1 | 2 | 4 | 8
  /**
   * The lowest `-mcpu=vN` under which LLVM emits it. may_goto, addr_space_cast, load_acquire and store_release count
   * as 4.
   */
  readonly cpu: 1 | 2 | 3 | 4
  /** The kernel's operator or name: `+=`, `s>`, `be16`, `fetch_add`; empty where the syntax has none. */
  readonly symbol: string
  /** Fields without a meaning here: zero in a well-formed instruction ("uses reserved fields" in the verifier). */
  readonly reserved: readonly Field[]
}

type RowData = Omit<OpcodeRow, 'id' | 'class'>

/** BPF_K and BPF_X variants of one row: the operand is `imm` or `src`. */
function bothSources(row: Omit<RowData, 'source' | 'reserved'>, reserved: readonly Field[] = []): RowData[] {
  return [
    { ...row, source: 'imm', reserved: ['src', ...reserved] },
    { ...row, code: row.code | 0x08, source: 'reg', reserved: ['imm', ...reserved] },
  ]
}

function aluRows(): RowData[] {
  return ([64, 32] as const).flatMap((width) =>
    alu.flatMap(([op, symbol], index): RowData[] => {
      const code = (index << 4) | (width === 64 ? 0x07 : 0x04)
      const cpu = width === 64 ? 1 : 3
      const base = { code, kind: 'alu', op, width, size: 0, cpu, symbol } as const
      if (op === 'neg') return [{ ...base, source: 'none', reserved: ['src', 'off', 'imm'] }]
      const signed = { field: 'off', value: 1 } as const
      const plain = { field: 'off', value: 0 } as const
      if (op === 'div' || op === 'mod') {
        const twin = { ...base, op: op === 'div' ? 'sdiv' : 'smod', symbol: `s${symbol}`, cpu: 4 } as const
        return [...bothSources({ ...base, selector: plain }), ...bothSources({ ...twin, selector: signed })]
      }
      if (op !== 'mov') return bothSources(base, ['off'])
      const mov = bothSources(base, ['off']).map((row) => (row.source === 'reg' ? { ...row, selector: plain } : row))
      const sizes = width === 64 ? ([1, 2, 4] as const) : ([1, 2] as const)
      return [
        ...mov.map((row) => ({
          ...row,
          reserved: row.reserved.filter((field) => row.source === 'imm' || field !== 'off'),
        })),
        ...sizes.map(
          (size): RowData => ({
            ...base,
            code: code | 0x08,
            op: 'movsx',
            source: 'reg',
            size,
            cpu: 4,
            symbol: `(s${size * 8})`,
            selector: { field: 'off', value: size * 8 },
            reserved: ['imm'],
          }),
        ),
      ]
    }),
  )
}

const castRow: RowData = {
  code: 0xbf,
  kind: 'alu',
  op: 'addr_space_cast',
  width: 64,
  source: 'reg',
  size: 0,
  cpu: 4,
  symbol: 'addr_space_cast',
  selector: { field: 'off', value: 1 },
  reserved: [],
}

/** Byte swaps: `imm` is the operand's width in bits. */
const endRows: RowData[] = (
  [
    ['le', 0xd4, 1],
    ['be', 0xdc, 1],
    ['bswap', 0xd7, 4],
  ] as const
).flatMap(([op, code, cpu]) =>
  ([2, 4, 8] as const).map(
    (size): RowData => ({
      code,
      kind: 'end',
      op,
      width: 64,
      source: 'none',
      size,
      cpu,
      symbol: `${op}${size * 8}`,
      selector: { field: 'imm', value: size * 8 },
      reserved: ['src', 'off'],
    }),
  ),
)

const jumpRows: RowData[] = ([64, 32] as const).flatMap((width) =>
  jumps.flatMap(([op, bits, symbol, cpu]) =>
    bothSources({
      code: bits | (width === 64 ? 0x05 : 0x06),
      kind: 'if',
      op,
      width,
      size: 0,
      cpu: width === 64 ? cpu : 3,
      symbol,
    }),
  ),
)

const flow = { width: 64, source: 'imm', size: 0, cpu: 1, symbol: '' } as const
const flowRows: RowData[] = [
  { ...flow, code: 0x05, kind: 'goto', op: 'ja', symbol: 'goto', reserved: ['dst', 'src', 'imm'] },
  { ...flow, code: 0x06, kind: 'goto', op: 'gotol', symbol: 'gotol', cpu: 4, reserved: ['dst', 'src', 'off'] },
  { ...flow, code: 0xe5, kind: 'goto', op: 'may_goto', symbol: 'may_goto', cpu: 4, reserved: ['dst', 'src', 'imm'] },
  { ...flow, code: 0x85, kind: 'call', op: 'call', symbol: 'call', reserved: ['dst'] },
  { ...flow, code: 0x8d, kind: 'call', op: 'callx', symbol: 'callx', source: 'reg', reserved: ['src', 'off', 'imm'] },
  { ...flow, code: 0x95, kind: 'exit', op: 'exit', source: 'none', reserved: ['dst', 'src', 'off', 'imm'] },
]

/** Size bits of memory opcodes, by bytes. */
const sizes = [
  [4, 0x00],
  [2, 0x08],
  [1, 0x10],
  [8, 0x18],
] as const

const memory = { width: 64, symbol: '', cpu: 1 } as const
const memoryRows: RowData[] = sizes.flatMap(([size, bits]): RowData[] => {
  const unsigned = `u${size * 8}`
  const rows: RowData[] = [
    { ...memory, code: 0x61 | bits, kind: 'load', op: 'ldx', source: 'reg', size, symbol: unsigned, reserved: ['imm'] },
    { ...memory, code: 0x62 | bits, kind: 'store', op: 'st', source: 'imm', size, symbol: unsigned, reserved: ['src'] },
    {
      ...memory,
      code: 0x63 | bits,
      kind: 'store',
      op: 'stx',
      source: 'reg',
      size,
      symbol: unsigned,
      reserved: ['imm'],
    },
  ]
  const ordered = { ...memory, code: 0xc3 | bits, kind: 'atomic', source: 'reg', size, cpu: 4, reserved: [] } as const
  rows.push(
    { ...ordered, op: 'load_acquire', symbol: 'load_acquire', selector: { field: 'imm', value: 0x100 } },
    { ...ordered, op: 'store_release', symbol: 'store_release', selector: { field: 'imm', value: 0x110 } },
  )
  if (size === 8) return rows
  const packet = { ...memory, kind: 'packet', size, symbol: unsigned } as const
  rows.push(
    {
      ...memory,
      code: 0x81 | bits,
      kind: 'load',
      op: 'ldsx',
      source: 'reg',
      size,
      symbol: `s${size * 8}`,
      cpu: 4,
      reserved: ['imm'],
    },
    { ...packet, code: 0x20 | bits, op: 'ld_abs', source: 'imm', reserved: ['dst', 'src', 'off'] },
    { ...packet, code: 0x40 | bits, op: 'ld_ind', source: 'reg', reserved: ['dst', 'off'] },
  )
  return rows
})

const atomicRows: RowData[] = ([4, 8] as const).flatMap((size) =>
  atomics.map(
    ([op, imm, symbol, cpu]): RowData => ({
      code: size === 8 ? 0xdb : 0xc3,
      kind: 'atomic',
      op,
      width: size === 8 ? 64 : 32,
      source: 'reg',
      size,
      cpu,
      symbol,
      selector: { field: 'imm', value: imm },
      reserved: [],
    }),
  ),
)

const imm64Row: RowData = {
  code: 0x18,
  kind: 'imm64',
  op: 'ld_imm64',
  width: 64,
  source: 'imm',
  size: 0,
  cpu: 1,
  symbol: '',
  reserved: ['off'],
}

/** Every instruction there is: rows by `id`. */
export const opcodes: readonly OpcodeRow[] = [
  ...aluRows(),
  castRow,
  ...endRows,
  ...jumpRows,
  ...flowRows,
  ...memoryRows,
  ...atomicRows,
  imm64Row,
].map((row, id): OpcodeRow => ({ ...row, id, class: insnClasses[row.code & 7] ?? 'ld' }))

/** Rows that share an opcode byte. */
const byCode: readonly (readonly OpcodeRow[])[] = Array.from({ length: 256 }, (_, code) =>
  opcodes.filter((row) => row.code === code),
)

/** The row of an instruction; `undefined` where the kernel knows no such operation. Reserved fields are not looked at. */
export function opcode(insn: Pick<Insn, 'code' | 'off' | 'imm'>): OpcodeRow | undefined {
  for (const row of byCode[insn.code] ?? []) {
    if (!row.selector || insn[row.selector.field] === row.selector.value) return row
  }
  return undefined
}

/** Whether an instruction takes two slots (ld_imm64). */
export function isWide(insn: Pick<Insn, 'code'>): boolean {
  return insn.code === 0x18
}

/** The register that a callx calls. LLVM before 19 wrote its number into `imm` and left `dst` 0. */
export function callxRegister(insn: Pick<Insn, 'dst' | 'imm'>): number {
  return insn.dst === 0 && insn.imm > 0 && insn.imm <= 10 ? insn.imm : insn.dst
}

/** What the `src` field of ld_imm64 says about its value (BPF_PSEUDO_*). */
export const pseudoLoad = {
  /** A plain 64-bit number. */
  number: 0,
  /** `imm` is the fd of a map (BPF_PSEUDO_MAP_FD). */
  mapFd: 1,
  /** As mapFd; the second `imm` is an offset into the value of its first element (BPF_PSEUDO_MAP_VALUE). */
  mapValue: 2,
  /** `imm` is the BTF id of a kernel variable, the second `imm` a module's BTF fd (BPF_PSEUDO_BTF_ID). */
  btfId: 3,
  /** `imm` is the distance to a function, as in a call (BPF_PSEUDO_FUNC). */
  func: 4,
  /** As mapFd, `imm` being an index into the load command's fd array (BPF_PSEUDO_MAP_IDX). */
  mapIdx: 5,
  /** As mapValue, by fd array index (BPF_PSEUDO_MAP_IDX_VALUE). */
  mapIdxValue: 6,
} as const

/** What the `src` field of a call says about its target (BPF_PSEUDO_CALL, BPF_PSEUDO_KFUNC_CALL). */
export const pseudoCall = {
  /** `imm` is a helper's number. */
  helper: 0,
  /** `imm` is the distance from the next instruction to the function (BPF_PSEUDO_CALL). */
  local: 1,
  /** `imm` is the BTF id of a kernel function, `off` an fd array index of a module's BTF (BPF_PSEUDO_KFUNC_CALL). */
  kfunc: 2,
} as const
