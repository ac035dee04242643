import { expect, it } from 'vitest'
import { readPrograms } from '../../test/conformance/programs.js'
import { encode } from '../isa/index.js'
import { mapOperations, objectSpec, programs } from './catalogue.js'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

it('runs the same bytecode as the conformance programs, and knows the same results', () => {
  const flat = readPrograms()
  expect(programs.map(({ name, result }) => [name, result])).toEqual(flat.map(({ name, r0 }) => [name, r0]))
  for (const { name, insns } of flat) {
    const entry = objectSpec(name).programs.entry
    expect(hex(encode(entry?.insns ?? [])), name).toContain(hex(encode(insns)))
  }
})

it('has an object with an entry and a result for every operation', () => {
  for (const { name } of mapOperations) {
    const spec = objectSpec(name)
    expect([spec.programs.entry?.type, spec.maps.result?.maxEntries], name).toEqual(['xdp', 1])
  }
  expect(() => objectSpec('nothing')).toThrow(expect.objectContaining({ code: 'bench-missing' }))
})
