/**
 * Values as people read them and as JSON carries them. BTF gives 64-bit values as `bigint`: in JSON they become decimal
 * text, which the library takes back.
 */

/** A value in one line: `{ count: 3, name: 'a', work: bpf_wq }`. Bytes as hexadecimal digits. */
export function showValue(value: unknown): string {
  if (typeof value === 'bigint' || typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return JSON.stringify(value)
  if (value instanceof Uint8Array) return showBytes(value)
  if (Array.isArray(value)) return `[${value.map(showValue).join(', ')}]`
  if (typeof value !== 'object' || value === null) return String(value)
  if ('opaque' in value && typeof value.opaque === 'string') return value.opaque
  const members = Object.entries(value).map(([name, member]) => `${name}: ${showValue(member)}`)
  return members.length ? `{ ${members.join(', ')} }` : '{}'
}

/** A map element by its key: `beats[0]`, `sources[192, 0, 2, 1]`, `names["eth0"]`. */
export function showElement(map: string, key: unknown): string {
  return `${map}[${showValue(key).replace(/^\[(.*)\]$/s, '$1')}]`
}

function showBytes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ')
}

/** One line of JSON. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) => {
    if (typeof member === 'bigint') return String(member)
    return member instanceof Uint8Array ? showBytes(member) : member
  })
}

/** Shows lengths of time in one unit for all of them: the one that suits the longest, with three decimals. */
export function timeScale(longestNs: bigint): (ns: bigint) => string {
  const [unit, ns] = UNITS.find(([, ns]) => longestNs >= ns * 10n) ?? (['us', 1_000n] as const)
  return (time) => `${time / ns}.${String(((time % ns) * 1000n) / ns).padStart(3, '0')} ${unit}`
}

const UNITS = [
  ['s', 1_000_000_000n],
  ['ms', 1_000_000n],
] as const

/** Rows as aligned columns, two blanks between; numbers to the right where `right` says so. */
export function table(rows: readonly (readonly string[])[], right: readonly number[] = []): string[] {
  const widths: number[] = []
  for (const row of rows) {
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, cell.length)
    })
  }
  return rows.map((row) =>
    row
      .map((cell, i) => (right.includes(i) ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd(),
  )
}
