import { expect, it } from 'vitest'
import { objectSpec } from '../bench/catalogue.js'
import { Machine } from '../machine/index.js'
import { optimiseNow } from './optimise.js'

it('compiles programs that do what they do otherwise', async () => {
  const machine = new Machine({ engine: 'compiler', compile: optimiseNow })
  const { programs, maps } = await machine.load(objectSpec('map_update'), { verify: false })
  expect(programs.entry?.run({ data: new Uint8Array(64), repeat: 3 }).retval).toBe(2)
  expect(maps.result?.get(0)).toBe(124750n)
})

it('refuses what is no module, and is as it was afterwards', () => {
  for (let i = 0; i < 2; i++) expect(() => optimiseNow(new Uint8Array(8))).toThrow(WebAssembly.CompileError)
  expect(optimiseNow(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0))).toBeInstanceOf(WebAssembly.Module)
})
