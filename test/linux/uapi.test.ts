/** The tables of `uapi/` against the BTF of the running kernel, where that is Linux 6.18. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parseBtf } from '../../src/btf/index.js'
import { attachTypes, bpfCommands, helperIds, mapTypes, programTypes } from '../../src/uapi/index.js'
import { noReference, skipped } from '../support/reference.js'

const path = '/sys/kernel/btf/vmlinux'
const skip = skipped("comparing the uapi tables with the running kernel's", noReference())

describe.skipIf(skip)('against the running kernel', () => {
  const btf = skip ? undefined : parseBtf(readFileSync(path))

  it.each([
    ['bpf_prog_type', 'BPF_PROG_TYPE_', programTypes],
    ['bpf_map_type', 'BPF_MAP_TYPE_', mapTypes],
    ['bpf_attach_type', 'BPF_', attachTypes],
    ['bpf_func_id', 'BPF_FUNC_', Object.fromEntries(Object.entries(helperIds).map(([n, id]) => [n.slice(4), id]))],
    ['bpf_cmd', 'BPF_', bpfCommands],
  ])('enum %s has the same names and numbers', (name, prefix, table: Readonly<Record<string, number>>) => {
    const type = btf?.type(btf.find(name, 'enum')[0] ?? 0)
    if (type?.kind !== 'enum') throw new Error(`the kernel's BTF has no enum ${name}`)
    const kernel = new Map(type.values.map((value) => [value.name, Number(value.value)]))
    for (const [key, number] of Object.entries(table)) {
      const names = [`${prefix}${key}`, `${prefix}${key.toUpperCase()}`, `${prefix}${key.toUpperCase()}_DEPRECATED`]
      expect(
        names.map((each) => kernel.get(each)),
        `${name}: ${key}`,
      ).toContain(number)
    }
  })
})
