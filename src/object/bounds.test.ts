import { expect, it } from 'vitest'
import { fuzz } from '../../test/fuzz/trial.js'
import { code, type NewSymbol, writeElf } from '../../test/support/elf-writer.js'
import { fixture } from '../../test/support/fixtures.js'
import { BpfError } from '../bits/index.js'
import { btfBuilder } from '../btf/index.js'
import { parseObject } from './object.js'

/** Reads it or is refused, within two seconds of this process's own time; anything else fails. */
function inTime(object: Uint8Array): string {
  const start = process.cpuUsage()
  let outcome = 'read'
  try {
    parseObject(object)
  } catch (error) {
    expect(error).toBeInstanceOf(BpfError)
    outcome = (error as BpfError).code
  }
  const { user, system } = process.cpuUsage(start)
  expect((user + system) / 1000).toBeLessThan(2000)
  return outcome
}

it('throws nothing but BpfError at damaged objects', () => {
  const names = ['maps.clang14', 'data.clang16', 'calls.clang19', 'odd.clang19']
  const subjects = names.map((name) => ({ name, bytes: fixture(name) }))
  const { failures, read } = fuzz(subjects, 600, 1, (bytes) => void parseObject(bytes))
  expect(failures).toEqual([])
  expect(read).toBeGreaterThan(60)
})

// Each of these files is small; read naively, the work or memory that it asks for is a product of its parts.

it('many externs of one name, declared many times', () => {
  const b = btfBuilder()
  const type = b.int('int', 4)
  for (let i = 0; i < 20_000; i++) b.define(b.reserve(), { kind: 'var', name: 'x', type, linkage: 'extern' })
  const externs = Array.from({ length: 20_000 }, (): NewSymbol => ({ name: 'x', section: 0 }))
  expect(inTime(writeElf([{ name: '.BTF', data: b.finish() }], externs))).toBe('unknown-extern')
})

it('many maps that share a definition of many attributes', () => {
  const b = btfBuilder()
  const one = b.pointer(b.array(b.int('int', 4), 1))
  const type = b.struct(
    '',
    0x80000,
    Array.from({ length: 40_000 }, () => ['type', one, 0] as const),
  )
  const vars = Array.from({ length: 20_000 }, (_, i) => {
    const variable = b.add({ kind: 'var', name: `m${i}`, type, linkage: 'global' })
    return { type: variable, offset: 0, size: 0x80000 }
  })
  b.add({ kind: 'datasec', name: '.maps', size: 0, vars })
  const symbols = vars.map((_, i): NewSymbol => ({ name: `m${i}`, section: 1, type: 1 }))
  const sections = [
    { name: '.maps', data: new Uint8Array(0x80000) },
    { name: '.BTF', data: b.finish() },
  ]
  expect(inTime(writeElf(sections, symbols))).toBe('bad-map-definition')
})

it('many executable sections and many functions', () => {
  const sections = Array.from({ length: 5000 }, (_, i) =>
    code(`xdp${i}`, [{ code: 0x95, dst: 0, src: 0, off: 0, imm: 0 }]),
  )
  const symbols = sections.map((_, i): NewSymbol => ({ name: `f${i}`, section: i + 1, size: 8, type: 2 }))
  expect(inTime(writeElf(sections, symbols))).toBe('read')
})

it('configuration without end', () => {
  const b = btfBuilder()
  const text = b.array(b.int('char', 1, { char: true }), 4096)
  const vars = Array.from({ length: 20_000 }, (_, i) => ({
    type: b.add({ kind: 'var', name: `CONFIG_${i}`, type: text, linkage: 'extern' }),
    offset: 0,
    size: 4096,
  }))
  b.add({ kind: 'datasec', name: '.kconfig', size: 0, vars })
  const externs = vars.map((_, i): NewSymbol => ({ name: `CONFIG_${i}`, section: 0, binding: 2 }))
  expect(inTime(writeElf([{ name: '.BTF', data: b.finish() }], externs))).toBe('global-data-too-large')
})
