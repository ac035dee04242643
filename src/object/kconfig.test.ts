import { expect, it } from 'vitest'
import { fixture } from '../../test/support/fixtures.js'
import { kernelVersionCode } from './kconfig.js'
import { parseObject } from './object.js'

const object = fixture('data.clang19')

it('places variables where libbpf does, with the reference kernel as its default', () => {
  const values = {
    CONFIG_HZ: 250,
    CONFIG_BPF_JIT: 'y',
    CONFIG_BPF_LSM: 'y',
    CONFIG_CC_VERSION_TEXT: 'gcc (GCC) 15.3.0',
  }
  const { maps } = parseObject(object, { name: 'data', kernelVersion: '6.18.44', kconfig: values })
  // The bytes that libbpf 1.1 wrote for this file on a kernel with these values.
  const bytes = Buffer.from('fa00000000000000000000002c12060079016763632028474343292031352e332e00', 'hex')
  expect(maps['data.kconfig']?.contents).toEqual(new Uint8Array(bytes))
  expect(parseObject(object).variables.LINUX_KERNEL_VERSION).toBe(0x061200)
})

it('is zero for weak options without a value', () => {
  expect(parseObject(object).variables).toMatchObject({ CONFIG_HZ: 0n, CONFIG_BPF_LSM: false, CONFIG_TLS: 'TRI_NO' })
})

it('takes switches, numbers and text, and refuses what does not fit', () => {
  const read = (kconfig: Record<string, string | number | boolean>) => parseObject(object, { kconfig }).variables
  expect(read({ CONFIG_TLS: 'm' }).CONFIG_TLS).toBe('TRI_MODULE')
  expect(read({ CONFIG_BPF_LSM: true }).CONFIG_BPF_LSM).toBe(true)
  expect(read({ CONFIG_HZ: '0x64' }).CONFIG_HZ).toBe(100n)
  for (const wrong of [
    { CONFIG_BPF_LSM: 'm' },
    { CONFIG_HZ: -1 },
    { CONFIG_HZ: 'many' },
    { CONFIG_CC_VERSION_TEXT: 3 },
  ]) {
    expect(() => read(wrong)).toThrow(expect.objectContaining({ code: 'bad-kconfig' }))
  }
})

it('knows kernel versions', () => {
  expect(kernelVersionCode('6.18')).toBe(0x061200)
  expect(kernelVersionCode('6.1.300-generic')).toBe(0x0601ff)
  expect(() => kernelVersionCode('six')).toThrow(expect.objectContaining({ code: 'bad-kernel-version' }))
})
