/**
 * struct_ops: a variable in `.struct_ops` or `.struct_ops.link` is a map of type struct_ops, whose value is the struct and
 * whose function pointers are programs. `initialValues` holds the programs by 8-byte slot of the struct; the host finds
 * the kernel's own layout by the struct's name.
 */
import { BpfError } from '../bits/index.js'
import type { Btf } from '../btf/index.js'
import { type ElfFile, type ElfSection, sectionTypes } from '../elf/index.js'
import { mapFlags } from '../uapi/index.js'
import { isCode } from './code.js'
import type { Datasecs } from './data.js'
import { objectLimits } from './limits.js'
import type { MapSpec } from './spec.js'

const sectionName = /^\??\.struct_ops(\.link)?$/
const pointerSize = 8

/** Maps of all struct_ops variables. Throws `BpfError` (`bad-struct-ops`, `missing-btf`). */
export function readStructOps(elf: ElfFile, btf: Btf | undefined, datasecs: Datasecs): MapSpec[] {
  const maps: MapSpec[] = []
  let used = 0
  for (const section of elf.sections) {
    if (!sectionName.test(section.name) || section.type !== sectionTypes.progbits || section.size === 0) continue
    const datasec = btf?.type(datasecs.get(section.name) ?? 0)
    if (!btf || datasec?.kind !== 'datasec') {
      throw new BpfError('missing-btf', 'struct_ops need BTF; compile with -g', { place: `section ${section.name}` })
    }
    const slots = programSlots(elf, section)
    for (const { type, offset, size } of datasec.vars) {
      const variable = btf.type(type)
      const value = variable.kind === 'var' ? btf.resolve(variable.type) : variable
      if (variable.name === '' || variable.kind !== 'var' || value.kind !== 'struct' || value.name === '') {
        throw refused(variable.name, `a named struct is wanted, not ${value.kind}`)
      }
      used += size
      if (value.size !== size || used > objectLimits.globalData) throw refused(variable.name, `it has ${size} bytes`)
      maps.push({
        name: variable.name,
        type: 'struct_ops',
        keySize: 4,
        valueSize: size,
        maxEntries: 1,
        flags: section.name.endsWith('.link') ? mapFlags.link : 0,
        keyTypeId: 0,
        valueTypeId: value.id,
        numaNode: 0,
        mapExtra: 0n,
        pinning: 'none',
        innerMap: undefined,
        initialValues: programs(slots, offset, size, variable.name),
        contents: section.data.slice(offset, offset + size),
        section: section.name,
        frozen: false,
      })
    }
  }
  return maps
}

/** What each relocated pointer of the section points to: the name of a program, or undefined for anything else. */
function programSlots(elf: ElfFile, section: ElfSection): Map<number, string | undefined> {
  const slots = new Map<number, string | undefined>()
  for (const { offset, symbol } of elf.relocations.get(section.index) ?? []) {
    const target = elf.sections[symbol.section]
    const isProgram = symbol.type === 'func' && target !== undefined && isCode(target)
    slots.set(offset, isProgram && offset % pointerSize === 0 ? symbol.name : undefined)
  }
  return slots
}

function programs(
  slots: ReadonlyMap<number, string | undefined>,
  start: number,
  size: number,
  name: string,
): Map<number, string> {
  const found = new Map<number, string>()
  for (let at = 0; at < size; at += pointerSize) {
    if (!slots.has(start + at)) continue
    const program = slots.get(start + at)
    if (program === undefined) throw refused(name, `its value at byte ${at} points to no program`)
    found.set(at / pointerSize, program)
  }
  return found
}

function refused(name: string, sentence: string): BpfError {
  return new BpfError('bad-struct-ops', sentence, { place: `struct_ops ${name}` })
}
