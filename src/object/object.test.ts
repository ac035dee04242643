import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { parseObject } from './object.js'

const compilers = ['clang14', 'clang16', 'clang19']
const fixture = (name: string) => readFileSync(new URL(`testdata/${name}.bpf.o`, import.meta.url))

it.each(compilers)('reads and writes global variables in the bytes of their maps: %s', (clang) => {
  const spec = parseObject(fixture(`data.${clang}`), { name: 'data.bpf.o' })
  const { variables } = spec
  expect(variables.interval_ms).toBe(1000)
  variables.interval_ms = 50
  expect(spec.maps['data.rodata']?.contents?.slice(0, 4)).toEqual(new Uint8Array([50, 0, 0, 0]))
})
