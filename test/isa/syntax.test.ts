import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { assemble, decode, disassembleInsn } from '../../src/isa/index.js'

const rows = readFileSync(new URL('kernel-syntax.txt', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line && !line.startsWith('#'))
  .map((line) => {
    const [hex = '', ...words] = line.split(' ')
    return { insns: decode(Uint8Array.from(Buffer.from(hex, 'hex'))), text: words.join(' ') }
  })

it('prints every instruction as the verifier log of Linux 6.18 does', () => {
  expect(rows.map(({ insns }) => disassembleInsn(insns, 0))).toEqual(rows.map(({ text }) => text))
  expect(rows.length).toBeGreaterThan(180)
})

it('assembles what the verifier log prints, malformed instructions apart', () => {
  const malformed = /BUG_|le8|__percpu|lock \*\(u8/
  for (const { insns, text } of rows) {
    if (malformed.test(text)) expect(() => assemble(text)).toThrow()
    else if (!insns.some(({ code, off }) => (code === 0xbf && off === 7) || (code === 0x3f && off === 2)))
      expect(assemble(text)).toEqual(insns)
  }
})
