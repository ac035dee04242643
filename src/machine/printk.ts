/**
 * `bpf_trace_printk` and `bpf_trace_vprintk` formatting as Linux 6.18 does it (observed through return values and through
 * bpf_snprintf, which shares the formatter): a subset of printf, checked before anything is printed, where anything else
 * is -EINVAL. A `%p` shows the address itself (Linux shows a hash of it); symbols (`%ps`, `%pS`, `%pB`) show as `0x...`.
 */

/** Memory as a format reads it: `undefined` where the address is not readable. */
export interface StringSource {
  /** Bytes from `address` up to the NUL, at most `max`. */
  string(address: bigint, max: number): Uint8Array | undefined
  /** Exactly `size` bytes. */
  bytes(address: bigint, size: number): Uint8Array | undefined
}

/** What was printed. `length` counts what an unlimited buffer would hold (the helper's result), `text` is at most 1023 characters. */
export interface Printed {
  readonly text: string
  readonly length: number
}

/** Size of the kernel's buffer, with its NUL. */
const bufferSize = 1024
/** A larger field width is cut to this one (23 bits in the kernel's `struct printf_spec`). */
const maxWidth = (1 << 23) - 1
/** Longest string argument: strings share the kernel's 512-byte argument buffer. */
const maxString = 512

const decoder = new TextDecoder()

/** Printable in the kernel's ctype table (ASCII and the upper half of Latin-1) or white space. */
function allowed(byte: number): boolean {
  return (byte >= 32 && byte < 127) || byte >= 160 || (byte >= 9 && byte <= 13)
}

const directive = /^([0 +-]*)([1-9]\d*)?(?:(ll?)?([diuxX])|(s)|(c)|p(?:([ku])s|([iI])([46])|([KxsSB])|)?)/

/** One conversion: how to print its argument, from the match of `directive`. */
interface Conversion {
  readonly length: number
  readonly flags: string
  readonly width: number
  readonly print: (arg: bigint, memory: StringSource) => string
  /** Zero padding and signs apply to numbers only. */
  readonly numeric: boolean
}

/** `%p` followed by letters or digits swallows them all, as the kernel's vsnprintf does. */
function swallow(text: string, from: number): number {
  let end = from
  while (/[0-9A-Za-z\u00c0-\u00ff]/.test(text[end] ?? '')) end += 1
  return end
}

/** `%s`, `%pks` and a bare `%p` must be followed by the end, white space or punctuation. */
const freeStanding = (text: string, at: number) => !/[0-9A-Za-z\u00c0-\u00ff]/.test(text[at] ?? '')

function integer(size: string | undefined, letter: string) {
  const bits = size ? 64 : 32
  return (arg: bigint) => {
    if (letter === 'd' || letter === 'i') return BigInt.asIntN(bits, arg).toString()
    const digits = BigInt.asUintN(bits, arg).toString(letter === 'u' ? 10 : 16)
    return letter === 'X' ? digits.toUpperCase() : digits
  }
}

const text = (arg: bigint, memory: StringSource) => decoder.decode(memory.string(arg, maxString) ?? new Uint8Array())

function ip(letter: string, version: string) {
  return (arg: bigint, memory: StringSource) => {
    const bytes = memory.bytes(arg, version === '4' ? 4 : 16) ?? new Uint8Array(version === '4' ? 4 : 16)
    if (version === '4') return [...bytes].map((b) => (letter === 'i' ? `${b}`.padStart(3, '0') : `${b}`)).join('.')
    const hex = [...bytes].map((b) => b.toString(16).padStart(2, '0')).join('')
    return letter === 'i' ? hex : (hex.match(/.{4}/g) ?? []).join(':')
  }
}

function parse(rest: string): Conversion | undefined {
  const match = directive.exec(rest)
  if (!match) return undefined
  const [all, flags = '', digits = '', size, number, string, char, kernelOrUser, ipLetter, ipVersion, pointer] = match
  const base = { flags, width: Math.min(Number(digits), maxWidth), length: all.length, numeric: false }
  if (number) return { ...base, numeric: true, print: integer(size, number) }
  if (char) return { ...base, print: (arg) => String.fromCharCode(Number(arg & 0xffn)) }
  if (string) return freeStanding(rest, all.length) ? { ...base, print: text } : undefined
  if (kernelOrUser) {
    if (!freeStanding(rest, all.length)) return undefined
    return { ...base, print: kernelOrUser === 'k' ? text : () => '' }
  }
  if (ipLetter && ipVersion) return { ...base, length: swallow(rest, all.length), print: ip(ipLetter, ipVersion) }
  if (pointer && /[sSB]/.test(pointer)) {
    return { ...base, length: swallow(rest, all.length), print: (arg) => `0x${BigInt.asUintN(64, arg).toString(16)}` }
  }
  if (!pointer && !freeStanding(rest, all.length)) return undefined
  return {
    ...base,
    length: pointer ? swallow(rest, all.length) : all.length,
    numeric: true,
    // 16 digits unless a width is given, which then stands for all padding.
    print: (arg) =>
      BigInt.asUintN(64, arg)
        .toString(16)
        .padStart(digits ? 1 : 16, '0'),
  }
}

function pad({ flags, width, numeric }: Conversion, body: string, signed: boolean): { text: string; length: number } {
  const sign = !signed || body.startsWith('-') ? '' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : ''
  const full = sign + body
  // Text is cut to the buffer; only the count goes on.
  const shown = Math.min(width, bufferSize)
  const length = Math.max(width, full.length)
  if (flags.includes('-')) return { text: full.padEnd(shown), length }
  if (!numeric || !flags.includes('0')) return { text: full.padStart(shown), length }
  const lead = /^[-+ ]?/.exec(full)?.[0] ?? ''
  return { text: lead + full.slice(lead.length).padStart(shown - lead.length, '0'), length }
}

/**
 * Formats. `format` is the format's bytes without its NUL, `args` the 64-bit arguments (missing ones are an error).
 * `undefined` where the kernel answers -EINVAL.
 */
export function formatPrintk(format: Uint8Array, args: readonly bigint[], memory: StringSource): Printed | undefined {
  if (!format.every(allowed)) return undefined
  // One character a byte: positions and lengths are the kernel's, decoded at the end.
  const source = String.fromCharCode(...format)
  const parts: string[] = []
  let length = 0
  let used = 0
  for (let at = 0; at < source.length; ) {
    const percent = source.indexOf('%', at)
    const literal = source.slice(at, percent < 0 ? undefined : percent)
    parts.push(literal)
    length += literal.length
    if (percent < 0) break
    if (source[percent + 1] === '%') {
      parts.push('%')
      length += 1
      at = percent + 2
      continue
    }
    const conversion = parse(source.slice(percent + 1))
    const arg = args[used]
    if (!conversion || arg === undefined) return undefined
    used += 1
    const signed = conversion.numeric && /[di]$/.test(source.slice(percent + 1, percent + 1 + conversion.length))
    const padded = pad(conversion, conversion.print(arg, memory), signed)
    parts.push(padded.text)
    length += padded.length
    at = percent + 1 + conversion.length
  }
  const latin = Uint8Array.from(parts.join('').slice(0, bufferSize - 1), (char) => char.charCodeAt(0))
  return { text: decoder.decode(latin), length }
}
