import { expect, it } from 'vitest'
import { guestMemory } from './guest-memory.js'
import { type HostHelper, hostHelpers } from './host-helpers.js'
import { defaultIdentity } from './identity.js'

const at = 0x10000

/** Calls a helper on a memory that holds `text` at 0x10000; what it wrote at 0x10100 and printed comes back. */
function call(name: keyof typeof hostHelpers, text: string, args: (memory: { text: bigint; out: bigint }) => bigint[]) {
  const memory = guestMemory(new WebAssembly.Memory({ initial: 2 }))
  memory.write(at, new TextEncoder().encode(text))
  const lines: string[] = []
  const helper: HostHelper = hostHelpers[name]
  const [a = 0n, b = 0n, c = 0n, d = 0n, e = 0n] = args({ text: BigInt(at), out: BigInt(at + 256) })
  const result = Number(
    helper({ args: [a, b, c, d, e], memory, identity: defaultIdentity, print: (line) => lines.push(line) }),
  )
  const out = memory.read(at + 256, 16)
  return { result, lines, out, number: new DataView(out.buffer).getBigInt64(0, true) }
}

it('prints what bpf_trace_printk is given, and refuses a format without its NUL', () => {
  expect(call('bpf_trace_printk', 'x=%d\0', ({ text }) => [text, 5n, 7n])).toMatchObject({ result: 3, lines: ['x=7'] })
  expect(call('bpf_trace_printk', 'x=%d\0', ({ text }) => [text, 4n, 7n])).toMatchObject({ result: -22, lines: [] })
  expect(call('bpf_trace_printk', '', () => [0n, 4n])).toMatchObject({ result: -22 })
})

it('takes the arguments of bpf_trace_vprintk from an array of 8-byte words', () => {
  const words = `%d\0\0\0\0\0\0${String.fromCharCode(9, 0, 0, 0, 0, 0, 0, 0)}`
  expect(call('bpf_trace_vprintk', words, ({ text }) => [text, 3n, text + 8n, 8n]).lines).toEqual(['9'])
  expect(call('bpf_trace_vprintk', words, ({ text }) => [text, 3n, text + 8n, 7n]).result).toBe(-22)
  expect(call('bpf_trace_vprintk', words, ({ text }) => [text, 3n, 0n, 0n]).result).toBe(-22)
})

it('cuts bpf_snprintf to its buffer and gives the length that the whole would have, with NUL', () => {
  const { result, out } = call('bpf_snprintf', 'hello world\0', ({ text, out }) => [out, 6n, text, 0n, 0n])
  expect(result).toBe(12)
  expect(new TextDecoder().decode(out.subarray(0, 6))).toBe('hello\0')
})

it('tells who runs', () => {
  expect(call('bpf_get_current_pid_tgid', '', () => []).result).toBe(1000 * 2 ** 32 + 1000)
  const comm = call('bpf_get_current_comm', '', ({ out }) => [out, 6n]).out
  expect([...comm.subarray(0, 6)]).toEqual([...new TextEncoder().encode('worke'), 0])
})

it('gives zeros and -EFAULT where memory cannot be read', () => {
  expect(call('bpf_probe_read_kernel', 'abcd', ({ text, out }) => [out, 4n, text])).toMatchObject({ result: 0 })
  const fault = call('bpf_probe_read_kernel', 'abcd', ({ out }) => [out, 4n, 8n])
  expect(fault).toMatchObject({ result: -14, number: 0n })
  expect(call('bpf_copy_from_user', 'abcd', ({ text, out }) => [out, 4n, text]).result).toBe(-14)
  expect(call('bpf_probe_read_kernel_str', 'abc\0', ({ text, out }) => [out, 16n, text]).result).toBe(4)
  expect(call('bpf_probe_read_kernel_str', 'abc\0', ({ text, out }) => [out, 3n, text]).result).toBe(3)
})

// Recorded from Linux 6.18.
it.each<[string, bigint, number, bigint]>([
  ['123', 0n, 3, 123n],
  [' -0x1fz', 0n, 6, -31n],
  ['0755', 0n, 4, 493n],
  ['ff', 16n, 2, 255n],
  ['99', 8n, -22, 0n],
  ['', 0n, -22, 0n],
  ['1', 7n, -22, 0n],
  ['9223372036854775808', 0n, -34, 0n],
  ['0x', 0n, 1, 0n],
  ['0x1f', 8n, 1, 0n],
  ['09', 0n, 1, 0n],
  ['+5', 0n, -22, 0n],
])('bpf_strtol reads %j in base %i', (text, flags, result, number) => {
  const made = call('bpf_strtol', text, ({ text: address, out }) => [address, BigInt(text.length), flags, out])
  expect(made).toMatchObject({ result, number })
})

it('compares like strncmp', () => {
  const compare = (a: string, b: string, size: bigint) =>
    call('bpf_strncmp', `${a.padEnd(8, '\0')}${b}\0`, ({ text }) => [text, size, text + 8n]).result
  expect([compare('abc', 'abc', 8n), compare('abc', 'abd', 8n), compare('abd', 'abc', 2n)]).toEqual([0, -1, 0])
})
