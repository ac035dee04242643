import { expect, it } from 'vitest'
import { formatPrintk, type StringSource } from './printk.js'

const encoder = new TextEncoder()
const memory = new Map<bigint, Uint8Array>([
  [8n, encoder.encode('hello')],
  [16n, encoder.encode('abc')],
  [24n, Uint8Array.from({ length: 16 }, (_, i) => i + 1)],
])
const source: StringSource = {
  string: (address) => memory.get(address),
  bytes: (address, size) => memory.get(address)?.subarray(0, size),
}
const print = (format: string, ...args: (number | bigint)[]) =>
  formatPrintk(
    encoder.encode(format),
    args.map((arg) => BigInt.asUintN(64, BigInt(arg))),
    source,
  )?.text

// Recorded from Linux 6.18: bpf_snprintf's text, and bpf_trace_printk's result for those that it refuses.
it.each([
  ['plain', [], 'plain'],
  ['%d %d %d', [-1, 5, 7n + (1n << 40n)], '-1 5 7'],
  ['%5d|%-5d|%05d|', [42, 42, 42], '   42|42   |00042|'],
  ['%+d|% d|%0+5d|', [42, 42, 5], '+42| 42|+0005|'],
  ['%0 -+5d|%-08d|', [5, 5], '+5   |5       |'],
  ['%u %x %X', [-1, 255, 255], '4294967295 ff FF'],
  ['%ld %lld %llu', [-5, -5, -1], '-5 -5 18446744073709551615'],
  ['%lx|%020llx|%5x|', [0xdeadbeef12345678n, 255, 255], 'deadbeef12345678|000000000000000000ff|   ff|'],
  ['%c%cx%5c|', [65, 66, 67], 'ABx    C|'],
  ['100%% %lld%%', [3], '100% 3%'],
  ['%p %px %pK', [0, 0x1234, 0], '0000000000000000 0000000000001234 0000000000000000'],
  ['%5p|%-20p|%05px', [0, 0, 0x12], '    0|0                   |00012'],
  ['%ps %pS %pB', [0x1234, 1, 2], '0x1234 0x1 0x2'],
  ['[%s]%10s|%-10s|', [8, 16, 16], '[hello]       abc|abc       |'],
  ['%s,%s,%pks', [0, 16, 8], ',abc,hello'],
  ['%pI4 %pi4 x', [24, 24], '1.2.3.4 001.002.003.004 x'],
  ['%pI4x|%pI6', [24, 24], '1.2.3.4|0102:0304:0506:0708:090a:0b0c:0d0e:0f10'],
  ['%pi6', [24], '0102030405060708090a0b0c0d0e0f10'],
  ['tab\t\né', [], 'tab\t\né'],
])('prints %j as the kernel does', (format, args, text) => {
  expect(print(format, ...args)).toBe(text)
})

it.each(['%', '%d%', '%f', '%hd', '%o', '%.3d', '%*d', '%#x', '%lc', '%ls', '%zd', '%5%', '%p1', '%pZ', '%sx', '\x01'])(
  'refuses %j with EINVAL',
  (format) => {
    expect(print(format, 1, 2, 3)).toBeUndefined()
  },
)

it('refuses more conversions than arguments', () => {
  expect(print('%d %d', 1)).toBeUndefined()
})

it('counts what does not fit but shows at most 1023 characters', () => {
  const printed = formatPrintk(encoder.encode('%99999999999d'), [1n], source)
  expect(printed?.length).toBe(8388607)
  expect(printed?.text).toBe(' '.repeat(1023))
})
