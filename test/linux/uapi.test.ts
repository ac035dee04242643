/** The tables of `uapi/` against the BTF of the running kernel, where that is Linux 6.18. */
import { existsSync, readFileSync } from 'node:fs'
import { release } from 'node:os'
import { describe, expect, it } from 'vitest'
import { parseBtf } from '../../src/btf/index.js'
import { attachTypes, bpfCommands, helperIds, mapTypes, programTypes } from '../../src/uapi/index.js'

const path = '/sys/kernel/btf/vmlinux'
const live = existsSync(path) && release().startsWith('6.18.')
if (!live) console.warn(`skipped: ${path} of a Linux 6.18 is not here; the uapi tables were not compared with it`)

describe.skipIf(!live)('against the running kernel', () => {
  const btf = live ? parseBtf(readFileSync(path)) : undefined

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
