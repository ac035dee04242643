/**
 * 64-bit arithmetic on two signed 32-bit halves, for what does not fit one line of the main loop. Each function writes its
 * result to `words[at]` (low) and `words[at + 1]` (high): nothing is allocated, no BigInt is made (a BigInt loop was
 * measured at seven times the cost of one over int32).
 */

/** Upper half of the 64-bit product of two unsigned 32-bit numbers. */
function highProduct(a: number, b: number): number {
  const a0 = a & 0xffff
  const a1 = a >>> 16
  const b0 = b & 0xffff
  const b1 = b >>> 16
  const low = Math.imul(a0, b0)
  const middle = (Math.imul(a1, b0) + (low >>> 16)) | 0
  const middle2 = (Math.imul(a0, b1) + (middle & 0xffff)) | 0
  return (Math.imul(a1, b1) + (middle >>> 16) + (middle2 >>> 16)) | 0
}

/** a * b, modulo 2^64. */
export function multiply(words: Int32Array, at: number, al: number, ah: number, bl: number, bh: number): void {
  words[at] = Math.imul(al, bl)
  words[at + 1] = (highProduct(al, bl) + Math.imul(al, bh) + Math.imul(ah, bl)) | 0
}

/** a < b of 64-bit numbers, unsigned. */
export function below(al: number, ah: number, bl: number, bh: number): boolean {
  return ah === bh ? al >>> 0 < bl >>> 0 : ah >>> 0 < bh >>> 0
}

/** a < b of 64-bit numbers, signed. */
export function less(al: number, ah: number, bl: number, bh: number): boolean {
  return ah === bh ? al >>> 0 < bl >>> 0 : ah < bh
}

/**
 * Unsigned a / b, or a mod b where `rest` is set; b is not 0. Doubles carry it: a quotient of two integers below 2^53 has an
 * exact floor; a divisor below 2^32 is divided by in digits of 16 bits; for a larger one the quotient is below 2^32, so
 * that an estimate is wrong by at most 1 and its remainder (exact, modulo 2^64) tells.
 */
export function divide(
  words: Int32Array,
  at: number,
  al: number,
  ah: number,
  bl: number,
  bh: number,
  rest: boolean,
): void {
  let ql = 0
  let qh = 0
  let rl = 0
  let rh = 0
  if (bh === 0) {
    const b = bl >>> 0
    qh = ((ah >>> 0) / b) >>> 0
    if (ah === 0) {
      ql = ((al >>> 0) / b) >>> 0
      rl = (al >>> 0) % b
    } else {
      const digits = ((ah >>> 0) % b) * 65536 + (al >>> 16)
      const upper = Math.floor(digits / b)
      const lower = (digits - upper * b) * 65536 + (al & 0xffff)
      const last = Math.floor(lower / b)
      ql = (upper << 16) | last
      rl = lower - last * b
    }
  } else if (bh < 0) {
    // b >= 2^63: the quotient is 0 or 1.
    ql = below(al, ah, bl, bh) ? 0 : 1
    rl = ql ? (al - bl) | 0 : al
    rh = ql ? (ah - bh - (al >>> 0 < bl >>> 0 ? 1 : 0)) | 0 : ah
  } else {
    const a = (ah >>> 0) * 4294967296 + (al >>> 0)
    const b = bh * 4294967296 + (bl >>> 0)
    ql = Math.floor(a / b)
    const pl = Math.imul(ql, bl)
    const ph = (highProduct(ql, bl) + Math.imul(ql, bh)) | 0
    rl = (al - pl) | 0
    rh = (ah - ph - (al >>> 0 < pl >>> 0 ? 1 : 0)) | 0
    if (rh === -1 && rl >>> 0 > 0xffff0000) {
      // One too many: the remainder is a little below 0 (it cannot be this large otherwise, since b < 2^63).
      ql -= 1
      const sum = (rl + bl) | 0
      rh = (rh + bh + (sum >>> 0 < bl >>> 0 ? 1 : 0)) | 0
      rl = sum
    } else if (!below(rl, rh, bl, bh)) {
      ql += 1
      rh = (rh - bh - (rl >>> 0 < bl >>> 0 ? 1 : 0)) | 0
      rl = (rl - bl) | 0
    }
  }
  words[at] = rest ? rl : ql
  words[at + 1] = rest ? rh : qh
}

/** Negates the number at `words[at]`. */
function negate(words: Int32Array, at: number): void {
  const low = -(words[at] as number) | 0
  words[at] = low
  words[at + 1] = (~(words[at + 1] as number) + (low === 0 ? 1 : 0)) | 0
}

/**
 * Signed a / b (towards zero), or a mod b with the sign of a where `rest` is set; b is not 0. The smallest number divided
 * by -1 is itself, and leaves 0.
 */
export function divideSigned(
  words: Int32Array,
  at: number,
  al: number,
  ah: number,
  bl: number,
  bh: number,
  rest: boolean,
): void {
  const pl = ah < 0 ? -al | 0 : al
  const ph = ah < 0 ? (~ah + (pl === 0 ? 1 : 0)) | 0 : ah
  const nl = bh < 0 ? -bl | 0 : bl
  const nh = bh < 0 ? (~bh + (nl === 0 ? 1 : 0)) | 0 : bh
  divide(words, at, pl, ph, nl, nh, rest)
  if (rest ? ah < 0 : (ah ^ bh) < 0) negate(words, at)
}

/** The four bytes in opposite order. */
export function swap32(value: number): number {
  return (value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)
}

/** The two low bytes in opposite order, the rest 0. */
export function swap16(value: number): number {
  return ((value & 0xff) << 8) | ((value >>> 8) & 0xff)
}
