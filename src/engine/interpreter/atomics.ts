/**
 * Atomic read-modify-write instructions. One thread runs a machine and an instruction is never interrupted, so plain loads
 * and stores are atomic here. `imm` is the kernel's: 0x01 fetches the old value, 0xe1 exchanges, 0xf1 compares with R0 and
 * exchanges; else the upper four bits name the operation as they do in an ALU opcode (0x00 add, 0x40 or, 0x50 and, 0xa0 xor).
 */

/** imm bit: the register operand receives the old value. */
const FETCH = 0x01
const CMPXCHG = 0xf1

function combine(imm: number, old: number, operand: number): number {
  switch (imm & 0xf0) {
    case 0x40:
      return old | operand
    case 0x50:
      return old & operand
    case 0xa0:
      return old ^ operand
    case 0xe0:
      return operand
    default:
      return (old + operand) | 0
  }
}

/** 32 bits at `words[at]`. `s` is the index of the operand register, `r0` that of R0. A fetched value is zero-extended. */
export function atomic32(words: Int32Array, at: number, s: number, r0: number, imm: number): void {
  const old = words[at] as number
  const operand = words[s] as number
  if (imm === CMPXCHG) {
    if (old === words[r0]) words[at] = operand
    words[r0] = old
    words[r0 + 1] = 0
    return
  }
  words[at] = combine(imm, old, operand)
  if (imm & FETCH) {
    words[s] = old
    words[s + 1] = 0
  }
}

/** 64 bits at `words[at]`, as `atomic32`. */
export function atomic64(words: Int32Array, at: number, s: number, r0: number, imm: number): void {
  const low = words[at] as number
  const high = words[at + 1] as number
  const sl = words[s] as number
  const sh = words[s + 1] as number
  if (imm === CMPXCHG) {
    if (low === words[r0] && high === words[r0 + 1]) {
      words[at] = sl
      words[at + 1] = sh
    }
    words[r0] = low
    words[r0 + 1] = high
    return
  }
  const sum = combine(imm, low, sl)
  const carry = (imm & 0xf0) === 0 && sum >>> 0 < low >>> 0 ? 1 : 0
  words[at] = sum
  words[at + 1] = (combine(imm, high, sh) + carry) | 0
  if (imm & FETCH) {
    words[s] = low
    words[s + 1] = high
  }
}
