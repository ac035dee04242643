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

/** A length of time, three decimals of milliseconds: `100.004 ms`. */
export function showTime(ns: bigint): string {
  const us = ns / 1_000n
  return `${us / 1_000n}.${String(us % 1_000n).padStart(3, '0')} ms`
}

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
